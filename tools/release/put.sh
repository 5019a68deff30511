#!/bin/sh
# Puts a package into the three apps of an environment: put.sh ENVIRONMENT ZIP. Who calls is logged in to Azure.
# First those that take work over, last the one that takes it in: what is accepted can always be carried on.
set -eu
environment="$1"
zip="$2"
for app in UPKEEP ROAD API; do
  name="$(az deployment sub show --name "knutepunkt-$environment" --output tsv \
    --query "properties.outputs.KNUTEPUNKT_APP_$app.value")"
  echo "$name: $(sha256sum "$zip")"
  az functionapp deployment source config-zip --resource-group "rg-knutepunkt-$environment" --name "$name" \
    --src "$zip" --output none
done
