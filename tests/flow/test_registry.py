"""Two instances of the app over one register: what a municipality withdraws works nowhere ten seconds later."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import jwt
import pytest

from sandbox import hub_parts, ports, process
from sandbox.cli.main import main
from sandbox.helseid.entra import OPERATOR
from sandbox.hub_folder import Addresses
from sandbox.hub_parts import APP, ORGNR
from sandbox.stores import open_stores
from sandbox.vendor import Vendor, vendor
from shared.clock import utc_now
from shared.registry.changes import change
from shared.registry.entries import entry_of
from shared.registry.keeping import Registry
from shared.registry.model import Grant, grant_id
from tests.flow.hub import QUICK, World, until, world
from tests.flow.test_entra import entra_login
from tests.messages import alarm

EVERYWHERE_WITHIN_S = 10.0
SETTINGS = {**QUICK, "Registry__cache": "5"}


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A hub whose register is trusted for as long as in production."""
    async with world(tmp_path_factory.mktemp("registry"), SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
async def instances(hub: World) -> AsyncIterator[tuple[Vendor, Vendor]]:
    """The vendor that may send, at two instances of the app that share everything but their memory."""
    addresses = hub.hub.addresses
    async with (
        _second_instance(hub.hub.folder, addresses) as api,
        vendor(api, addresses.helseid, "trygghetsvakt", addresses.clients["trygghetsvakt"].key_file) as there,
    ):
        yield hub.vendor, there


@pytest.fixture(scope="module")
async def registry(hub: World) -> AsyncIterator[Registry]:
    """The register, as those see it who change it."""
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        yield Registry(stores.registry)


@asynccontextmanager
async def _second_instance(folder: Path, addresses: Addresses) -> AsyncIterator[str]:
    """Another process of the app's HTTP functions, with the first one's settings."""
    facts = {
        "servicebus": {"connectionString": addresses.servicebus},
        "cosmos": {"connectionString": addresses.cosmos, "appConnectionString": addresses.cosmos},
        "helseid": {"issuer": addresses.helseid, "audience": addresses.audience},
    }
    port = ports.choose(set())
    settings = hub_parts.app_settings(folder, port, facts, {}, SETTINGS)
    (first,) = (each for each in hub_parts.app_parts(folder, {APP: port, "queues": 0}, settings) if each.name == APP)
    part = replace(first, name="second", folder=folder / "second")
    child = await process.start(part, folder / "logs" / "second.log", process.READY_WITHIN_S)
    try:
        assert child.pid != os.getpid()
        yield str(child.facts["url"])
    finally:
        await child.end(10.0)


async def _statuses(instances: tuple[Vendor, Vendor]) -> set[int]:
    answers = await asyncio.gather(*(each.send(ORGNR, "bundle", alarm()) for each in instances))
    return {each.status for each in answers}


async def _set(registry: Registry, vkp_id: str, wanted: Grant | None) -> None:
    current = await registry.read(ORGNR, grant_id(vkp_id))
    made = change(current, wanted, "code:test", "shows what a withdrawal does", utc_now())
    assert made is not None
    await registry.write(made)


async def test_a_removed_grant_stops_the_next_call_at_every_instance_within_ten_seconds(
    hub: World, instances: tuple[Vendor, Vendor], registry: Registry
) -> None:
    (vkp_id,) = hub_parts.GRANTED
    grant = entry_of(await registry.read(ORGNR, grant_id(vkp_id)))
    assert isinstance(grant, Grant)
    # Both have looked, and trust what they saw.
    assert await _statuses(instances) == {202}

    await _set(registry, vkp_id, None)

    async def stopped() -> bool | None:
        return await _statuses(instances) == {403} or None

    await until(stopped, "both instances to refuse", EVERYWHERE_WITHIN_S)
    # And it stays so: no instance goes back to what it saw before.
    for _ in range(5):
        assert await _statuses(instances) == {403}

    await _set(registry, vkp_id, grant)

    async def open_again() -> bool | None:
        return await _statuses(instances) == {202} or None

    await until(open_again, "both instances to accept again", EVERYWHERE_WITHIN_S)
    histories = await registry.history(ORGNR)
    assert [each["who"] for each in histories.documents[:2]] == ["code:test"] * 2


async def test_a_revoked_key_lets_nobody_in_at_any_instance_within_ten_seconds(
    hub: World, instances: tuple[Vendor, Vendor]
) -> None:
    assert await _statuses(instances) == {202}
    kid = jwt.get_unverified_header(await hub.vendor.token())["kid"]
    operator = await entra_login(hub, roles=[OPERATOR])

    async def change(kids: list[str], **condition: str) -> int:
        body = {"why": "shows what the kill switch does", "entry": {"kids": kids}}
        headers = {**operator, **{name.replace("_", "-"): value for name, value in condition.items()}}
        async with hub.http.put(f"{hub.api}/registry/revoked-keys", json=body, headers=headers) as answer:
            return answer.status

    # In any letter case: a slip in one must not leave a stolen key in force.
    assert await change([kid.lower()], If_None_Match="*") == 201

    async def stopped() -> bool | None:
        return await _statuses(instances) == {401} or None

    await until(stopped, "both instances to refuse", EVERYWHERE_WITHIN_S)
    for _ in range(5):
        assert await _statuses(instances) == {401}

    assert await change([], If_Match='"1"') == 200

    async def open_again() -> bool | None:
        return await _statuses(instances) == {202} or None

    await until(open_again, "both instances to accept again", EVERYWHERE_WITHIN_S)
    async with hub.http.get(f"{hub.api}/registry/history", headers=operator) as answer:
        histories = (await answer.json())["entries"]
    assert [each["of"] for each in histories[:2]] == ["revoked-keys"] * 2
    assert histories[1]["changes"] == [{"field": "kids", "before": None, "after": [kid.lower()]}]
    assert all(each["who"].startswith("entra:") for each in histories[:2])


async def test_the_running_hubs_register_is_exported_and_applied_again_with_no_change(
    hub: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "register.json")
    data = ["--data", str(hub.hub.folder)]

    async def command(*arguments: str) -> int:
        return await asyncio.to_thread(main, ["registry", *arguments, *data])

    assert await command("export", file) == 0
    assert await command("diff", file, "--check") == 0
    assert await command("apply", file, "--why", "nothing new", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"changes": [], "faults": []}
