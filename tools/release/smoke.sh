#!/bin/sh
# Whether an environment is well, and runs the package that was put there: smoke.sh ENVIRONMENT ZIP. Ends with 1 when not.
# An app whose code cannot be loaded shows in Azure as one with no functions, so these are asked for first. SMOKE_PAUSE
# is how many seconds it waits between two looks.
set -eu
environment="$1"
release="$(unzip -p "$2" release.json | jq --raw-output '.release // empty')"
[ -n "$release" ] || { echo "$2 does not say which release it is" >&2; exit 1; }
pause="${SMOKE_PAUSE:-15}"
output() {
  az deployment sub show --name "knutepunkt-$environment" --output tsv --query "properties.outputs.$1.value"
}
for app in UPKEEP ROAD API; do
  name="$(output "KNUTEPUNKT_APP_$app")"
  count=0
  for try in 1 2 3 4 5 6 7 8 9 10; do
    count="$(az functionapp function list --resource-group "rg-knutepunkt-$environment" --name "$name" \
      --query 'length(@)' --output tsv)"
    [ "$count" = 0 ] || break
    echo "$name: no functions yet ($try)"
    sleep "$pause"
  done
  echo "$name: $count functions"
  [ "$count" != 0 ]
done
url="$(output KNUTEPUNKT_URL)"
well=false
for try in 1 2 3 4 5 6 7 8 9 10; do
  answer="$(curl --fail --silent --show-error --max-time 60 "$url/health" || true)"
  echo "$url/health ($try): $answer"
  # The hub says "ok" only when its stores and its queues answer it too. Instances of the release before may answer for
  # a moment more; a package that was put somewhere else, or not at all, never becomes the one that answers.
  well="$(printf '%s' "$answer" | jq --arg release "$release" '.status == "ok" and .release == $release' || true)"
  [ "$well" != true ] || break
  sleep "$pause"
done
[ "$well" = true ] || { echo "not well, or not release $release" >&2; exit 1; }
curl --fail --silent --show-error --max-time 60 --output /dev/null "$url/metadata"
echo "well: release $release"
