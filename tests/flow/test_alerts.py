"""People are told, over the whole hub: the EPJ breaks, an alarm waits, each way brings one notice and one more at the
end; and the numbers say what happened."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.cli import alerts, summary
from sandbox.hub_parts import ORGNR
from sandbox.stores import open_stores
from shared.clock import utc_now
from shared.registry.people import Access, Role
from tests.flow.hub import QUICK, World, until, world
from tests.flow.test_people_and_proofs import SUBJECT, get, login
from tests.messages import alarm

ALARM_AFTER_S = 2.0
LATE = f"alarm-late.{ORGNR}.epj"
"""Late at its receiver. On a slow machine the hub itself may be late before that, and is told of too."""
SETTINGS = {
    **QUICK,
    "Alerts__alarmAfter": str(ALARM_AFTER_S),
    "Alerts__wellAfter": "1",
    "WatchSchedule": "* * * * * *",
    "NoticesSchedule": "* * * * * *",
}


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A hub that loses patience sooner."""
    async with world(tmp_path_factory.mktemp("alerts"), settings=SETTINGS) as running:
        yield running


async def arrived(hub: World, what: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Way, id and body of the notices that came of something, in order."""
    async with hub.http.get(f"{hub.hub.addresses.alerts}/received") as answer:
        found = await answer.json()
    assert all(each["verified"] for each in found)
    return [(each["channel"], each["id"], each["body"] or {}) for each in found if each["id"].startswith(what)]


async def comes(hub: World, what: str, count: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Wait until so many of them have come."""

    async def look() -> list[tuple[str, str, dict[str, Any]]]:
        found = await arrived(hub, what)
        return found if len(found) >= count else []

    return await until(look, f"{count} notices of {what}")


async def test_an_alarm_that_is_not_delivered_is_told_of_by_two_ways_and_once_more_when_it_is(hub: World) -> None:
    await hub.behave("500")
    body = alarm()
    accepted = datetime.now(UTC)
    await hub.accepted(body)
    first = await comes(hub, LATE, 2)
    assert datetime.now(UTC) - accepted >= timedelta(seconds=ALARM_AFTER_S)
    (webhook,) = [each for way, _, each in first if way == "webhook"]
    assert (webhook["data"]["orgnr"], webhook["data"]["waiting"], webhook["data"]["state"]) == (ORGNR, 1, "broken")
    assert {way for way, _, _ in first} == {"webhook", "mail"}

    await hub.behave("ok")
    await hub.arrives(body)
    both = await comes(hub, LATE, 4)
    assert [each["data"]["state"] for way, _, each in both if way == "webhook"] == ["broken", "well"]
    assert len({id for _, id, _ in both}) == 2


async def test_the_summary_tells_a_municipality_what_came_of_its_messages(hub: World) -> None:
    access = Access(ORGNR, f"helseid:{SUBJECT}", frozenset({Role.MONITORING}), utc_now() + timedelta(days=1))
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        await stores.registry.put(access.document(), ORGNR)
    headers = await login(hub)
    body = alarm()
    await hub.accepted(body)
    await hub.arrives(body)

    async def look() -> dict[str, Any] | None:
        status, found = await get(hub, "/operations/summary", headers)
        assert status == 200, found
        taken = [each for each in found["lastHour"]["receivers"] if each["taken"]]
        return found if taken and found["lastHour"]["accepted"]["prompt"] else None

    found = await until(look, "the last hour's numbers to be written down")
    (taken,) = [each for each in found["lastHour"]["receivers"] if each["class"] == "prompt"]
    assert (taken["orgnr"], taken["receiver"]) == (ORGNR, "epj")
    assert 0 < taken["endToEndSeconds"]["p50"] < 60
    assert "refused" not in found["lastHour"]


async def test_the_commands_say_the_same(hub: World, capsys: pytest.CaptureFixture[str]) -> None:
    for command, options in ((summary, {"org": None}), (alerts, {"full": True})):
        for as_json in (True, False):
            args = argparse.Namespace(data=hub.hub.folder, json=as_json, **options)
            assert await asyncio.to_thread(command.run, args) == 0
            said = capsys.readouterr().out
            assert said
            if as_json:
                assert isinstance(json.loads(said), dict)
    assert "notices" in said
