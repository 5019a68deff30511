"""`hub trail verify` and `hub trail purge`, over a hub's documents from the first station to the report."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient

from sandbox.cli.main import main
from sandbox.cosmos import serve
from sandbox.stores import open_stores
from sandbox.topology import load
from shared.azure import trail_settings
from shared.azure.settings import CosmosSettings
from shared.azure.trail_parts import TrailParts
from shared.clock import utc_now
from shared.trail.chain import month_of
from shared.trail.refusals import Refusal
from tests.wire.trail.messages import event_of, travel

ORGNR = "310000019"
POLICY = "standard/1 station=30 disclosure=30 look=30 rights=30"


@dataclass(frozen=True)
class Place:
    """A hub's documents and its trail, and the settings that lead there."""

    parts: TrailParts
    raw: ContainerProxy
    environment: Mapping[str, str]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with serve(tmp_path / "cosmos", load()) as served:
        environment = {
            "Cosmos": served.connection_string,
            "Cosmos__database": load().database,
            "Checkpoints__key": base64.b64encode(b"k" * 32).decode(),
            "Trail__longestDelay": "1",
            "Trail__retention": POLICY,
        }
        async with (
            open_stores(served.connection_string, load().database) as stores,
            TrailParts(trail_settings.load(environment), CosmosSettings.model_validate(environment)) as parts,
            CosmosClient(served.endpoint, served.key) as client,
        ):
            at = utc_now() - timedelta(seconds=5)
            await travel(stores, event_of(ORGNR, 0, at), at)
            refusal = Refusal(at, "SEND_PROFILE", 422, (), ORGNR, "bundle", "c", "v", None)
            await stores.refusals.put(refusal.document(), refusal.document()["period"])
            raw = client.get_database_client("knutepunkt-trail").get_container_client("trail")
            yield Place(parts, raw, environment)


async def run(place: Place, monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    return await asyncio.to_thread(main, ["trail", *argv, "--environment", "--json"])


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


async def test_a_trail_is_verified_from_stations_to_checkpoints_and_tampering_is_an_exit_code(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(place, monkeypatch, "verify") == 1
    before = told(capsys)
    assert {each["fault"] for each in before["findings"]} == {"never-written"}
    progress = await place.parts.sequencer.tick()
    assert (progress.written, progress.unreadable) == (7, 0)
    await place.parts.seal()
    assert await run(place, monkeypatch, "verify") == 0
    report = told(capsys)
    # The first verification's own entry is in the hub's chain: its genesis, itself, the heartbeat.
    assert (report["chains"], report["entries"], report["unprotected"]) == (2, 7 + 3, 0)
    assert report["reconciled"] == 6
    assert await run(place, monkeypatch, "verify", "--quick", "--witness", report["witness"]) == 0
    assert told(capsys)["unprotected"] == 1

    chain = f"{ORGNR}:{month_of(utc_now())}"
    await place.raw.delete_item(f"{chain}:0000000003", chain)
    assert await run(place, monkeypatch, "verify", "--from", month_of(utc_now())) == 1
    faults = {each["fault"] for each in told(capsys)["findings"]}
    assert faults == {"entry-missing", "never-written"}
    assert await run(place, monkeypatch, "purge") == 1
    assert "evidence" in capsys.readouterr().err


async def test_purging_without_an_approver_tells_and_does_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await place.parts.sequencer.tick()
    await place.parts.seal()
    assert await run(place, monkeypatch, "purge") == 0
    assert told(capsys) == {"done": False, "purged": []}
    later = TrailParts(
        place.parts.settings,
        CosmosSettings.model_validate(dict(place.environment)),
        lambda: utc_now() + timedelta(days=31),
    )
    async with later as parts:
        assert [each.what for each in await parts.purge(None)] == ["bodies"]
        (done,) = await parts.purge("sub-1")
        assert (done.what, done.count) == ("bodies", 6)
        report = await parts.verify(lambda *_: None)
        assert {each.fault.value for each in report.findings} == {"checkpoints-stopped"}
        assert report.purged == 6
        # Purged, but not forgotten: nothing is written a second time.
        assert (await parts.sequencer.tick()).written <= 1


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("Trail__retention", "standard station=1", "Trail__retention"),
        ("Checkpoints__key", "AAAA", "Checkpoints__key"),
        ("Checkpoints__publicKeys", "x", "Checkpoints__publicKeys"),
    ],
)
async def test_a_setting_that_cannot_be_meant_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv("Cosmos", "AccountEndpoint=http://127.0.0.1:1/;AccountKey=AAAA;")
    monkeypatch.setenv(name, value)
    assert await asyncio.to_thread(main, ["trail", "verify", "--environment"]) == 1
    assert complaint in capsys.readouterr().err


async def test_a_verifier_that_trusts_no_key_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("Cosmos", "AccountEndpoint=http://127.0.0.1:1/;AccountKey=AAAA;")
    assert await asyncio.to_thread(main, ["trail", "verify", "--environment"]) == 1
    assert "Checkpoints__publicKeys" in capsys.readouterr().err
