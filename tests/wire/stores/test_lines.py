"""Lines of outbound lanes over the real Cosmos SDK: two classes, two queues, and what holds a line up."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from shared.messages.deliveries import LOOK_AT_BLOCKED
from shared.messages.documents import Change, Patch
from shared.messages.lanes import line_id
from shared.messages.lifecycle import State, Step
from shared.messages.model import Delivery
from shared.messages.tries import Elsewhere, Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.messages.worklist import Joined
from tests.wire.stores import coming
from tests.wire.stores.coming import (
    GRACE,
    HOUR,
    ORGNR,
    PROMPT,
    ROUTINE,
    SECOND,
    SILENCE,
    T0,
    Stores,
    come,
    event_of,
    opened,
    stores_over,
)

_numbers = count()


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    """Stores over a Cosmos endpoint of their own."""
    async with opened(tmp_path_factory.mktemp("lines")) as cosmos:
        yield stores_over(cosmos)


@pytest.fixture
def patient() -> str:
    """A patient, and so a lane, that no other test has."""
    return f"patient{next(_numbers)}"


def delivery_of(patient: str, number: int, urgency: Urgency = ROUTINE, at: datetime = T0) -> Delivery:
    """The delivery of a message to its one receiver."""
    return coming.delivery_of(event_of(patient, number, urgency, at))


async def joins(stores: Stores, delivery: Delivery) -> Joined:
    """A message is accepted, and so stands in its receiver's line."""
    joined = await come(stores, delivery.event)
    assert joined is not None
    return joined[0]


async def begun(stores: Stores, delivery: Delivery, by: Urgency = ROUTINE, at: datetime = T0) -> Try:
    """Begin a try that can be begun."""
    found = await stores.deliveries.begin(delivery.lane, by, at, SILENCE)
    assert isinstance(found, Try)
    return found


async def line(stores: Stores, delivery: Delivery) -> dict[str, object]:
    """The lane's line."""
    found = await stores.deliveries.line(delivery.lane)
    assert found is not None
    return found


async def test_a_line_knows_how_many_wait_how_urgent_and_since_when(stores: Stores, patient: str) -> None:
    first, second = delivery_of(patient, 1), delivery_of(patient, 2, PROMPT, T0 + SECOND)
    assert await joins(stores, first) is Joined.FIRST
    assert await joins(stores, second) is Joined.BEHIND
    found = await line(stores, first)
    assert (found["waiting"], found["prompts"], found["key"]) == (2, 1, f"{ORGNR}/epj")
    assert found["since"] == first.work()["receivedAt"]
    await stores.deliveries.end(await begun(stores, first), Step.DELIVER, Outcome(T0))
    found = await line(stores, first)
    assert (found["waiting"], found["prompts"], found["since"]) == (1, 1, second.work()["receivedAt"])
    await stores.deliveries.end(await begun(stores, second), Step.DELIVER, Outcome(T0))
    found = await line(stores, first)
    assert (found["waiting"], found["prompts"], found["since"], found["due"]) == (0, 0, None, None)


async def test_who_joins_behind_others_does_not_move_the_lines_next_step(stores: Stores, patient: str) -> None:
    first = delivery_of(patient, 1)
    await joins(stores, first)
    await stores.deliveries.wait(await begun(stores, first), Outcome(T0, "REC_HTTP_503"), T0 + HOUR, None)
    before = (await line(stores, first))["due"]
    await joins(stores, delivery_of(patient, 2))
    assert (await line(stores, first))["due"] == before


async def test_an_alarm_lets_the_head_be_tried_at_once_by_a_schedule_that_begins_anew(
    stores: Stores, patient: str
) -> None:
    first = delivery_of(patient, 1)
    await joins(stores, first)
    assert await stores.deliveries.wait(await begun(stores, first), Outcome(T0, "REC_HTTP_503"), T0 + HOUR, None)
    assert await stores.deliveries.begin(first.lane, ROUTINE, T0 + SECOND, SILENCE) is None
    await joins(stores, delivery_of(patient, 2, PROMPT))
    again = await begun(stores, first, PROMPT, T0 + SECOND)
    assert (again.delivery.id, again.urgency, again.waits) == (first.id, PROMPT, 0)


async def test_a_wait_by_the_routine_schedule_is_refused_when_an_alarm_has_joined(stores: Stores, patient: str) -> None:
    first = delivery_of(patient, 1)
    await joins(stores, first)
    trying = await begun(stores, first)
    await joins(stores, delivery_of(patient, 2, PROMPT))
    assert not await stores.deliveries.wait(trying, Outcome(T0, "REC_HTTP_503"), T0 + 6 * HOUR, None)
    anew = replace(trying, urgency=PROMPT)
    assert await stores.deliveries.wait(anew, Outcome(T0, "REC_HTTP_503"), T0 + SECOND, None)
    await begun(stores, first, PROMPT, T0 + SECOND)


async def test_a_lane_that_one_queues_worker_tries_is_left_alone_by_the_others(stores: Stores, patient: str) -> None:
    first = delivery_of(patient, 1)
    await joins(stores, first)
    trying = await begun(stores, first, ROUTINE)
    assert await stores.deliveries.tell(trying, ROUTINE, T0 + SILENCE) is not None
    assert await stores.deliveries.begin(first.lane, PROMPT, T0, SILENCE) == Elsewhere(T0 + SILENCE)
    # The same queue's session is with one worker at a time: who has it now is the only one.
    assert (await begun(stores, first, ROUTINE)).delivery.attempts == 2
    # And a worker that is never heard of again does not keep the lane.
    assert (await begun(stores, first, PROMPT, T0 + SILENCE)).delivery.attempts == 3


async def test_a_parked_lane_is_found_by_its_receiver_and_a_try_ends_that(stores: Stores, patient: str) -> None:
    first = delivery_of(patient, 1)
    await joins(stores, first)
    assert await stores.deliveries.park(first.lane, first.key, ROUTINE, T0, T0 + HOUR) is not None
    found = await line(stores, first)
    assert (found["parked"], found["due"]) == (first.key, "2026-11-22T13:00:00.000000Z")
    await begun(stores, first)
    assert (await line(stores, first))["parked"] is None
    assert await stores.deliveries.park(first.lane, first.key, ROUTINE, T0, T0 + HOUR) is None


async def test_a_woken_lane_waits_no_longer(stores: Stores, patient: str) -> None:
    first = delivery_of(patient, 1)
    await joins(stores, first)
    await stores.deliveries.wait(await begun(stores, first), Outcome(T0, "REC_UNREACHABLE"), T0 + HOUR, first.key)
    assert (await line(stores, first))["parked"] == first.key
    assert await stores.deliveries.begin(first.lane, ROUTINE, T0 + SECOND, SILENCE) is None
    woken = await stores.deliveries.begin(first.lane, ROUTINE, T0 + SECOND, SILENCE, woken=True)
    assert isinstance(woken, Try)


async def test_a_failed_probe_is_counted_and_written_nowhere_else(stores: Stores, patient: str) -> None:
    first = delivery_of(patient, 1)
    await joins(stores, first)
    for number in range(1, 4):
        trying = await begun(stores, first)
        assert trying.delivery.attempts == number
        await stores.deliveries.release(trying, first.key, T0 + HOUR)
    document = await stores.deliveries.find(first.id, first.lane)
    assert document is not None
    assert (document["state"], len(document["stations"])) == (State.ROUTED, 1)
    assert (await line(stores, first))["parked"] == first.key


async def test_a_blocked_lane_begins_nothing_and_is_looked_at_every_day(stores: Stores, patient: str) -> None:
    first, second = delivery_of(patient, 1), delivery_of(patient, 2)
    await joins(stores, first)
    await joins(stores, second)
    refusal = Refusal(422, blocks=True, words="Ukjent pasient", kept_for=timedelta(days=90))
    trying = await begun(stores, first)
    assert not await stores.deliveries.end(trying, Step.QUARANTINE, Outcome(T0, "REC_HTTP_422"), refusal)
    document = await stores.deliveries.find(first.id, first.lane)
    assert document is not None
    assert (document["aside"]["cause"], document["aside"]["status"]) == ("REC_HTTP_422", 422)
    assert "Ukjent" not in str(document)
    words = await stores.messages.read(f"{first.id}.words.1", first.lane)
    assert words is not None
    assert (words["words"], words["ttl"]) == ("Ukjent pasient", 90 * 24 * 3600)
    assert (await line(stores, first))["blocked"] == first.id
    assert await stores.deliveries.begin(first.lane, ROUTINE, T0 + SECOND, SILENCE, woken=True) is None
    found = {each.lane: each for each in await stores.deliveries.overdue(T0 + LOOK_AT_BLOCKED + 2 * SECOND, 500)}
    assert found[first.lane].held


async def test_an_overdue_line_tells_its_class_and_receiver_and_how_often_it_was_signalled(
    stores: Stores, patient: str
) -> None:
    first = delivery_of(patient, 1, PROMPT)
    await joins(stores, first)
    for looked in range(3):
        found = {each.lane: each for each in await stores.deliveries.overdue(T0 + HOUR, 500)}[first.lane]
        assert (found.urgency, found.key, found.looked, found.held) == (PROMPT, first.key, looked, False)
        await stores.deliveries.looked(first.lane, T0 + GRACE)


@pytest.mark.parametrize("outcome", ["tell", "end", "wait"])
async def test_whoever_was_at_a_line_makes_it_be_forgotten_how_often_it_was_signalled(
    stores: Stores, patient: str, outcome: str
) -> None:
    first = delivery_of(patient, 1)
    await joins(stores, first)
    await stores.deliveries.looked(first.lane, T0 + GRACE)
    trying = await begun(stores, first)
    match outcome:
        case "tell":
            assert await stores.deliveries.tell(trying, ROUTINE, T0 + SILENCE) is not None
        case "end":
            await stores.deliveries.end(trying, Step.DELIVER, Outcome(T0))
        case _:
            assert await stores.deliveries.wait(trying, Outcome(T0, "REC_HTTP_503"), T0 + HOUR, None)
    assert (await line(stores, first))["looked"] == 0


async def test_a_message_that_stands_in_no_line_is_found_and_put_back(stores: Stores, patient: str) -> None:
    first, second = delivery_of(patient, 1), delivery_of(patient, 2)
    await joins(stores, first)
    await joins(stores, second)
    assert await stores.deliveries.missing(T0 - HOUR, T0 + HOUR, 500) == ()
    # What no code of the hub's does.
    lost = Patch(line_id(first.lane), (Change("remove", "/pending/0"), Change("incr", "/waiting", -1)))
    await stores.messages.patch(lost, first.lane)
    missing = await stores.deliveries.missing(T0 - HOUR, T0 + HOUR, 500)
    assert [each.id for each in missing] == [first.id]
    await stores.deliveries.put_back(missing[0], T0)
    assert await stores.deliveries.missing(T0 - HOUR, T0 + HOUR, 500) == ()
    assert [each["id"] for each in (await line(stores, first))["pending"]] == [second.id, first.id]  # type: ignore[attr-defined]
