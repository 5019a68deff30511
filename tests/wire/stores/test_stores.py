"""The stores of events and deliveries over the real Cosmos SDK: what they promise when several work at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import count

import pytest

from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Change, ConditionFailed, NotThere, Patch
from shared.messages.events import EventStore
from shared.messages.intake import NO_RECEIVER, Keeping
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.tries import Elsewhere, Gone, Outcome, Try
from shared.messages.urgency import Urgency
from shared.messages.worklist import Joined
from tests.wire.stores.coming import (
    GRACE,
    KEEPING,
    ORGNR,
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
    returned,
    stores_over,
)

LONG_AFTER = T0 + timedelta(days=30)

_numbers = count()


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    """Stores over a Cosmos endpoint of their own."""
    async with opened(tmp_path_factory.mktemp("stores")) as cosmos:
        yield stores_over(cosmos)


@pytest.fixture
def patient() -> str:
    """A patient, and so lanes, that no other test has."""
    return f"patient{next(_numbers)}"


OUTCOME = Outcome(T0)


async def standing(stores: Stores, lane: Lane) -> list[str]:
    """The ids in the line of the one receiver, in order."""
    line = await stores.deliveries.line(lanes.toward(lane, "epj"))
    return [] if line is None else [each["id"] for each in line["pending"]]


async def begin(
    stores: Stores, lane: Lane, now: datetime, by: Urgency = Urgency.ROUTINE, *, woken: bool = False
) -> Try | None:
    """Begin a try that is not being made elsewhere."""
    begun = await stores.deliveries.begin(lane, by, now, SILENCE, woken=woken)
    assert not isinstance(begun, Elsewhere)
    return begun


async def told(stores: Stores, lane: Lane) -> Try:
    """Begin a try that the line tells of."""
    begun = await begin(stores, lane, T0)
    assert begun is not None
    said = await stores.deliveries.tell(begun, Urgency.ROUTINE, T0 + SILENCE)
    assert said is not None
    return said


async def due(store: EventStore | DeliveryStore, now: datetime, limit: int) -> dict[Lane, datetime]:
    """The lines that are overdue, and since when."""
    return {each.lane: each.due for each in await store.overdue(now, limit)}


async def test_the_same_event_is_stored_once_however_many_come_at_once(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    new = await asyncio.gather(*(come(stores, event) for _ in range(8)))
    assert sorted(each is not None for each in new) == [False] * 7 + [True]
    assert await standing(stores, event.lane) == [f"{event.id}.epj"]
    assert await stores.events.payload(event.id, event.lane) == b"{}"


async def test_events_that_race_for_a_new_lane_are_all_in_its_line(stores: Stores, patient: str) -> None:
    events = [event_of(patient, number) for number in range(10)]
    assert all(await asyncio.gather(*(come(stores, each) for each in events)))
    assert sorted(await standing(stores, events[0].lane)) == sorted(f"{each.id}.epj" for each in events)


async def test_the_line_is_in_the_order_of_acceptance(stores: Stores, patient: str) -> None:
    events = [event_of(patient, number) for number in range(5)]
    for each in events:
        await come(stores, each)
    assert await standing(stores, events[0].lane) == [f"{each.id}.epj" for each in events]


async def test_an_event_that_is_accepted_is_due_at_its_receiver_and_nowhere_else(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await come(stores, event)
    lane = delivery_of(event).lane
    assert lane not in await due(stores.deliveries, T0 + GRACE - SECOND, 500)
    assert (await due(stores.deliveries, T0 + GRACE + SECOND, 500))[lane] == T0 + GRACE
    assert event.lane not in await due(stores.events, LONG_AFTER, 500)


async def test_an_event_that_nobody_gets_is_set_aside_and_never_due(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await come_for_nobody(stores, event)
    document = await stores.events.find(event.id, event.lane)
    assert document is not None
    assert (document["state"], document["aside"]["cause"]) == (State.QUARANTINED, NO_RECEIVER)
    assert await stores.events.payload(event.id, event.lane) == b"{}"
    assert await stores.events.pending(event.lane) == ()
    assert event.lane not in await due(stores.events, LONG_AFTER, 500)
    assert await stores.intake.accept(event, b"{}", (), KEEPING) is None


async def test_an_event_that_was_put_back_is_due_until_it_is_routed(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await returned(stores, event)
    assert event.lane not in await due(stores.events, T0 + GRACE - SECOND, 500)
    assert (await due(stores.events, T0 + GRACE + SECOND, 500))[event.lane] == T0 + GRACE
    await stores.events.routed(event, (), T0)
    assert event.lane not in await due(stores.events, LONG_AFTER, 500)


async def test_who_is_put_back_while_the_last_one_leaves_is_still_due(stores: Stores, patient: str) -> None:
    # The worker saw one event in the lane; another was put back before it wrote that the lane is empty.
    leaving, joining = event_of(patient, 1), event_of(patient, 2, at=T0 + SECOND)
    await returned(stores, leaving, joining)
    await stores.events.routed(leaving, (), T0)
    assert await stores.events.pending(joining.lane) == (joining,)
    assert joining.lane in await due(stores.events, LONG_AFTER, 500)


async def test_routing_twice_is_told_so_and_changes_nothing(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await returned(stores, event)
    await stores.events.routed(event, receipts_of(event), T0)
    with pytest.raises(ConditionFailed):
        await stores.events.routed(event, (), T0 + SECOND)
    document = await stores.events.find(event.id, event.lane)
    assert document is not None
    assert [each["delivery"] for each in document["receivers"]] == [f"{event.id}.epj"]
    assert [each["state"] for each in document["stations"]] == ["received", "quarantined", "received", "routed"]


async def test_a_payload_that_is_not_there_is_told(stores: Stores, patient: str) -> None:
    with pytest.raises(NotThere):
        await stores.events.payload("nothing", event_of(patient).lane)


async def test_the_same_delivery_is_in_line_once(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    # Nobody was there to get it, until it was put back.
    assert await stores.intake.accept(event, b"{}", (), Keeping(None, {}, {})) == ()
    delivery = delivery_of(event)
    made = await asyncio.gather(*(stores.deliveries.create(delivery) for _ in range(6)))
    assert sorted(each.name for each in made) == ["AGAIN"] * 5 + ["FIRST"]
    assert await stores.deliveries.create(delivery) is Joined.AGAIN
    begun = await begin(stores, delivery.lane, T0)
    assert begun is not None
    assert not begun.more


async def test_a_try_that_is_told_of_is_counted(stores: Stores, patient: str) -> None:
    delivery = delivery_of(event_of(patient))
    await come(stores, delivery.event)
    for number in (1, 2, 3):
        begun = await told(stores, delivery.lane)
        assert begun.delivery.attempts == number
        found = await stores.deliveries.find(delivery.id, delivery.lane)
        assert found is not None
        assert (found["state"], found["attempts"]) == (State.DELIVERING, number)
    # Whoever began it may die: the lane is due when the silence has lasted too long, and not before.
    assert delivery.lane not in await due(stores.deliveries, T0 + SILENCE - SECOND, 500)
    assert delivery.lane in await due(stores.deliveries, T0 + SILENCE + SECOND, 500)


async def test_a_worker_that_was_given_up_cannot_settle_its_successors_try(stores: Stores, patient: str) -> None:
    delivery = delivery_of(event_of(patient))
    await come(stores, delivery.event)
    first, second = await told(stores, delivery.lane), await told(stores, delivery.lane)
    for step in (Step.DELIVER, Step.QUARANTINE):
        with pytest.raises(ConditionFailed):
            await stores.deliveries.end(first, step, OUTCOME)
    with pytest.raises(ConditionFailed):
        await stores.deliveries.wait(first, OUTCOME, T0 + SECOND, None)
    assert await stores.deliveries.end(second, Step.DELIVER, OUTCOME) is False
    found = await stores.deliveries.find(delivery.id, delivery.lane)
    assert found is not None
    assert (found["state"], found["attempts"]) == (State.DELIVERED, 2)


async def test_a_lane_whose_head_waits_begins_nothing_until_then(stores: Stores, patient: str) -> None:
    first, second = (delivery_of(event_of(patient, number)) for number in (1, 2))
    await come(stores, first.event)
    begun = await begin(stores, first.lane, T0)
    assert begun is not None
    until = T0 + timedelta(minutes=30)
    assert await stores.deliveries.wait(begun, Outcome(T0, "REC_HTTP_503"), until, None)
    # Another message for the patient comes, and with it a signal.
    await come(stores, second.event)
    assert await begin(stores, first.lane, T0 + SECOND) is None
    assert first.lane not in await due(stores.deliveries, until - SECOND, 500)
    assert (await due(stores.deliveries, until + SECOND, 500))[first.lane] == until
    again = await begin(stores, first.lane, until)
    assert again is not None
    assert (again.delivery.id, again.delivery.attempts, again.more) == (first.id, 2, True)


async def test_the_next_in_line_begins_with_its_own_first_try(stores: Stores, patient: str) -> None:
    first, second = (delivery_of(event_of(patient, number)) for number in (1, 2))
    await come(stores, first.event)
    await come(stores, second.event)
    for delivery, left in ((first, True), (second, False)):
        begun = await begin(stores, delivery.lane, T0)
        assert begun is not None
        assert (begun.delivery.id, begun.delivery.attempts) == (delivery.id, 1)
        assert await stores.deliveries.end(begun, Step.DELIVER, OUTCOME) is left
    assert await begin(stores, first.lane, T0) is None
    assert first.lane not in await due(stores.deliveries, LONG_AFTER, 500)


async def test_who_joins_a_line_while_its_last_one_ends_is_found(stores: Stores, patient: str) -> None:
    first, second = (delivery_of(event_of(patient, number)) for number in (1, 2))
    await come(stores, first.event)
    begun = await begin(stores, first.lane, T0)
    assert begun is not None
    await come(stores, second.event)
    assert await stores.deliveries.end(begun, Step.DELIVER, OUTCOME) is True
    assert first.lane in await due(stores.deliveries, LONG_AFTER, 500)


async def test_a_delivery_withdrawn_during_its_try_leaves_the_line(stores: Stores, patient: str) -> None:
    first, second = (delivery_of(event_of(patient, number)) for number in (1, 2))
    await come(stores, first.event)
    await come(stores, second.event)
    waits = await told(stores, first.lane)
    assert await stores.deliveries.wait(waits, Outcome(T0, "REC_HTTP_503"), T0, None)
    begun = await told(stores, first.lane)
    withdrawn = Patch(first.id, (Change("set", "/state", State.WITHDRAWN.value),))
    await stores.messages.patch(withdrawn, first.lane)
    with pytest.raises(Gone):
        await stores.deliveries.end(begun, Step.DELIVER, OUTCOME)
    following = await begin(stores, first.lane, T0)
    assert following is not None
    assert following.delivery.id == second.id


async def test_a_lane_that_was_never_there_has_nothing_to_do(stores: Stores, patient: str) -> None:
    lane = lanes.outbound(ORGNR, "epj", patient)
    assert await begin(stores, lane, T0) is None
    assert await stores.events.pending(lanes.inbound(ORGNR, patient)) == ()
    await stores.deliveries.postpone(lane, T0)
    assert await stores.deliveries.line(lane) is None


async def test_an_event_that_was_withdrawn_is_not_routed(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await returned(stores, event)
    withdrawn = Patch(event.id, (Change("set", "/state", State.WITHDRAWN.value),))
    await stores.messages.patch(withdrawn, event.lane)
    with pytest.raises(ConditionFailed):
        await stores.events.routed(event, (), T0)
