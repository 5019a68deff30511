"""What azd runs before and after it provisions (infra/hooks), against a stand-in for Azure's command line."""

import asyncio
import base64
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
HOOKS = ROOT / "infra" / "hooks"

AZ = """#!/bin/sh
# Lists the files of $VAULT_FOLDER as secrets; sets one by copying the file given.
set -eu
[ -z "${VAULT_SHUT:-}" ] || { echo Forbidden >&2; exit 1; }
case "$3" in
  list) ls "$VAULT_FOLDER" ;;
  set) while [ $# -gt 0 ]; do
         case "$1" in --name) name="$2" ;; --file) file="$2" ;; --value) exit 9 ;; esac
         shift
       done
       cp "$file" "$VAULT_FOLDER/$name" ;;
  *) exit 9 ;;
esac
"""


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A folder that stands for the vault, and the stand-in beside it."""
    az = tmp_path / "bin" / "az"
    az.parent.mkdir()
    az.write_text(AZ, encoding="utf-8")
    az.chmod(0o755)
    folder = tmp_path / "vault"
    folder.mkdir()
    return folder


async def _run(hook: Path, variables: dict[str, str]) -> tuple[int, str]:
    """Its exit code, and all it said."""
    process = await asyncio.create_subprocess_exec(
        hook, env=variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def _secrets(vault: Path, **more: str) -> tuple[int, str]:
    path = f"{vault.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "KNUTEPUNKT_VAULT": "kv", "VAULT_FOLDER": str(vault), **more}
    return await _run(HOOKS / "secrets.sh", variables)


def _held(vault: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in vault.iterdir()}


async def test_missing_secrets_are_made_and_never_shown(vault: Path) -> None:
    code, said = await _secrets(vault)
    assert code == 0, said
    key = (vault / "Pseudonym--key").read_text(encoding="utf-8").strip()
    assert len(base64.b64decode(key, validate=True)) == 32
    webhook = (vault / "Alerts--webhookSecret").read_text(encoding="utf-8").strip()
    assert len(base64.b64decode(webhook.removeprefix("whsec_"), validate=True)) == 32
    assert webhook.startswith("whsec_")
    assert key not in said


async def test_a_second_run_changes_nothing(vault: Path) -> None:
    await _secrets(vault)
    before = _held(vault)
    code, _ = await _secrets(vault)
    assert code == 0
    assert _held(vault) == before


async def test_a_secret_whose_name_only_begins_alike_does_not_count(vault: Path) -> None:
    (vault / "Pseudonym--key-old").write_text("x", encoding="utf-8")
    await _secrets(vault)
    assert (vault / "Pseudonym--key").exists()


async def test_a_vault_that_cannot_be_read_is_not_taken_for_an_empty_one(vault: Path) -> None:
    code, _ = await _secrets(vault, VAULT_SHUT="1")
    assert code != 0
    assert not _held(vault)


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
async def test_azd_gets_the_parameters_of_the_environment(environment: str, tmp_path: Path) -> None:
    infra = tmp_path / "infra"
    shutil.copytree(HOOKS, infra / "hooks")
    shutil.copytree(ROOT / "infra" / "env", infra / "env")
    variables = {"PATH": os.environ["PATH"], "AZURE_ENV_NAME": environment}
    code, said = await _run(infra / "hooks" / "parameters.sh", variables)
    assert code == 0, said
    written = (infra / "main.bicepparam").read_text(encoding="utf-8")
    kept = (infra / "env" / f"{environment}.bicepparam").read_text(encoding="utf-8")
    assert written == kept.replace("using '../main.bicep'", "using './main.bicep'")
    assert written != kept


def test_azd_puts_the_package_into_the_apps_in_the_order_of_the_scripts() -> None:
    put = (ROOT / "tools" / "release" / "put.sh").read_text(encoding="utf-8")
    (order,) = re.findall(r"for app in (.*); do", put)
    azd = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    steps = [step["azd"] for step in azd["workflows"]["up"]["steps"]]
    assert steps[0] == "provision"
    assert steps[1:] == [f"deploy {app} --from-package dist/knutepunkt.zip" for app in order.lower().split()]
    assert set(azd["services"]) == set(order.lower().split())
