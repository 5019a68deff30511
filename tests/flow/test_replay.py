"""What an EPJ refused is replayed when it is mended: in order, once, and without anybody opening a payload."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from sandbox.cli.main import main
from sandbox.hub_parts import ORGNR
from sandbox.stores import open_stores, timeline
from shared.clock import utc_now
from shared.registry.changes import change
from shared.registry.entries import entry_of
from shared.registry.keeping import Registry
from shared.registry.model import MUNICIPALITY_DOCUMENT, SYSTEMS, Municipality
from shared.registry.people import Access, Role
from tests.flow.hub import QUICK, World, until, world
from tests.flow.test_people_and_proofs import login
from tests.flow.test_trace import spans, told
from tests.messages import alarm

SETTINGS = {**QUICK, "ReplaySchedule": "*/1 * * * * *", "Replay__perSecond": "200", "TrailSchedule": "*/1 * * * * *"}
WHY = "the EPJ has been mended"


@dataclass(frozen=True)
class Operations:
    """A hub, and an operator of it."""

    hub: World
    operator: dict[str, str]
    monitor: dict[str, str]
    administrator: dict[str, str]

    async def get(self, path: str, who: dict[str, str] | None = None) -> tuple[int, Any]:
        """Ask as the operator, or somebody else."""
        headers = self.operator if who is None else who
        async with self.hub.http.get(f"{self.hub.api}/operations/{path}", headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def post(self, path: str, who: dict[str, str] | None = None, **body: object) -> tuple[int, Any]:
        """Order as the operator, or somebody else."""
        headers = self.operator if who is None else who
        async with self.hub.http.post(f"{self.hub.api}/operations/{path}", headers=headers, json=body) as answer:
            return answer.status, json.loads(await answer.read())

    async def group(self, cause: str) -> dict[str, Any] | None:
        """The municipality's group of this cause at its EPJ."""
        status, found = await self.get(f"set-aside?orgnr={ORGNR}&cause={cause}")
        assert status == 200, found
        return next(iter(found["groups"]), None)

    async def aside(self, cause: str, count: int) -> dict[str, Any]:
        """Wait until so many are set aside for this cause."""

        async def look() -> dict[str, Any] | None:
            group = await self.group(cause)
            return group if group is not None and group["count"] == count else None

        return await until(look, f"{count} messages to be set aside")

    async def replay(self, **wanted: object) -> dict[str, Any]:
        """Have a replay done, and wait for its end."""
        status, job = await self.post("replays", None, orgnr=ORGNR, dryRun=False, why=WHY, **wanted)
        assert status == 202, job

        async def ended() -> dict[str, Any] | None:
            _, found = await self.get(f"replays/{job['id']}")
            return found if found["state"] != "running" else None

        return await until(ended, "the replay to end")


@pytest.fixture(scope="module")
async def operations(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Operations]:
    async with world(tmp_path_factory.mktemp("replay"), SETTINGS) as hub:
        until_then = utc_now() + timedelta(days=1)
        async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
            operator = Access(SYSTEMS, "helseid:operator", frozenset({Role.OPERATOR}), until_then)
            monitor = Access(ORGNR, "helseid:monitor", frozenset({Role.MONITORING}), until_then)
            await stores.registry.put(operator.document(), SYSTEMS)
            administrator = Access(ORGNR, "helseid:administrator", frozenset({Role.ADMINISTRATION}), until_then)
            for access in (monitor, administrator):
                await stores.registry.put(access.document(), ORGNR)
        people = [await login(hub, subject=each) for each in ("operator", "monitor", "administrator")]
        yield Operations(hub, *people)


async def registered(hub: World) -> Municipality:
    """The municipality, as it is in the register."""
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        found = entry_of(await Registry(stores.registry).read(ORGNR, MUNICIPALITY_DOCUMENT))
    assert isinstance(found, Municipality)
    return found


async def register(hub: World, wanted: Municipality) -> None:
    """Change it, as `hub registry apply` does."""
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        kept = Registry(stores.registry)
        made = change(await kept.read(ORGNR, MUNICIPALITY_DOCUMENT), wanted, "code:test", WHY, utc_now())
        assert made is not None
        await kept.write(made)


async def test_what_was_refused_for_a_while_is_replayed_in_order_with_the_same_key(operations: Operations) -> None:
    hub = operations.hub
    bodies = [alarm(f"6000{number % 2}", text=f"nr {number}") for number in range(7)]
    await hub.behave("422")
    locations = [await hub.accepted(each) for each in bodies]
    group = await operations.aside("REC_HTTP_422", 7)
    assert (group["receiver"], group["atLeast"]) == ("epj", False)

    status, messages = await operations.get(f"set-aside/messages?orgnr={ORGNR}&receiver=epj", operations.monitor)
    assert status == 200
    assert {each["message"] for each in messages["messages"]} == {each.split("/")[-2] for each in locations}

    await hub.behave("ok")
    status, tried = await operations.post("replays", orgnr=ORGNR)
    assert (status, tried["count"], tried["oldest"]) == (200, 7, group["oldest"])
    assert (await operations.group("REC_HTTP_422")) is not None

    job = await operations.replay(cause="REC_HTTP_422")
    assert (job["state"], job["replayed"], job["code"]) == ("done", 7, None)
    arrived = [await hub.arrives(each) for each in bodies]
    keys = [location.split("/")[-2] + ".epj" for location in locations]
    assert [each["idempotencyKey"] for each in arrived] == keys
    for lane in (arrived[::2], arrived[1::2]):
        assert [each["seq"] for each in lane] == sorted(each["seq"] for each in lane)
    assert await operations.group("REC_HTTP_422") is None
    # Doing it again finds nothing more.
    assert (await operations.replay(cause="REC_HTTP_422"))["replayed"] == 0
    assert len([each for each in await hub.received() if each["idempotencyKey"] in keys]) == 7


async def test_a_group_that_fails_again_stops_itself(operations: Operations) -> None:
    hub = operations.hub
    await hub.behave("410")
    for number in range(8):
        await hub.accepted(alarm(f"6001{number}"))
    await operations.aside("REC_HTTP_410", 8)
    job = await operations.replay(cause="REC_HTTP_410")
    assert (job["state"], job["code"], job["replayed"], job["leftAside"]) == ("stopped", "HUB_FAILED_AGAIN", 5, 3)
    assert job["groups"] == [{"receiver": "epj", "cause": "REC_HTTP_410", "first": 5, "verdict": "failed"}]
    await operations.aside("REC_HTTP_410", 8)
    await hub.behave("ok")
    assert (await operations.replay(cause="REC_HTTP_410"))["replayed"] == 8
    assert await operations.group("REC_HTTP_410") is None


async def test_a_person_stops_a_replay_and_the_rest_stays_set_aside(
    operations: Operations, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = operations.hub
    await hub.behave("410")
    bodies = [alarm(f"6008{number}") for number in range(7)]
    for each in bodies:
        await hub.accepted(each)
    await operations.aside("REC_HTTP_410", 7)
    # Those that go first come to nothing for now, so the others wait for them.
    await hub.behave("503")
    _, job = await operations.post("replays", orgnr=ORGNR, cause="REC_HTTP_410", dryRun=False, why=WHY)

    async def first_are_back() -> bool:
        return bool((await operations.get(f"replays/{job['id']}"))[1]["replayed"] == 5)

    await until(first_are_back, "the first of the group to be back in line")
    stop = f"replays/{job['id']}/stop"
    assert (await operations.post(stop, operations.monitor, why="curious"))[0] == 403
    assert (await operations.post(stop))[0] == 422

    async def command(*arguments: str) -> int:
        capsys.readouterr()
        return await asyncio.to_thread(main, ["replay", *arguments, "--data", str(hub.hub.folder)])

    assert await command("--stop", job["id"]) == 2
    assert await command("--stop", job["id"], "--why", "the wrong cause", "--cause", "REC_HTTP_410") == 2
    assert await command("--stop", "0a0a0a", "--why", "the wrong cause") == 1
    assert await command("--stop", job["id"], "--why", "the wrong cause", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["code"], told["replayed"]) == ("stopped", "HUB_REPLAY_STOPPED", 5)
    # Once more it is as it is.
    assert await operations.post(stop, operations.administrator, why="the wrong cause") == (200, told)
    assert await command("--stop", job["id"], "--why", "the wrong cause") == 0
    assert "A person has stopped it" in capsys.readouterr().out

    await hub.behave("ok")
    await operations.aside("REC_HTTP_410", 2)
    assert (await operations.replay(cause="REC_HTTP_410"))["replayed"] == 2
    for each in bodies:
        await hub.arrives(each)

    async def logged() -> bool:
        headers = {**operations.administrator, "Content-Type": "application/x-www-form-urlencoded"}
        form = "subtype=replay-stopped"
        async with hub.http.post(f"{hub.api}/trail/_search", data=form, headers=headers) as answer:
            found = (await answer.json(content_type=None)).get("entry", [])
        return len(found) == 1 and all(each in json.dumps(found) for each in (job["id"], "the wrong cause"))

    await until(logged, "the stop to be in the log, once")


async def test_a_message_is_withdrawn_and_restored_while_its_receiver_is_away(operations: Operations) -> None:
    hub = operations.hub
    first, second = alarm("60021", text="nr 1"), alarm("60021", text="nr 2")
    await hub.behave("503")
    away = await hub.accepted(first)
    await hub.reaches(away, "waiting")
    behind = await hub.accepted(second)
    await hub.reaches(behind, "routed")
    id = behind.split("/")[-2]
    status, told = await operations.post(f"messages/{id}/withdraw", why="sent by mistake")
    assert (status, told["state"]) == (200, "withdrawn"), told
    assert (await operations.post(f"messages/{id}/withdraw", why="sent by mistake"))[0] == 200
    status, told = await operations.post(f"messages/{id}/restore", why="not by mistake after all")
    assert (status, told["state"]) == (200, "routed"), told
    await hub.behave("ok")
    arrived = [await hub.arrives(each) for each in (first, second)]
    assert arrived[0]["seq"] < arrived[1]["seq"]
    await hub.reaches(behind, "delivered")
    status, refused = await operations.post(f"messages/{id}/withdraw", why="too late")
    assert (status, refused["issue"][0]["details"]["coding"][1]["code"]) == (409, "SEND_MESSAGE_STATE")


async def test_what_had_no_receiver_is_replayed_when_there_is_one(operations: Operations) -> None:
    hub = operations.hub
    before = await registered(hub)
    await register(hub, replace(before, receivers=()))
    bodies = [alarm("60061", text=f"nr {number}") for number in range(3)]

    probes = count(60_062_000)

    async def nobody_gets_it() -> bool:
        # One that was routed before the change was known there waits for its receiver until that is back.
        probe = await hub.accepted(alarm(f"{next(probes)}"))
        return bool((await hub.reaches(probe, "quarantined", "delivered", "waiting"))["state"] == "quarantined")

    await until(nobody_gets_it, "every instance to know that there is no receiver")
    locations = [await hub.accepted(each) for each in bodies]
    for each in locations:
        # At once: that nobody is there to get it is known when it is accepted.
        status = await hub.vendor.status(each)
        assert (status["state"], status["routed"], status["receivers"]) == ("quarantined", None, [])
        assert status["failed"] == status["registered"]
    assert await stations(hub, locations[0]) == [("received", ""), ("quarantined", "HUB_NO_RECEIVER")]
    group = await operations.group("HUB_NO_RECEIVER")
    assert group is not None
    assert group["receiver"] is None
    await register(hub, before)

    async def somebody_gets_it() -> bool:
        probe = await hub.accepted(alarm(f"{next(probes)}"))
        return bool((await hub.reaches(probe, "quarantined", "delivered"))["state"] == "delivered")

    await until(somebody_gets_it, "every instance to know that there is a receiver")
    ids = [each.split("/")[-2] for each in locations]
    # What nobody has got can be withdrawn, and that taken back.
    assert (await operations.post(f"messages/{ids[1]}/withdraw", None, why=WHY))[1]["state"] == "withdrawn"
    assert (await operations.post(f"messages/{ids[1]}/restore", None, why=WHY))[0] == 200
    await hub.reaches(locations[1], "delivered")
    ids, bodies = [ids[0], ids[2]], [bodies[0], bodies[2]]
    assert (await operations.replay(cause="HUB_NO_RECEIVER", ids=ids))["state"] == "done"
    arrived = [await hub.arrives(each) for each in bodies]
    assert [each["seq"] for each in arrived] == sorted(each["seq"] for each in arrived)
    assert [each["calls"] for each in arrived] == [1, 1]
    await hub.reaches(locations[0], "delivered")
    assert await stations(hub, locations[0]) == [
        ("received", ""), ("quarantined", "HUB_NO_RECEIVER"), ("received", "HUB_REPLAYED"), ("routed", ""),
        ("delivered", ""),
    ]  # fmt: skip
    # Its road is one trace still, and goes by the station where it is found out who gets it.
    story = await told(hub, ids[0], "HUB-1001", "HUB-2001", "HUB-3001")
    found = [each.span for each in spans(story.roots)]
    assert [each["name"] for each in found] == ["accept", "route", "deliver", "epj call"]
    assert [each["parentSpanId"] for each in found[1:]] == [each["spanId"] for each in found[:-1]]
    assert len(story.traces) == 1


async def stations(hub: World, location: str) -> list[tuple[str, str]]:
    """Where a message has been, and why."""
    addresses = hub.hub.addresses
    found = await timeline(addresses.cosmos, addresses.database, location.split("/")[-2])
    return [(each.station, each.detail) for each in found]


async def test_a_receivers_words_are_shown_only_to_whom_the_log_names_before(operations: Operations) -> None:
    hub = operations.hub
    await hub.behave("422")
    location = await hub.accepted(alarm("60071"))
    await operations.aside("REC_HTTP_422", 1)
    await hub.behave("ok")
    id = location.split("/")[-2] + ".epj"
    why = {"purpose": "HOPERAT", "reference": "case-2026-114"}
    status, found = await operations.post("set-aside/words", None, id=id, **why)
    assert status == 200, found
    assert "The journal was told to answer with this status." in found["words"]
    assert (await operations.post("set-aside/words", operations.monitor, id=id, **why))[0] == 403
    assert (await operations.post("set-aside/words", None, id=id, purpose="HOPERAT"))[0] == 422

    async def logged() -> bool:
        headers = {**operations.administrator, "Content-Type": "application/x-www-form-urlencoded"}
        form = f"subtype=payload-look&message-id={location.split('/')[-2]}"
        async with hub.http.post(f"{hub.api}/trail/_search", data=form, headers=headers) as answer:
            return "case-2026-114" in await answer.text()

    await until(logged, "the look to be in the log")
    assert (await operations.replay(cause="REC_HTTP_422"))["state"] == "done"


async def test_one_command_shows_what_is_set_aside_and_replays_it(
    operations: Operations, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = operations.hub
    await hub.behave("400")
    bodies = [alarm(f"6005{number}") for number in range(2)]
    for each in bodies:
        await hub.accepted(each)
    await operations.aside("REC_HTTP_400", 2)
    await hub.behave("ok")

    async def command(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        all_of_it = [*arguments, "--cause", "REC_HTTP_400", "--json", "--data", str(hub.hub.folder)]
        status = await asyncio.to_thread(main, all_of_it)
        return status, json.loads(capsys.readouterr().out or "{}")

    shown, listed = await command("aside"), await command("aside", "--list", "--receiver", "epj")
    assert [each["count"] for each in shown[1]["groups"]] == [2]
    assert len(listed[1]["messages"]) == 2
    tried = await command("replay")
    assert (tried[0], tried[1]["dryRun"], tried[1]["count"]) == (0, True, 2)
    assert (await command("replay", "--go"))[0] == 2
    one = await command("replay", "--go", "--why", WHY, "--id", listed[1]["messages"][0]["id"])
    assert (one[0], one[1]["replayed"]) == (0, 1)
    rest = await command("replay", "--go", "--why", WHY)
    assert (rest[0], rest[1]["replayed"]) == (0, 1)
    for each in bodies:
        await hub.arrives(each)


async def test_who_and_why_are_in_the_municipalitys_log(operations: Operations) -> None:
    hub = operations.hub
    await hub.behave("404")
    location = await hub.accepted(alarm("60031"))
    await operations.aside("REC_HTTP_404", 1)
    await hub.behave("ok")
    job = await operations.replay(cause="REC_HTTP_404")
    await hub.reaches(location, "delivered")
    headers = {**operations.administrator, "Content-Type": "application/x-www-form-urlencoded"}

    async def look() -> list[str] | None:
        form = "subtype=replayed"
        async with hub.http.post(f"{hub.api}/trail/_search", data=form, headers=headers) as answer:
            found = json.dumps((await answer.json(content_type=None)).get("entry", []))
        said = [job["id"], WHY, "helseid:operator", location.split("/")[-2]]
        return said if all(each in found for each in said) else None

    await until(look, "the replay and its message to be in the log")


async def test_whoever_may_not_learns_nothing(operations: Operations) -> None:
    hub = operations.hub
    body = alarm("60041")
    location = await hub.accepted(body)
    await hub.arrives(body)
    id = location.split("/")[-2]
    stranger = await login(hub, subject="stranger")
    made_up = id[:-1] + ("a" if id[-1] != "a" else "b")
    theirs = await operations.post(f"messages/{id}/withdraw", stranger, why="curious")
    nothing = await operations.post(f"messages/{made_up}/withdraw", stranger, why="curious")
    assert theirs == nothing
    assert theirs[0] == 404
    assert (await operations.get(f"set-aside?orgnr={ORGNR}", stranger))[0] == 404
    assert (await operations.post("replays", operations.monitor, orgnr=ORGNR))[0] == 403
    assert (await operations.get("set-aside", operations.monitor))[0] == 200
