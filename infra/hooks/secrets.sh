#!/bin/sh
# Makes the secrets that the hub cannot be without and that nobody has to know. Those that are there stay as they are:
# another key for pseudonyms would hide every message of before. Run by azd after it has provisioned, or by hand where
# the vault can be reached, by somebody of the group of secret keepers.
set -eu
umask 077
vault="${KNUTEPUNKT_VAULT:?}"
# Fails, and ends all this, when the vault cannot be read: "not there" must never be a guess.
names="$(az keyvault secret list --vault-name "$vault" --query '[].name' --output tsv)"
file="$(mktemp)"
trap 'rm -f "$file"' EXIT

make() {
  if printf '%s\n' "$names" | grep -qx -- "$1"; then
    echo "$1: there already"
    return
  fi
  printf '%s%s' "$2" "$(openssl rand -base64 32)" > "$file"
  az keyvault secret set --vault-name "$vault" --name "$1" --file "$file" --encoding utf-8 --output none
  echo "$1: made"
}

make Pseudonym--key ''
make Alerts--webhookSecret 'whsec_'
