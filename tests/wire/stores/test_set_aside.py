"""What is set aside over the real Cosmos SDK: found, put back in order, taken out; and all of it while others work."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from shared.messages import lanes
from shared.messages.documents import ConditionFailed, Document
from shared.messages.intake import NO_RECEIVER
from shared.messages.lanes import line_id
from shared.messages.lifecycle import State, Step
from shared.messages.model import Delivery, Event
from shared.messages.owning import UNSURE
from shared.messages.returning import REPLAYED, RESTORED, Back
from shared.messages.set_aside import Filter
from shared.messages.tries import Gone, Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.messages.withdrawing import EXPIRED, WITHDRAWN, Out, Taken, Took
from tests.flow.hub import until
from tests.wire.stores.coming import (
    GRACE,
    KEEPING,
    SECOND,
    SILENCE,
    T0,
    Stores,
    come,
    come_for_nobody,
    delivery_of,
    event_of,
    opened,
    receipts_of,
    stores_over,
)

REPLAY = Back(Step.REPLAY, REPLAYED, {"replay": "r1"})
RESTORE = Back(Step.RESTORE, RESTORED, {})
WITHDRAW = Out(Step.WITHDRAW, WITHDRAWN, {})
EXPIRE = Out(Step.EXPIRE, EXPIRED, {})

_patients = count()
_municipalities = count(310000000)


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    async with opened(tmp_path_factory.mktemp("aside")) as cosmos:
        yield stores_over(cosmos)


class Patient:
    """One patient at one municipality with one receiver: one lane in, one out."""

    def __init__(self, stores: Stores, orgnr: str) -> None:
        self.stores = stores
        self.orgnr = orgnr
        self.name = f"patient{next(_patients)}"
        self.inbound = lanes.inbound(orgnr, self.name)
        self.lane = lanes.outbound(orgnr, "epj", self.name)
        self._numbers = count(1)

    def event(self, urgency: Urgency = Urgency.ROUTINE) -> Event:
        """The next one that is sent."""
        number = next(self._numbers)
        return event_of(self.name, number, urgency, T0 + number * SECOND, self.orgnr)

    async def joins(self, urgency: Urgency = Urgency.ROUTINE) -> Delivery:
        """Another message comes, and so stands in the lane."""
        event = self.event(urgency)
        assert await come(self.stores, event) is not None
        return delivery_of(event)

    async def begins(self, by: Urgency = Urgency.ROUTINE, *, told: bool = True) -> Try:
        """The head's next try, told in the line or not."""
        begun = await self.stores.deliveries.begin(self.lane, by, T0, SILENCE, woken=True)
        assert isinstance(begun, Try)
        said = await self.stores.deliveries.tell(begun, by, T0 + SILENCE) if told else begun
        assert said is not None
        return said

    async def taken_out(self, delivery: Delivery, out: Out) -> Taken:
        """Out of the line, or of what is set aside; asked for again if it might be being tried."""
        taken = await self.stores.taking_out.delivery(delivery.id, self.lane, out, T0)
        if taken.took is not Took.BUSY:
            return taken
        return await self.stores.taking_out.delivery(delivery.id, self.lane, out, T0 + UNSURE)

    async def refused(
        self, begun: Try, *, blocks: bool = False, at: datetime = T0, cause: str = "REC_HTTP_422"
    ) -> None:
        """It is set aside."""
        refusal = Refusal(status=422, blocks=blocks, words="no")
        await self.stores.deliveries.end(begun, Step.QUARANTINE, Outcome(at, cause), refusal)

    async def set_aside(self, number: int, *, blocks: bool = False) -> list[Delivery]:
        """So many come and are set aside, in order."""
        found = [await self.joins() for _ in range(number)]
        for at in range(number):
            await self.refused(await self.begins(), blocks=blocks and at == number - 1, at=T0 + at * SECOND)
        return found

    async def replay(self, *deliveries: Delivery, back: Back = REPLAY) -> Sequence[str]:
        """Put back into line."""
        ids = [each.id for each in deliveries]
        return (await self.stores.returning.deliveries(self.lane, ids, back, T0)).ids

    async def line(self) -> Document:
        """The lane's document. Checks what always holds of one."""
        found = await self.stores.deliveries.line(self.lane)
        assert found is not None
        pending = found["pending"]
        assert found["waiting"] == len(pending)
        assert found["prompts"] == sum(each["urgency"] == "prompt" for each in pending)
        assert found["since"] == (pending[0]["receivedAt"] if pending else None)
        assert (found["due"] is None) == (not pending) or found["blocked"]
        assert len({each["id"] for each in pending}) == len(pending)
        return found

    async def stands(self, *deliveries: Delivery) -> None:
        """Exactly these stand in line, in this order."""
        assert [each["id"] for each in (await self.line())["pending"]] == [each.id for each in deliveries]

    async def document(self, delivery: Delivery) -> Document:
        """As it is kept."""
        found = await self.stores.messages.read(delivery.id, self.lane)
        assert found is not None
        return found

    async def delivered(self) -> list[str]:
        """Work the lane off: the ids in the order in which they were handed over."""
        handed: list[str] = []
        while True:
            begun = await self.stores.deliveries.begin(self.lane, Urgency.ROUTINE, T0, SILENCE, woken=True)
            if not isinstance(begun, Try):
                return handed
            handed.append(begun.delivery.id)
            await self.stores.deliveries.end(begun, Step.DELIVER, Outcome(T0))


@pytest.fixture
def orgnr() -> str:
    """A municipality that no other test has."""
    return str(next(_municipalities))


@pytest.fixture
def patient(stores: Stores, orgnr: str) -> Patient:
    """A patient that no other test has."""
    return Patient(stores, orgnr)


async def test_what_is_replayed_stands_before_what_came_later_in_the_order_of_acceptance(patient: Patient) -> None:
    first, second, third = await patient.set_aside(3)
    later = await patient.joins()
    await patient.stores.deliveries.wait(await patient.begins(), Outcome(T0, "REC_HTTP_503"), T0 + GRACE, None)
    assert set(await patient.replay(third, first)) == {first.id, third.id}
    await patient.stands(first, third, later)
    assert await patient.replay(second) == (second.id,)
    await patient.stands(first, second, third, later)
    assert await patient.delivered() == [first.id, second.id, third.id, later.id]


async def test_a_replay_done_twice_or_at_once_puts_each_in_line_once(patient: Patient) -> None:
    aside = await patient.set_aside(4)
    done = await asyncio.gather(*(patient.replay(*aside) for _ in range(4)))
    assert sorted(id for ids in done for id in ids) == sorted(each.id for each in aside)
    await patient.stands(*aside)
    assert await patient.replay(*aside) == ()


@pytest.mark.parametrize("told", [True, False])
async def test_whoever_is_being_tried_is_not_overtaken_and_its_outcome_counts(patient: Patient, told: bool) -> None:
    (aside,) = await patient.set_aside(1)
    tried, behind = await patient.joins(), await patient.joins()
    begun = await patient.begins(told=told)
    await patient.replay(aside)
    await patient.stands(tried, aside, behind)
    assert await patient.stores.deliveries.end(begun, Step.DELIVER, Outcome(T0))
    await patient.stands(aside, behind)
    assert (await patient.begins()).delivery.id == aside.id


async def test_whoever_waits_lets_what_is_replayed_before_it_and_keeps_its_tries(patient: Patient) -> None:
    (aside,) = await patient.set_aside(1)
    waiting = await patient.joins()
    begun = await patient.begins()
    await patient.stores.deliveries.wait(begun, Outcome(T0, "REC_HTTP_503"), T0 + timedelta(hours=1), None)
    await patient.replay(aside)
    line = await patient.line()
    assert (line["waitUntil"], line["tries"]) == (None, 0)
    assert (await patient.begins()).delivery.attempts == 2
    await patient.refused(await patient.begins())
    again = await patient.begins()
    assert (again.delivery.id, again.delivery.attempts) == (waiting.id, 2)
    # Who had tried it before all that is too late.
    with pytest.raises(ConditionFailed):
        await patient.stores.deliveries.end(begun, Step.DELIVER, Outcome(T0))


async def test_a_worker_that_was_thought_dead_cannot_settle_the_try_of_a_replay(patient: Patient) -> None:
    await patient.joins()
    lost = await patient.begins()
    await patient.refused(await patient.begins())
    (delivery,) = [lost.delivery]
    await patient.replay(delivery)
    fresh = await patient.begins()
    assert fresh.delivery.attempts == 3
    with pytest.raises(ConditionFailed):
        await patient.stores.deliveries.end(lost, Step.DELIVER, Outcome(T0))
    await patient.refused(fresh)
    assert await patient.stores.deliveries.words(delivery.id, 3, patient.lane) == "no"


async def test_replaying_what_blocks_a_lane_lets_it_go_on(patient: Patient) -> None:
    (blocker,) = await patient.set_aside(1, blocks=True)
    behind = await patient.joins()
    assert await patient.stores.deliveries.begin(patient.lane, Urgency.ROUTINE, T0, SILENCE) is None
    await patient.replay(blocker)
    assert (await patient.line())["blocked"] is None
    assert await patient.delivered() == [blocker.id, behind.id]


async def test_replaying_another_than_the_one_that_blocks_leaves_the_lane_blocked(patient: Patient) -> None:
    first, blocker = await patient.set_aside(2, blocks=True)
    await patient.replay(first)
    assert (await patient.line())["blocked"] == blocker.id
    await patient.replay(blocker)
    assert await patient.delivered() == [first.id, blocker.id]


async def test_what_was_withdrawn_meanwhile_is_not_replayed_and_the_others_are(patient: Patient) -> None:
    first, second, third = await patient.set_aside(3)
    await patient.stores.taking_out.delivery(second.id, patient.lane, WITHDRAW, T0)
    assert await patient.replay(first, second, third) == (first.id, third.id)
    assert (await patient.document(second))["state"] == State.WITHDRAWN


@pytest.mark.parametrize("round", range(3))
async def test_a_replay_while_the_lane_is_worked_on_and_filled_loses_and_doubles_nothing(
    patient: Patient, round: int
) -> None:
    aside = await patient.set_aside(5)
    there = [await patient.joins() for _ in range(3)]

    async def fill() -> list[Delivery]:
        return [await patient.joins() for _ in range(3 + round)]

    handed, _, _, came = await asyncio.gather(
        patient.delivered(), patient.replay(*aside[:3]), patient.replay(*aside[3:]), fill()
    )
    handed += await patient.delivered()
    assert sorted(handed) == sorted(each.id for each in (*aside, *there, *came))
    later = [each.id for each in (*there, *came)]
    assert [id for id in handed if id in later] == later
    await patient.stands()


async def test_an_alarm_that_is_replayed_makes_its_line_prompt(patient: Patient) -> None:
    alarm = await patient.joins(Urgency.PROMPT)
    await patient.refused(await patient.begins(Urgency.PROMPT))
    waiting = await patient.joins()
    begun = await patient.begins()
    await patient.stores.deliveries.wait(begun, Outcome(T0, "REC_HTTP_503"), T0 + timedelta(hours=1), None)
    returned = await patient.stores.returning.deliveries(patient.lane, [alarm.id], REPLAY, T0)
    assert returned.prompt
    await patient.stands(alarm, waiting)


async def test_a_station_tells_of_the_replay_and_the_attempts_go_on(patient: Patient) -> None:
    (delivery,) = await patient.set_aside(1)
    await patient.replay(delivery)
    document = await patient.document(delivery)
    assert "aside" not in document
    assert document["stations"][-1] | {"at": ""} == {
        "at": "", "state": "routed", "detail": "HUB_REPLAYED", "facts": {"replay": "r1"},
    }  # fmt: skip
    assert (await patient.begins()).delivery.attempts == 2


async def test_a_delivery_in_line_is_withdrawn_and_restored_in_its_place(patient: Patient) -> None:
    first, second, third = [await patient.joins() for _ in range(3)]
    for each in (second, first):
        assert (await patient.taken_out(each, WITHDRAW)).took is Took.OUT
    await patient.stands(third)
    assert await patient.replay(second, back=RESTORE) == (second.id,)
    assert await patient.replay(first, back=RESTORE) == (first.id,)
    await patient.stands(first, second, third)
    assert (await patient.document(first))["state"] == State.ROUTED


async def test_what_is_being_tried_cannot_be_withdrawn_and_the_others_can(patient: Patient) -> None:
    tried, behind = await patient.joins(), await patient.joins()
    begun = await patient.begins()
    assert (await patient.stores.taking_out.delivery(tried.id, patient.lane, WITHDRAW, T0)).took is Took.BUSY
    assert (await patient.stores.taking_out.delivery(behind.id, patient.lane, WITHDRAW, T0)).took is Took.OUT
    assert not await patient.stores.deliveries.end(begun, Step.DELIVER, Outcome(T0))
    assert (await patient.stores.taking_out.delivery(tried.id, patient.lane, WITHDRAW, T0)).took is Took.TOO_LATE
    assert (await patient.stores.taking_out.delivery(behind.id, patient.lane, WITHDRAW, T0)).took is Took.BEFORE


async def test_withdrawing_while_the_lane_is_worked_on_hands_over_or_withdraws_each(patient: Patient) -> None:
    there = [await patient.joins() for _ in range(6)]

    async def withdraw(delivery: Delivery) -> str | None:
        try:
            taken = await patient.stores.taking_out.delivery(delivery.id, patient.lane, WITHDRAW, T0)
        except ConditionFailed:
            return None
        return delivery.id if taken.took is Took.OUT else None

    async def work() -> list[str]:
        try:
            return await patient.delivered()
        except Gone:
            return []

    working = asyncio.create_task(work())
    withdrawn = await asyncio.gather(*(withdraw(each) for each in there[::2]))
    handed = [*await working, *await patient.delivered()]
    assert not set(handed) & set(withdrawn)
    assert sorted((*handed, *(each for each in withdrawn if each))) == sorted(each.id for each in there)


async def test_what_blocked_a_lane_and_is_withdrawn_or_expires_lets_it_go_on(patient: Patient) -> None:
    for out in (WITHDRAW, EXPIRE):
        (blocker,) = await patient.set_aside(1, blocks=True)
        behind = await patient.joins()
        taken = await patient.stores.taking_out.delivery(blocker.id, patient.lane, out, T0)
        assert (taken.took, taken.goes_on) == (Took.OUT, Urgency.ROUTINE)
        assert await patient.delivered() == [behind.id]


async def test_the_last_one_withdrawn_leaves_a_line_that_is_never_due(patient: Patient) -> None:
    only = await patient.joins()
    assert (await patient.taken_out(only, WITHDRAW)).took is Took.OUT
    await patient.stands()
    assert patient.lane not in {each.lane for each in await patient.stores.deliveries.overdue(T0 + 99 * GRACE, 500)}


async def test_expiring_takes_nothing_that_has_been_put_back_into_line(patient: Patient) -> None:
    (delivery,) = await patient.set_aside(1)
    await patient.replay(delivery)
    taken = await patient.stores.taking_out.delivery(delivery.id, patient.lane, EXPIRE, T0, aside_only=True)
    assert taken.took is not Took.OUT
    await patient.stands(delivery)


async def test_groups_are_by_receiver_and_cause_with_their_number_and_age(stores: Stores, orgnr: str) -> None:
    one, other = Patient(stores, orgnr), Patient(stores, orgnr)
    await one.set_aside(3)
    await other.joins()
    await other.refused(await other.begins(), at=T0 + 9 * SECOND)
    await other.joins()
    await other.refused(await other.begins(), at=T0, cause="HUB_GAVE_UP")
    found = (await stores.set_aside.groups(Filter(orgnr))).groups
    assert [(each.receiver, each.cause, each.count, each.at_least) for each in found] == [
        ("epj", "HUB_GAVE_UP", 1, False),
        ("epj", "REC_HTTP_422", 4, False),
    ]
    assert (found[1].oldest, found[1].newest) == (T0, T0 + 9 * SECOND)
    first = await stores.set_aside.groups(Filter(orgnr), limit=1)
    assert first.next is not None
    second = await stores.set_aside.groups(Filter(orgnr), first.next, 1)
    assert (*first.groups, *second.groups) == found
    since = await stores.set_aside.groups(Filter(orgnr, since=T0 + 5 * SECOND))
    assert [(each.cause, each.count) for each in since.groups] == [("REC_HTTP_422", 1)]
    assert await stores.set_aside.keys(Filter(orgnr)) == (f"{orgnr}/epj",)
    assert await stores.set_aside.keys(Filter(orgnr, receiver="other")) == ()


async def test_an_event_without_a_receiver_comes_back_before_those_that_came_later(
    stores: Stores, patient: Patient
) -> None:
    events = [patient.event() for _ in range(3)]
    for each in events:
        await come_for_nobody(stores, each)
    (group,) = (await stores.set_aside.groups(Filter(patient.orgnr))).groups
    assert (group.receiver, group.cause, group.count) == ("", NO_RECEIVER, 3)
    found = await stores.set_aside.in_lane(Filter(patient.orgnr), patient.inbound, "", 10)
    assert [each.event for each in found] == [each.id for each in events]
    back = Back(Step.RETURN, REPLAYED, {})
    for each in (events[1], events[2], events[0]):
        assert (await stores.returning.events(patient.inbound, [each.id], back, T0)).ids == (each.id,)
    assert await stores.events.pending(patient.inbound) == tuple(events)
    await stores.events.routed(events[0], receipts_of(events[0]), T0)
    assert await stores.events.pending(patient.inbound) == tuple(events[1:])


async def test_what_is_routed_late_goes_before_what_was_accepted_after_it(stores: Stores, patient: Patient) -> None:
    before = await patient.joins()
    early = delivery_of(patient.event())
    later = await patient.joins()
    for _ in range(2):
        await stores.deliveries.create(early)
    await patient.stands(before, early, later)


async def test_it_is_known_whose_payload_is_gone(stores: Stores, patient: Patient) -> None:
    kept, gone = patient.event(), patient.event()
    await come(stores, kept)
    await stores.intake.accept(gone, b"{}", receipts_of(gone), replace(KEEPING, for_=timedelta(seconds=1)))

    async def gone_by_now() -> bool:
        return await stores.returning.with_payload(patient.inbound, [kept.id, gone.id]) == {kept.id}

    await until(gone_by_now, "the database to delete it", 20)
    # What is known about it stays.
    assert await stores.events.find(gone.id, patient.inbound) is not None


async def test_one_message_is_found_by_its_id(stores: Stores, patient: Patient) -> None:
    delivery = await patient.joins()
    event = delivery.event
    assert await stores.set_aside.of_message(event.id) == ()
    await patient.refused(await patient.begins())
    for id in (event.id, delivery.id):
        (found,) = await stores.set_aside.of_message(id)
        assert (found.id, found.event, found.cause, found.place) == (delivery.id, event.id, "REC_HTTP_422", 1)
    assert await stores.set_aside.of_message(replace(event, id=event.id[:-1]).id) == ()
    assert await stores.set_aside.of_message(f"{event.id}.other") == ()


async def test_a_page_goes_on_where_the_last_one_ended(stores: Stores, patient: Patient) -> None:
    aside = await patient.set_aside(3)
    key = f"{patient.orgnr}/epj"
    first = await stores.set_aside.items(Filter(patient.orgnr), key, None, 2)
    rest = await stores.set_aside.items(Filter(patient.orgnr), key, first[-1].at + timedelta(microseconds=1), 2)
    assert [each.id for each in (*first, *rest)] == [each.id for each in aside]
    assert line_id(patient.lane) not in {each.id for each in first}
