"""The stores of events and deliveries over the real Cosmos SDK: what they promise when several work at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sandbox.cosmos import serve
from sandbox.stores import Stores, open_stores
from sandbox.topology import load
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore, Elsewhere, Gone, Outcome, Try
from shared.messages.documents import Change, ConditionFailed, NotThere, Patch
from shared.messages.events import EventStore, Receipt
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.urgency import Urgency

LONG_AFTER = T0 + timedelta(days=30)

_numbers = count()


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    """Stores over a Cosmos endpoint of their own."""
    async with (
        serve(tmp_path_factory.mktemp("stores"), load()) as account,
        open_stores(account.connection_string, load().database, GRACE) as opened,
    ):
        yield opened


@pytest.fixture
def patient() -> str:
    """A patient, and so lanes, that no other test has."""
    return f"patient{next(_numbers)}"


OUTCOME = Outcome(T0)


async def begin(
    stores: Stores, lane: Lane, now: datetime, by: Urgency = Urgency.ROUTINE, *, woken: bool = False
) -> Try | None:
    """Begin a try that is not being made elsewhere."""
    begun = await stores.deliveries.begin(lane, by, now, SILENCE, woken=woken)
    assert not isinstance(begun, Elsewhere)
    return begun


async def due(store: EventStore | DeliveryStore, now: datetime, limit: int) -> dict[Lane, datetime]:
    """The lines that are overdue, and since when."""
    return {each.lane: each.due for each in await store.overdue(now, limit)}


async def test_the_same_event_is_stored_once_however_many_come_at_once(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    new = await asyncio.gather(*(stores.events.accept(event, b"{}") for _ in range(8)))
    assert sorted(new) == [False] * 7 + [True]
    assert [each.id for each in await stores.events.pending(event.lane)] == [event.id]
    assert await stores.events.payload(event.id, event.lane) == b"{}"


async def test_events_that_race_for_a_new_lane_are_all_in_its_list(stores: Stores, patient: str) -> None:
    events = [event_of(patient, number) for number in range(10)]
    assert all(await asyncio.gather(*(stores.events.accept(each, b"{}") for each in events)))
    pending = await stores.events.pending(events[0].lane)
    assert sorted(each.id for each in pending) == sorted(each.id for each in events)


async def test_the_list_is_in_the_order_of_acceptance(stores: Stores, patient: str) -> None:
    events = [event_of(patient, number) for number in range(5)]
    for each in events:
        await stores.events.accept(each, b"{}")
    assert await stores.events.pending(events[0].lane) == tuple(events)


async def test_an_event_that_is_not_routed_is_due(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await stores.events.accept(event, b"{}")
    assert event.lane not in await due(stores.events, T0 + GRACE - SECOND, 500)
    assert (await due(stores.events, T0 + GRACE + SECOND, 500))[event.lane] == T0 + GRACE


async def test_a_lane_without_work_is_never_due(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await stores.events.accept(event, b"{}")
    await stores.events.routed(event, (), T0)
    assert event.lane not in await due(stores.events, LONG_AFTER, 500)


async def test_who_joins_while_the_last_one_leaves_is_still_due(stores: Stores, patient: str) -> None:
    # The worker saw one event in the lane; another was accepted before it wrote that the lane is empty.
    leaving, joining = event_of(patient, 1), event_of(patient, 2)
    await stores.events.accept(leaving, b"{}")
    await stores.events.accept(joining, b"{}")
    await stores.events.routed(leaving, (), T0)
    assert await stores.events.pending(joining.lane) == (joining,)
    assert joining.lane in await due(stores.events, LONG_AFTER, 500)


async def test_routing_twice_is_told_so_and_changes_nothing(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await stores.events.accept(event, b"{}")
    receipt = Receipt("epj", "d", lanes.outbound("310000019", "epj", patient))
    await stores.events.routed(event, (receipt,), T0)
    with pytest.raises(ConditionFailed):
        await stores.events.routed(event, (), T0 + SECOND)
    document = await stores.events.find(event.id, event.lane)
    assert document is not None
    assert [each["delivery"] for each in document["receivers"]] == ["d"]
    assert len(document["stations"]) == 2


async def test_a_payload_that_is_not_there_is_told(stores: Stores, patient: str) -> None:
    with pytest.raises(NotThere):
        await stores.events.payload("nothing", event_of(patient).lane)


async def test_the_same_delivery_is_in_line_once(stores: Stores, patient: str) -> None:
    delivery = delivery_of(event_of(patient))
    made = await asyncio.gather(*(stores.deliveries.create(delivery) for _ in range(6)))
    assert sorted(each.name for each in made) == ["AGAIN"] * 5 + ["FIRST"]
    begun = await begin(stores, delivery.lane, T0)
    assert begun is not None
    assert not begun.more


async def test_a_try_is_counted_before_it_is_made(stores: Stores, patient: str) -> None:
    delivery = delivery_of(event_of(patient))
    await stores.deliveries.create(delivery)
    for number in (1, 2, 3):
        begun = await begin(stores, delivery.lane, T0)
        assert begun is not None
        assert begun.delivery.attempts == number
        found = await stores.deliveries.find(delivery.id, delivery.lane)
        assert found is not None
        assert (found["state"], found["attempts"]) == (State.DELIVERING, number)
    # Whoever began it may die: the lane is due when the silence has lasted too long, and not before.
    assert delivery.lane not in await due(stores.deliveries, T0 + SILENCE - SECOND, 500)
    assert delivery.lane in await due(stores.deliveries, T0 + SILENCE + SECOND, 500)


async def test_a_worker_that_was_given_up_cannot_settle_its_successors_try(stores: Stores, patient: str) -> None:
    delivery = delivery_of(event_of(patient))
    await stores.deliveries.create(delivery)
    first = await begin(stores, delivery.lane, T0)
    second = await begin(stores, delivery.lane, T0)
    assert first is not None
    assert second is not None
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
    await stores.deliveries.create(first)
    begun = await begin(stores, first.lane, T0)
    assert begun is not None
    until = T0 + timedelta(minutes=30)
    assert await stores.deliveries.wait(begun, Outcome(T0, "REC_HTTP_503"), until, None)
    # Another message for the patient comes, and with it a signal.
    await stores.deliveries.create(second)
    assert await begin(stores, first.lane, T0 + SECOND) is None
    assert first.lane not in await due(stores.deliveries, until - SECOND, 500)
    assert (await due(stores.deliveries, until + SECOND, 500))[first.lane] == until
    again = await begin(stores, first.lane, until)
    assert again is not None
    assert (again.delivery.id, again.delivery.attempts, again.more) == (first.id, 2, True)


async def test_the_next_in_line_begins_with_its_own_first_try(stores: Stores, patient: str) -> None:
    first, second = (delivery_of(event_of(patient, number)) for number in (1, 2))
    await stores.deliveries.create(first)
    await stores.deliveries.create(second)
    for delivery, left in ((first, True), (second, False)):
        begun = await begin(stores, delivery.lane, T0)
        assert begun is not None
        assert (begun.delivery.id, begun.delivery.attempts) == (delivery.id, 1)
        assert await stores.deliveries.end(begun, Step.DELIVER, OUTCOME) is left
    assert await begin(stores, first.lane, T0) is None
    assert first.lane not in await due(stores.deliveries, LONG_AFTER, 500)


async def test_who_joins_a_line_while_its_last_one_ends_is_found(stores: Stores, patient: str) -> None:
    first, second = (delivery_of(event_of(patient, number)) for number in (1, 2))
    await stores.deliveries.create(first)
    begun = await begin(stores, first.lane, T0)
    assert begun is not None
    await stores.deliveries.create(second)
    assert await stores.deliveries.end(begun, Step.DELIVER, OUTCOME) is True
    assert first.lane in await due(stores.deliveries, LONG_AFTER, 500)


async def test_a_delivery_withdrawn_during_its_try_leaves_the_line(stores: Stores, patient: str) -> None:
    first, second = (delivery_of(event_of(patient, number)) for number in (1, 2))
    await stores.deliveries.create(first)
    await stores.deliveries.create(second)
    begun = await begin(stores, first.lane, T0)
    assert begun is not None
    withdrawn = Patch(first.id, (Change("set", "/state", State.WITHDRAWN.value),))
    await stores.deliveries._container.patch(withdrawn, first.lane)
    with pytest.raises(Gone):
        await stores.deliveries.end(begun, Step.DELIVER, OUTCOME)
    following = await begin(stores, first.lane, T0)
    assert following is not None
    assert following.delivery.id == second.id


async def test_a_lane_that_was_never_there_has_nothing_to_do(stores: Stores, patient: str) -> None:
    lane = lanes.outbound("310000019", "epj", patient)
    assert await begin(stores, lane, T0) is None
    assert await stores.events.pending(lanes.inbound("310000019", patient)) == ()
    await stores.deliveries.postpone(lane, T0)
    assert await stores.deliveries._container.read(LANE_DOCUMENT, lane) is None


async def test_an_event_that_was_withdrawn_is_not_routed(stores: Stores, patient: str) -> None:
    event = event_of(patient)
    await stores.events.accept(event, b"{}")
    withdrawn = Patch(event.id, (Change("set", "/state", State.WITHDRAWN.value),))
    await stores.events._container.patch(withdrawn, event.lane)
    with pytest.raises(ConditionFailed):
        await stores.events.routed(event, (), T0)
