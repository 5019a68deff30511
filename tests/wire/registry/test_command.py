"""`hub registry` against a register that the environment names, as against Azure."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli.main import main
from sandbox.cosmos import serve
from sandbox.topology import load
from tests.unit.registry.samples import ORGNR, VKP_ID
from tests.unit.registry.test_files import NEW_MUNICIPALITY, at


@pytest.fixture(scope="module")
async def register(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The connection string of an account with an empty register."""
    async with serve(tmp_path_factory.mktemp("command"), load()) as account:
        yield account.connection_string


class Hub:
    """The command, and what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = ""
        self.err = ""

    async def __call__(self, *arguments: str) -> int:
        code = await asyncio.to_thread(main, ["registry", *arguments, "--from-environment"])
        self.out, self.err = self._capsys.readouterr()
        return code

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def hub(register: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hub:
    monkeypatch.setenv("Cosmos", register)
    monkeypatch.setenv("Cosmos__database", load().database)
    monkeypatch.setenv("Hub__environment", "test")
    return Hub(capsys)


def write(file: Path, body: bytes) -> None:
    file.write_bytes(body)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "register.json"
    path.write_text(json.dumps({**NEW_MUNICIPALITY, "systems": [{"vkpId": VKP_ID, "name": "Trygghetsvakt"}]}))
    return path


async def test_a_file_is_compared_applied_and_written_again(hub: Hub, file: Path, tmp_path: Path) -> None:
    assert await hub("diff", str(file), "--json") == 0
    assert [each["kind"] for each in hub.json()["changes"]] == ["system", "municipality", "grant", "partnerProfile"]
    assert await hub("diff", str(file), "--check") == 1
    assert await hub("apply", str(file), "--why", "case 2026/114", "--who", "code:pipeline") == 0
    assert "4 entries changed" in hub.out
    assert await hub("apply", str(file), "--why", "case 2026/114", "--json") == 0
    assert hub.json() == {"changes": [], "faults": []}
    assert await hub("diff", str(file), "--check") == 0

    exported = tmp_path / "exported.json"
    assert await hub("export", str(exported)) == 0
    assert await hub("diff", str(exported), "--check") == 0
    assert await hub("export", "--org", ORGNR) == 0
    assert [each["orgnr"] for each in hub.json()["municipalities"]] == [ORGNR]
    assert await hub("export", "--org", "999999999") == 1

    write(file, json.dumps(at("municipalities.0.grants", [])).encode())
    assert await hub("apply", str(file), "--why", "agreement ended", "--json") == 0
    assert [(each["id"], each["version"]) for each in hub.json()["changes"]] == [(f"grant.{VKP_ID}", 2)]
    # And back, from a file that knows nothing of versions.
    write(file, json.dumps(NEW_MUNICIPALITY).encode())
    assert await hub("apply", str(file), "--why", "agreement renewed", "--json") == 0
    assert [each["version"] for each in hub.json()["changes"]] == [3]


async def test_what_is_wrong_is_told_and_nothing_is_changed(hub: Hub, file: Path) -> None:
    write(file, json.dumps(at("municipalities.0.grants.0.vkpId", "nobody's")).encode())
    assert await hub("apply", str(file), "--why", "case 2026/115", "--json") == 1
    assert hub.json()["faults"][0]["field"] == "municipalities.0.grants.0.vkpId"
    assert await hub("apply", str(file), "--why", "case 2026/115") == 1
    assert "municipalities.0.grants.0.vkpId: there is no such system" in hub.err


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b'{"a":NaN}', b"[" * 100_000])
async def test_a_file_that_cannot_be_read_is_refused(hub: Hub, file: Path, body: bytes) -> None:
    write(file, body)
    assert await hub("diff", str(file)) == 1
    assert hub.err.startswith("hub: ")


async def test_wrong_use_ends_with_2(hub: Hub, file: Path) -> None:
    assert await hub("apply", str(file)) == 2
    assert await hub("diff") == 2
    assert await hub("apply", str(file), "--why", "") == 2


async def test_a_reason_that_names_a_person_is_refused(hub: Hub, file: Path) -> None:
    write(file, json.dumps({"systems": [{"vkpId": "another"}]}).encode())
    assert await hub("apply", str(file), "--why", "for 01880012345") == 1
    assert "01880012345" not in hub.out + hub.err


async def test_without_a_register_in_the_environment_it_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("Cosmos")
    assert await hub("export") == 1
    assert "Cosmos__accountEndpoint" in hub.err


async def test_a_file_that_is_not_there_is_told(hub: Hub, tmp_path: Path) -> None:
    assert await hub("diff", str(tmp_path / "none.json")) == 1
    assert "No such file" in hub.err
