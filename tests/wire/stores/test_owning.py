"""Who may begin a try without saying so, and what comes in and goes out meanwhile, over the real Cosmos SDK."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Literal

import pytest

from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Change, ConditionFailed, Document, Operation, Patch, Unreachable
from shared.messages.lanes import Lane, line_id
from shared.messages.lanes import event_of as event_id_of
from shared.messages.lifecycle import State, Step
from shared.messages.model import Event, Station, payload_document, payload_id
from shared.messages.owning import SAYS_SO, UNSURE
from shared.messages.partitions import ByLane
from shared.messages.returning import REPLAYED, RESTORED, Back
from shared.messages.tries import Elsewhere, Outcome, Refusal, Try
from shared.messages.withdrawing import WITHDRAWN, Out, Took
from shared.messages.worklist import Joined, places
from tests.wire.stores.coming import (
    GRACE,
    HOUR,
    KEEPING,
    PROMPT,
    ROUTINE,
    SECOND,
    SILENCE,
    T0,
    Stores,
    come,
    delivery_of,
    event_of,
    opened,
    receipts_of,
    stores_over,
)

TWO = ("epj", "arkiv")
DONE = Outcome(T0)
FAILED = Outcome(T0, "REC_HTTP_503")
WITHDRAW = Out(Step.WITHDRAW, WITHDRAWN, {})
RESTORE = Back(Step.RESTORE, RESTORED, {})
REPLAY = Back(Step.REPLAY, REPLAYED, {})

_numbers = count()
_days = count()


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    async with opened(tmp_path_factory.mktemp("owning")) as cosmos:
        yield stores_over(cosmos)


@pytest.fixture
def patient() -> str:
    """A patient, and so lanes, that no other test has."""
    return f"owned{next(_numbers)}"


@pytest.fixture
def day() -> datetime:
    """A day on which nothing comes in any other test."""
    return T0 + timedelta(days=100 + next(_days))


class Counting:
    """The container of messages, and what is asked of it."""

    def __init__(self, whole: Any) -> None:
        self.whole = whole
        self.asked: list[str] = []

    async def read(self, id: str, partition: str) -> Document | None:
        self.asked.append("read")
        found: Document | None = await self.whole.read(id, partition)
        return found

    async def read_all(self, ids: Sequence[str], partition: str) -> tuple[Document, ...]:
        self.asked.append("read_all")
        found: tuple[Document, ...] = await self.whole.read_all(ids, partition)
        return found

    async def patch(self, patch: Patch, partition: str) -> Document:
        self.asked.append("patch")
        changed: Document = await self.whole.patch(patch, partition)
        return changed

    async def batch(self, operations: Sequence[Operation], partition: str) -> None:
        self.asked.append("batch")
        await self.whole.batch(operations, partition)

    async def put(self, document: Document, partition: str) -> None:
        self.asked.append("put")
        await self.whole.put(document, partition)

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        self.asked.append("query")
        found: Sequence[Document] = await self.whole.query(text, parameters, limit)
        return found

    async def value(self, text: str, parameters: dict[str, Any]) -> Any:
        self.asked.append("value")
        return await self.whole.value(text, parameters)


async def standing(stores: Stores, event: Event, receiver: str = "epj") -> list[str]:
    """The events in a receiver's line, in order. Checks what always holds of a line."""
    line = await stores.deliveries.line(delivery_of(event, receiver).lane)
    if line is None:
        return []
    pending = line["pending"]
    assert line["waiting"] == len(pending)
    assert line["prompts"] == sum(each["urgency"] == "prompt" for each in pending)
    assert line["since"] == (pending[0]["receivedAt"] if pending else None)
    assert bool(pending) == (line["due"] is not None)
    return [event_id_of(each["id"]) for each in pending]


async def begun(stores: Stores, lane: Lane, by: Any = ROUTINE, at: datetime = T0) -> Try:
    """A try that can be begun."""
    found = await stores.deliveries.begin(lane, by, at, SILENCE)
    assert isinstance(found, Try)
    return found


async def state(stores: Stores, event: Event, receiver: str = "epj") -> State:
    """Where its delivery is."""
    delivery = delivery_of(event, receiver)
    found = await stores.deliveries.find(delivery.id, delivery.lane)
    assert found is not None
    return State(found["state"])


async def worked_off(stores: Stores, lane: Lane, at: datetime = T0) -> list[str]:
    """The events that are handed over, in order."""
    handed = []
    while isinstance(found := await stores.deliveries.begin(lane, ROUTINE, at, SILENCE, woken=True), Try):
        handed.append(found.delivery.event.id)
        await stores.deliveries.end(found, Step.DELIVER, Outcome(at))
    return handed


# An event, its payload and its place in every line


@pytest.mark.parametrize("line", ["new", "empty", "filled", "mixed"])
async def test_an_event_its_bytes_and_its_place_in_every_line_appear_together_and_once(
    stores: Stores, patient: str, line: Literal["new", "empty", "filled", "mixed"]
) -> None:
    before = event_of(patient, 0)
    if line != "new":
        await come(stores, before, *TWO)
        for receiver in {"empty": TWO, "filled": (), "mixed": TWO[:1]}[line]:
            await worked_off(stores, delivery_of(before, receiver).lane)
    events = [event_of(patient, number, at=T0 + number * SECOND) for number in range(1, 6)]
    came = await asyncio.gather(*(come(stores, each, *TWO) for each in events * 4))
    for number, each in enumerate(events):
        mine = [joined for joined in came[number :: len(events)] if joined is not None]
        assert len(mine) == 1
        assert len(mine[0]) == len(TWO)
        document = await stores.events.find(each.id, each.lane)
        assert document is not None
        assert (document["state"], [found["receiver"] for found in document["receivers"]]) == (State.ROUTED, [*TWO])
        assert await stores.events.payload(each.id, each.lane) == b"{}"
    orders = []
    for receiver in TWO:
        order = await standing(stores, before, receiver)
        left = {"new": [], "empty": [], "filled": [*TWO], "mixed": [*TWO[1:]]}[line]
        assert order[: receiver in left] == [before.id][: receiver in left]
        orders.append([each for each in order if each != before.id])
        first = [joined[TWO.index(receiver)] for joined in came if joined is not None].count(Joined.FIRST)
        assert first == (receiver not in left)
        assert sorted(orders[-1]) == sorted(each.id for each in events)
    # All were written one by one, so they came in one order to both.
    assert orders[0] == orders[1]


@pytest.mark.parametrize("receiver", TWO)
async def test_where_one_line_cannot_be_written_nothing_is_there(stores: Stores, patient: str, receiver: str) -> None:
    event = event_of(patient)
    before = event_of(patient, 1)
    await come(stores, before, *TWO)
    lane = delivery_of(event, receiver).lane
    # A line that is no line: what can be changed in none can be joined by none.
    await stores.messages.patch(Patch(line_id(lane), (Change("set", "/waiting", "many"),)), lane)
    with pytest.raises(Unreachable):
        await come(stores, event, *TWO)
    assert await stores.events.find(event.id, event.lane) is None
    assert await stores.messages.read(payload_id(event.id), event.lane) is None
    for each in TWO:
        line = await stores.deliveries.line(delivery_of(event, each).lane)
        assert line is not None
        assert [event_id_of(work["id"]) for work in line["pending"]] == [before.id]


async def test_a_line_that_is_worked_off_while_it_is_filled_keeps_what_comes(stores: Stores, patient: str) -> None:
    events = [event_of(patient, number, at=T0 + number * SECOND) for number in range(12)]
    lane = delivery_of(events[0]).lane
    handed: list[str] = []

    async def work() -> None:
        while len(handed) < len(events):
            handed.extend(await worked_off(stores, lane))

    async def fill() -> None:
        for each in events:
            await come(stores, each, *TWO)
            await asyncio.sleep(0)

    await asyncio.gather(work(), fill())
    assert handed == [each.id for each in events]
    assert await standing(stores, events[0]) == []
    assert await standing(stores, events[0], "arkiv") == handed


# Whose line it is


async def test_the_owners_worker_begins_without_a_write_and_one_write_ends_it(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await come(stores, event)
    lane = delivery_of(event).lane
    counting = Counting(stores.messages.whole)
    deliveries = DeliveryStore(ByLane(counting), GRACE)
    before = await stores.deliveries.line(lane)
    found = await deliveries.begin(lane, ROUTINE, T0, SILENCE, event=event.id)
    assert isinstance(found, Try)
    assert (found.told, found.delivery.attempts, counting.asked) == (False, 1, ["read_all"])
    assert found.payload is not None
    assert await stores.deliveries.line(lane) == before
    await deliveries.end(found, Step.DELIVER, DONE)
    assert counting.asked == ["read_all", "batch"]
    document = await stores.deliveries.find(found.delivery.id, lane)
    assert document is not None
    assert (document["state"], document["attempts"]) == (State.DELIVERED, 1)


@pytest.mark.parametrize("owner", [ROUTINE, PROMPT])
async def test_nobody_else_begins_the_owners_head_until_it_is_known_how_it_stands(
    stores: Stores, patient: str, owner: Any
) -> None:
    event = event_of(patient, urgency=owner)
    other = PROMPT if owner is ROUTINE else ROUTINE
    await come(stores, event)
    lane = delivery_of(event).lane
    mine = await begun(stores, lane, owner)
    # Nor does anybody put the lane to sleep under its hands, before it is taken or after.
    assert await stores.deliveries.park(lane, mine.delivery.key, other, T0, T0 + HOUR) is None
    for at in (T0, T0 + SAYS_SO, T0 + UNSURE - timedelta(milliseconds=1)):
        assert await stores.deliveries.begin(lane, other, at, SILENCE) == Elsewhere(T0 + UNSURE)
    assert await stores.deliveries.park(lane, mine.delivery.key, other, T0 + SECOND, T0 + HOUR) is None
    theirs = await begun(stores, lane, other, T0 + UNSURE)
    assert (theirs.told, theirs.delivery.attempts) == (True, 1)
    # Whoever was not heard of for so long has lost it.
    assert await stores.deliveries.tell(mine, owner, T0 + HOUR) is None
    with pytest.raises(ConditionFailed):
        await stores.deliveries.end(mine, Step.DELIVER, DONE)
    await stores.deliveries.end(theirs, Step.DELIVER, DONE)
    assert await state(stores, event) is State.DELIVERED


async def test_the_owners_worker_goes_on_in_a_line_that_was_taken_but_says_so(stores: Stores, patient: str) -> None:
    first, second = event_of(patient, 1), event_of(patient, 2, PROMPT, T0 + SECOND)
    await come(stores, first)
    lane = delivery_of(first).lane
    mine = await begun(stores, lane)
    await come(stores, second)
    assert isinstance(await stores.deliveries.begin(lane, PROMPT, T0, SILENCE), Elsewhere)
    assert await stores.deliveries.end(mine, Step.DELIVER, DONE)
    following = await begun(stores, lane)
    assert (following.delivery.event.id, following.told) == (second.id, True)
    assert await stores.deliveries.begin(lane, PROMPT, T0 + UNSURE, SILENCE) == Elsewhere(T0 + SILENCE)


async def test_whoever_takes_a_line_at_once_with_its_owners_outcome_spoils_nothing(
    stores: Stores, patient: str
) -> None:
    events = [event_of(patient, number, at=T0 + number * SECOND) for number in range(6)]
    for each in events:
        await come(stores, each)
    lane = delivery_of(events[0]).lane
    handed = []
    for _ in events:
        mine = await begun(stores, lane)
        _, taken = await asyncio.gather(
            stores.deliveries.end(mine, Step.DELIVER, DONE), stores.deliveries.begin(lane, PROMPT, T0, SILENCE)
        )
        handed.append(mine.delivery.event.id)
        if isinstance(taken, Try):
            # It came when the head had gone, and was told to nobody: the next one is its own.
            assert taken.told
            handed.append(taken.delivery.event.id)
            await stores.deliveries.end(taken, Step.DELIVER, DONE)
        if len(handed) == len(events):
            break
    assert handed == [each.id for each in events]


async def test_of_two_workers_of_one_queue_that_say_nothing_one_settles_the_try(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await come(stores, event)
    lane = delivery_of(event).lane
    one, other = await begun(stores, lane), await begun(stores, lane)
    assert await stores.deliveries.wait(one, FAILED, T0 + HOUR, None)
    with pytest.raises(ConditionFailed):
        await stores.deliveries.end(other, Step.DELIVER, DONE)
    assert await state(stores, event) is State.WAITING


async def test_a_line_whose_receiver_takes_messages_again_is_owned_again(stores: Stores, patient: str) -> None:
    events = [event_of(patient, number, at=T0 + number * SECOND) for number in range(3)]
    for each in events:
        await come(stores, each)
    lane = delivery_of(events[0]).lane
    assert await stores.deliveries.wait(await begun(stores, lane), FAILED, T0 + HOUR, None)
    told = []
    for _ in events:
        found = await begun(stores, lane, ROUTINE, T0 + HOUR)
        told.append(found.told)
        await stores.deliveries.end(found, Step.DELIVER, DONE)
    # The retry is counted before it is made; a backlog behind it costs no write before each call.
    assert told == [True, False, False]


async def test_whoever_is_put_back_takes_no_new_place(stores: Stores, patient: str, day: datetime) -> None:
    events = [event_of(patient, number, at=day + number * SECOND) for number in (1, 2, 3)]
    for each in events[:2]:
        await come(stores, each)
    lane = delivery_of(events[0]).lane
    assert await stores.deliveries.wait(await begun(stores, lane), FAILED, day + HOUR, None)
    # What no code of the hub's does.
    lost = Patch(line_id(lane), (Change("remove", "/pending/0"), Change("incr", "/waiting", -1)))
    await stores.messages.patch(lost, lane)
    (missing,) = await stores.deliveries.missing(day, day + HOUR, 500)
    await stores.deliveries.put_back(missing, day)
    await come(stores, events[2])
    line = await stores.deliveries.line(lane)
    assert line is not None
    assert places(line) == [2, 1, 3]


# Alarms


async def test_an_alarm_behind_what_was_never_tried_waits_for_unsure_at_the_most(stores: Stores, patient: str) -> None:
    routine, alarm = event_of(patient, 1), event_of(patient, 2, PROMPT, T0 + SECOND)
    await come(stores, routine)
    await come(stores, alarm)
    lane = delivery_of(routine).lane
    at = T0 + SECOND
    elsewhere = await stores.deliveries.begin(lane, PROMPT, at, SILENCE)
    assert elsewhere == Elsewhere(at + UNSURE)
    for each in (routine, alarm):
        found = await begun(stores, lane, PROMPT, at + UNSURE)
        assert (found.delivery.event.id, found.urgency) == (each.id, PROMPT)
        await stores.deliveries.end(found, Step.DELIVER, Outcome(at + UNSURE))


async def test_the_owners_worker_goes_on_with_an_alarm_as_soon_as_the_try_before_it_is_over(
    stores: Stores, patient: str
) -> None:
    routine, alarm = event_of(patient, 1), event_of(patient, 2, PROMPT, T0 + SECOND)
    await come(stores, routine)
    lane = delivery_of(routine).lane
    mine = await begun(stores, lane)
    await come(stores, alarm)
    assert isinstance(await stores.deliveries.begin(lane, PROMPT, T0, SILENCE), Elsewhere)
    await stores.deliveries.end(mine, Step.DELIVER, DONE)
    found = await begun(stores, lane, ROUTINE, T0)
    assert (found.delivery.event.id, found.told) == (alarm.id, True)


# A try that lasts


async def test_a_try_that_lasts_is_told_and_fences_both_queues(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await come(stores, event)
    lane = delivery_of(event).lane
    silent, mine = await begun(stores, lane), await begun(stores, lane)
    assert await stores.deliveries.begin(lane, PROMPT, T0, SILENCE) == Elsewhere(T0 + UNSURE)
    assert await state(stores, event) is State.ROUTED
    told = await stores.deliveries.tell(mine, ROUTINE, T0 + SILENCE)
    assert told is not None
    assert await stores.deliveries.tell(told, ROUTINE, T0 + HOUR) is told
    assert await state(stores, event) is State.DELIVERING
    # The other queue's worker stays away until nobody is heard of any more; and one of the same queue has lost.
    assert await stores.deliveries.begin(lane, PROMPT, T0 + UNSURE, SILENCE) == Elsewhere(T0 + SILENCE)
    assert await stores.deliveries.park(lane, told.delivery.key, ROUTINE, T0, T0 + HOUR) is None
    with pytest.raises(ConditionFailed):
        await stores.deliveries.end(silent, Step.DELIVER, DONE)
    assert lane not in {each.lane for each in await stores.deliveries.overdue(T0 + SILENCE - SECOND, 500)}
    assert lane in {each.lane for each in await stores.deliveries.overdue(T0 + SILENCE + SECOND, 500)}
    assert not await stores.deliveries.end(told, Step.DELIVER, DONE)
    assert await state(stores, event) is State.DELIVERED


# Withdrawing


@pytest.mark.parametrize("tried", [True, False])
async def test_withdrawing_a_head_that_may_be_being_tried_is_busy_and_then_decided(
    stores: Stores, patient: str, tried: bool
) -> None:
    event, behind = event_of(patient, 1), event_of(patient, 2, at=T0 + SECOND)
    await come(stores, event)
    await come(stores, behind)
    delivery = delivery_of(event)
    mine = await begun(stores, delivery.lane) if tried else None
    assert (await stores.taking_out.delivery(delivery.id, delivery.lane, WITHDRAW, T0)).took is Took.BUSY
    assert await state(stores, event) is State.ROUTED
    if mine is not None:
        assert await stores.deliveries.end(mine, Step.DELIVER, DONE)
    taken = await stores.taking_out.delivery(delivery.id, delivery.lane, WITHDRAW, T0 + UNSURE)
    assert taken.took is (Took.TOO_LATE if tried else Took.OUT)
    assert await state(stores, event) is (State.DELIVERED if tried else State.WITHDRAWN)
    assert await worked_off(stores, delivery.lane) == [behind.id]


async def test_a_head_that_is_told_of_is_busy_until_its_try_is_over(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await come(stores, event)
    delivery = delivery_of(event)
    mine = await begun(stores, delivery.lane)
    assert (await stores.taking_out.delivery(delivery.id, delivery.lane, WITHDRAW, T0)).took is Took.BUSY
    told = await stores.deliveries.tell(mine, ROUTINE, T0 + SILENCE)
    assert told is not None
    assert (await stores.taking_out.delivery(delivery.id, delivery.lane, WITHDRAW, T0 + UNSURE)).took is Took.BUSY
    assert await stores.deliveries.wait(told, FAILED, T0 + HOUR, None)
    assert (await stores.taking_out.delivery(delivery.id, delivery.lane, WITHDRAW, T0 + UNSURE)).took is Took.OUT
    assert await state(stores, event) is State.WITHDRAWN


async def test_the_head_of_a_blocked_lane_can_be_withdrawn(stores: Stores, patient: str) -> None:
    blocker, head, behind = (event_of(patient, number, at=T0 + number * SECOND) for number in range(3))
    for each in (blocker, head, behind):
        await come(stores, each)
    lane = delivery_of(head).lane
    refusal = Refusal(422, blocks=True)
    await stores.deliveries.end(await begun(stores, lane), Step.QUARANTINE, Outcome(T0, "REC_HTTP_422"), refusal)
    assert (await stores.taking_out.delivery(delivery_of(head).id, lane, WITHDRAW, T0)).took is Took.OUT
    assert (await stores.taking_out.delivery(delivery_of(blocker).id, lane, WITHDRAW, T0)).took is Took.OUT
    # Nobody owns it by what it was before.
    assert (await begun(stores, lane)).told


@pytest.mark.parametrize("many", [3, 12])
@pytest.mark.parametrize("order", [1, -1])
async def test_withdrawing_from_the_middle_keeps_the_places_of_those_before_it(
    stores: Stores, patient: str, many: int, order: int
) -> None:
    events = [event_of(patient, number, at=T0 + number * SECOND) for number in range(many)]
    for each in events:
        await come(stores, each)
    lane = delivery_of(events[0]).lane
    # One in the middle, one beside it, and the last, in this order or the other; then more come.
    gone = [events[at] for at in sorted({many // 2 - 1, many // 2, many - 1} - {0})][::order]
    for each in gone:
        assert (await stores.taking_out.delivery(delivery_of(each).id, lane, WITHDRAW, T0)).took is Took.OUT
    later = event_of(patient, many, at=T0 + many * SECOND)
    await come(stores, later)
    for each in gone:
        assert (await stores.returning.deliveries(lane, [delivery_of(each).id], RESTORE, T0)).ids
    assert await standing(stores, events[0]) == [each.id for each in (*events, later)]
    assert await worked_off(stores, lane) == [each.id for each in (*events, later)]


async def test_withdrawing_from_a_very_long_line_is_possible_too(stores: Stores, patient: str) -> None:
    # A patient's sensor, in an outage of days.
    many = 1200
    events = [event_of(patient, number, at=T0 + number * SECOND) for number in range(many)]
    await come(stores, events[0])
    lane = delivery_of(events[0]).lane
    line = await stores.deliveries.line(lane)
    assert line is not None
    works = [delivery_of(each).work() for each in events]
    await stores.messages.put({**line, "pending": works, "accepted": many, "waiting": many}, lane)
    for at in (many - 1, many - 2, 7):
        stations = (Station(events[at].received_at, State.RECEIVED), Station(events[at].received_at, State.ROUTED))
        await stores.messages.put(events[at].document(stations), lane)
        await stores.messages.put(payload_document(events[at], b"{}"), lane)
        assert (await stores.taking_out.delivery(delivery_of(events[at]).id, lane, WITHDRAW, T0)).took is Took.OUT
    for at in (7, many - 1, many - 2):
        assert (await stores.returning.deliveries(lane, [delivery_of(events[at]).id], RESTORE, T0)).ids
    assert await standing(stores, events[0]) == [each.id for each in events]


# What was left out


async def test_the_proof_costs_three_counts_whatever_is_stored(stores: Stores, patient: str, day: datetime) -> None:
    counting = Counting(stores.messages.whole)
    deliveries = DeliveryStore(ByLane(counting), GRACE)
    for number in range(1, 13):
        event = event_of(f"{patient}.{number % 4}", number, at=day + number * SECOND)
        await come(stores, event, *TWO)
        if number % 3 == 0:
            await worked_off(stores, delivery_of(event).lane, day)
        counting.asked.clear()
        assert await deliveries.missing(day, day + HOUR, 500) == ()
        assert counting.asked == ["value"] * 3


async def test_a_delivery_that_stands_in_no_line_and_has_no_document_is_found_among_all_others(
    stores: Stores, patient: str, day: datetime
) -> None:
    events = [event_of(patient, number, at=day + number * SECOND) for number in range(8)]
    for each in events:
        await come(stores, each, *TWO)
    lane = delivery_of(events[0]).lane
    out = (await begun(stores, lane, at=day), await begun(stores, delivery_of(events[0], "arkiv").lane, at=day))
    # One is set aside, one is delivered, one is set aside and replayed, one is withdrawn, the head waits.
    refused = Outcome(day, "REC_HTTP_422")
    await stores.deliveries.end(out[0], Step.QUARANTINE, refused, Refusal(422))
    await stores.deliveries.end(out[1], Step.DELIVER, Outcome(day))
    await stores.deliveries.end(await begun(stores, lane, at=day), Step.DELIVER, Outcome(day))
    await stores.deliveries.end(await begun(stores, lane, at=day), Step.QUARANTINE, refused, Refusal(422))
    assert (await stores.taking_out.delivery(delivery_of(events[5]).id, lane, WITHDRAW, day)).took is Took.OUT
    assert await stores.deliveries.wait(await begun(stores, lane, at=day), Outcome(day, "C"), day + HOUR, None)
    assert (await stores.returning.deliveries(lane, [delivery_of(events[2]).id], REPLAY, day)).ids
    window = day - HOUR, day + HOUR
    counting = Counting(stores.messages.whole)
    assert await DeliveryStore(ByLane(counting), GRACE).missing(*window, 500) == ()
    # The counts come out right, wherever each of them is: nobody is looked for.
    assert counting.asked == ["value"] * 3
    expected = [events[number].id for number in (2, 3, 4, 6, 7)]
    assert await standing(stores, events[0]) == expected
    # What no code of the hub's does: one that was never tried leaves no trace, and so does one that waited.
    for at, lost in ((3, events[6]), (1, events[3])):
        changes = Change("remove", f"/pending/{at}"), Change("incr", "/waiting", -1)
        await stores.messages.patch(Patch(line_id(lane), changes), lane)
        missing = await stores.deliveries.missing(*window, 500)
        assert [(each.id, each.lane) for each in missing] == [(delivery_of(lost).id, lane)]
        await stores.deliveries.put_back(missing[0], day)
        assert await stores.deliveries.missing(*window, 500) == ()
    assert sorted(await worked_off(stores, lane, day + HOUR)) == sorted(expected)
    assert await stores.deliveries.missing(*window, 500) == ()


# What had no receiver when it was accepted


async def test_what_had_no_receiver_goes_before_what_was_accepted_after_it(stores: Stores, patient: str) -> None:
    events = [event_of(patient, number, at=T0 + number * SECOND) for number in range(5)]
    early, late = events[1], events[3]
    for each in events:
        if each in (early, late):
            assert await stores.intake.accept(each, b"{}", (), KEEPING) == ()
        else:
            await come(stores, each)
    lane = delivery_of(early).lane
    mine = await begun(stores, lane)
    for each in (late, early):
        back = Back(Step.RETURN, REPLAYED, {})
        assert (await stores.returning.events(each.lane, [each.id], back, T0)).ids == (each.id,)
    assert await stores.events.pending(early.lane) == (early, late)
    for each in (early, late):
        await stores.deliveries.create(delivery_of(each))
        await stores.events.routed(each, receipts_of(each), T0)
    assert await standing(stores, early) == [each.id for each in events]
    # And so too when they are set aside there, and come back together.
    await stores.deliveries.end(mine, Step.DELIVER, DONE)
    for _ in events[1:]:
        refused = Outcome(T0, "REC_HTTP_422")
        await stores.deliveries.end(await begun(stores, lane), Step.QUARANTINE, refused, Refusal(422))
    ids = [delivery_of(each).id for each in events[1:]]
    assert len((await stores.returning.deliveries(lane, ids, REPLAY, T0)).ids) == len(ids)
    assert await worked_off(stores, lane) == [each.id for each in events[1:]]
