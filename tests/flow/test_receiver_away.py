"""A receiver that is dead, or whose deliveries are stopped: what waits, what does not, and that it all arrives."""

import asyncio
import json
from collections.abc import AsyncIterator
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
from shared.registry.model import Municipality
from shared.registry.traffic import OPEN, Stop, Traffic
from tests.flow.hub import QUICK, World, until, world
from tests.messages import alarm_json

PARKED = "HUB-3006"

_patients = count(47_000)


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A hub of its own: its only receiver is away for a while. Nothing but waking wakes."""
    settings = {**QUICK, "Delivery__schedule": "0.3 0.5 1 600", "WakingSchedule": "* * * * * *"}
    async with world(tmp_path_factory.mktemp("away"), settings) as running:
        yield running


@pytest.fixture(scope="module")
async def registry(hub: World) -> AsyncIterator[Registry]:
    """The register, as those see it who change it."""
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        yield Registry(stores.registry)


def message(severity: str) -> bytes:
    """About a patient of its own."""
    found: dict[str, Any] = alarm_json(str(next(_patients)))
    found["entry"][1]["resource"]["severity"] = severity
    return json.dumps(found).encode()


async def set_traffic(registry: Registry, traffic: Traffic) -> None:
    document = await registry.read(ORGNR, "municipality")
    municipality = entry_of(document)
    assert isinstance(municipality, Municipality)
    made = change(document, replace(municipality, traffic=traffic), "code:a test", "the EPJ is upgraded", utc_now())
    assert made is not None
    await registry.write(made)


async def test_routine_messages_wait_for_a_dead_receiver_and_all_come_when_a_prompt_one_gets_through(
    hub: World,
) -> None:
    await hub.behave("500")
    first = [message("high") for _ in range(3)]
    places = [await hub.accepted(each) for each in first]
    for each in places:
        await hub.reaches(each, "waiting")
    later = [message("low") for _ in range(12)]
    places = [await hub.accepted(each) for each in later]

    async def opened() -> bool | None:
        return "HUB-3301" in log(hub) or None

    await until(opened, "the breaker to open")
    await hub.behave("ok")
    got = await asyncio.gather(*(hub.arrives(each, 30) for each in first + later))
    assert len({each["idempotencyKey"] for each in got}) == 15
    for each in places:
        await hub.reaches(each, "delivered")
    assert "HUB-3302" in log(hub)


async def test_a_stopped_receiver_gets_nothing_and_everything_when_it_is_opened(hub: World, registry: Registry) -> None:
    await set_traffic(registry, Traffic(deliveries={"epj": Stop(reason="upgrade")}))

    async def known() -> bool:
        # What is tried while the register's entry from before is still trusted gets through.
        parked, probe = log(hub).count(PARKED), await hub.accepted(message("low"))

        async def settled() -> str | None:
            if log(hub).count(PARKED) > parked:
                return "parked"
            return "delivered" if (await hub.vendor.status(probe))["state"] == "delivered" else None

        return await until(settled, "a probe to be parked or delivered") == "parked"

    await until(known, "the hub to know of the stop")
    before, parked = len(await hub.received()), log(hub).count(PARKED)
    messages = [message("high"), message("low"), message("low")]
    for each in messages:
        await hub.accepted(each)

    async def all_parked() -> bool | None:
        return log(hub).count(PARKED) >= parked + len(messages) or None

    await until(all_parked, "every message to be parked")
    assert len(await hub.received()) == before
    await set_traffic(registry, OPEN)
    # Whoever wakes may know of it before those who deliver do: then they park what they were woken for, and it is woken
    # again half a minute later.
    await asyncio.gather(*(hub.arrives(each) for each in messages))


def log(hub: World) -> str:
    """What the hub's processes have logged."""
    return "".join(each.read_text(encoding="utf-8") for each in (hub.hub.folder / "logs").glob("*.log"))
