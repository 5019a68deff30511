"""Receivers that want to know who is calling, and two that behave differently, with the whole hub before them."""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from sandbox.hub_parts import ORGNR
from sandbox.stores import open_stores
from shared.clock import utc_now
from shared.registry.changes import change
from shared.registry.entries import entry_of
from shared.registry.keeping import Registry
from shared.registry.model import MUNICIPALITY_DOCUMENT, Municipality, Receiver
from shared.registry.reaching import Auth
from tests.flow.hub import QUICK, World, until, world
from tests.messages import alarm

KEY = "canary-key-of-the-receiver"
SETTINGS = {
    **QUICK,
    f"Secret__{ORGNR}_EPJ": json.dumps({"apiKey": {"header": "X-Api-Key", "value": KEY}}),
}


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A hub that was given a receiver's secret."""
    async with world(tmp_path_factory.mktemp("receivers"), SETTINGS) as running:
        yield running


async def receivers(hub: World, wanted: Iterable[Receiver]) -> None:
    """Let the municipality have these, and wait until the hub knows."""
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        registry = Registry(stores.registry)
        current = await registry.read(ORGNR, MUNICIPALITY_DOCUMENT)
        entry = entry_of(current)
        assert isinstance(entry, Municipality)
        made = change(current, replace(entry, receivers=tuple(wanted)), "code:test", "shows receivers", utc_now())
        assert made is not None
        await registry.write(made)


_PROBES = count(40_003_000)


async def waits_for(hub: World, location: str, reason: str) -> None:
    """Wait until the message waits for this."""

    async def look() -> bool | None:
        status = await hub.vendor.status(location)
        return any(each.get("reason") == reason for each in status["receivers"]) or None

    await until(look, f"the message to wait for {reason}")


async def tried(hub: World, body: bytes) -> list[dict[str, Any]]:
    """What became of the first try of a message, by receiver."""
    location = await hub.accepted(body)

    async def look() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = (await hub.vendor.status(location))["receivers"]
        return found if found and all(each.get("attempts") for each in found) else None

    return await until(look, "a first try")


async def test_a_secret_that_is_missing_holds_messages_up_and_loses_none(hub: World) -> None:
    url = f"{hub.hub.addresses.epj}/fhir/{ORGNR}/keyed"
    async with hub.http.post(
        f"{hub.hub.addresses.epj}/demand",
        json={"path": f"/fhir/{ORGNR}/keyed", "what": "apiKey", "header": "X-Api-Key", "value": KEY},
    ) as answer:
        assert answer.status == 200
    lacking = Receiver("epj", url, auth=Auth.API_KEY, credentials=f"{ORGNR}-nothing")
    await receivers(hub, [lacking])

    async def known() -> bool:
        # The register is trusted for a second: until then messages go to where they went before.
        # Each about somebody else: behind one that waits, another would not be tried.
        return (await tried(hub, alarm(f"{next(_PROBES)}")))[0].get("reason") == "HUB_SECRET_MISSING"

    await until(known, "the hub to know of the receiver")
    first, second = alarm("40001"), alarm("40001")
    location = await hub.accepted(first)
    await hub.accepted(second)
    await waits_for(hub, location, "HUB_SECRET_MISSING")
    await receivers(hub, [replace(lacking, credentials=f"{ORGNR}-epj")])
    await hub.reaches(location, "delivered", "journaled")
    assert (await hub.arrives(first))["seq"] < (await hub.arrives(second))["seq"]
    assert {each["path"] for each in (await hub.got(first), await hub.got(second)) if each} == {f"/fhir/{ORGNR}/keyed"}


async def test_a_receiver_that_is_down_holds_up_no_other_for_the_same_patient(hub: World) -> None:
    epj = hub.hub.addresses.epj
    await receivers(hub, [Receiver(id, f"{epj}/fhir/{ORGNR}/{id}") for id in ("one", "two")])
    await hub.behave("500", path=f"/fhir/{ORGNR}/one")

    async def both() -> bool:
        return len(await tried(hub, alarm(f"{next(_PROBES)}"))) == 2

    await until(both, "messages to have two receivers")
    body = alarm("40002")
    location = await hub.accepted(body)
    await waits_for(hub, location, "REC_HTTP_500")

    async def there() -> bool:
        got = await hub.got(body)
        return got is not None and got["path"] == f"/fhir/{ORGNR}/two"

    await until(there, "the message to arrive at the receiver that is well")
    assert not any(each["path"].endswith("/one") for each in await hub.received())
    await hub.behave("ok", path=f"/fhir/{ORGNR}/one")
    await hub.reaches(location, "delivered", "journaled")
