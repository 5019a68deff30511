#!/bin/sh
# Whether an environment is well after a package was put there: smoke.sh ENVIRONMENT. Ends with 1 when it is not.
# An app whose code cannot be loaded shows in Azure as one with no functions, so these are asked for first.
set -eu
environment="$1"
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
    sleep 15
  done
  echo "$name: $count functions"
  [ "$count" != 0 ]
done
url="$(output KNUTEPUNKT_URL)"
answer="$(curl --fail --silent --show-error --max-time 60 --retry 10 --retry-delay 15 --retry-all-errors "$url/health")"
echo "$url/health: $answer"
# The hub says "ok" only when its stores and its queues answer it too.
printf '%s' "$answer" | jq --exit-status '.status == "ok"' > /dev/null
curl --fail --silent --show-error --max-time 60 --output /dev/null "$url/metadata"
echo "well"
