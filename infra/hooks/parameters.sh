#!/bin/sh
# azd reads infra/main.bicepparam; the parameters are kept for each environment (infra/env). Run by azd before it provisions.
set -eu
cd "$(dirname "$0")/.."
sed "s#^using '../main.bicep'#using './main.bicep'#" "env/${AZURE_ENV_NAME:?}.bicepparam" > main.bicepparam
