"""Outages on a clock of their own: when what is tried, when people must decide, and who is not held up."""

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from shared import clock
from shared.delivery.schedule import load
from shared.messages.lifecycle import State
from shared.messages.urgency import Urgency
from shared.registry.model import WhenRefused
from tests.model.memory import Trouble
from tests.model.world import T0, Manner, World

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
HORIZON = timedelta(hours=76)


@pytest.fixture
def world() -> Iterator[World]:
    """A hub in which nothing has happened."""
    made = World()
    yield made
    made.close_loop()


def calls_about(world: World, receiver: str, patient: str) -> list[timedelta]:
    """When a receiver was called about a patient, after the beginning."""
    mine = {event.id for event in world.accepted if event.patient == patient}
    return [call.at - T0 for call in world.calls[receiver] if call.key.rpartition(".")[0] in mine]


@pytest.mark.parametrize("urgency", Urgency)
def test_after_76_hours_of_outage_a_message_waits_for_a_person_and_not_a_minute_before(
    world: World, urgency: Urgency
) -> None:
    world.wake_every = timedelta(minutes=10)
    world.manners["epj"] = Manner.ERROR
    event = world.accept("ada", urgency)
    assert event is not None
    world.advance(HORIZON - SECOND)
    assert world.state(event, "epj") in {State.WAITING, State.ROUTED}
    world.advance(HOUR)
    document = world.document(event, "epj")
    assert document is not None
    assert (document["state"], document["aside"]["cause"]) == (State.QUARANTINED, "HUB_GAVE_UP")
    # The last try comes at the very end.
    assert calls_about(world, "epj", "ada")[-1] >= HORIZON
    assert world.state(event, "arkiv") is State.DELIVERED
    assert world.orphans() == []


def test_whatever_was_accepted_in_an_outage_arrives_in_order_when_it_ends(world: World) -> None:
    world.wake_every = timedelta(minutes=10)
    world.manners |= {"epj": Manner.DOWN, "arkiv": Manner.ERROR}
    events = []
    for hour in range(30):
        events += [world.accept(f"patient{hour % 5}", Urgency.PROMPT if hour % 3 == 0 else Urgency.ROUTINE)]
        world.advance(HOUR)
    world.manners.clear()
    world.advance(timedelta(minutes=12))
    for receiver in world.receivers:
        for patient in range(5):
            mine = [f"{each.id}.{receiver}" for each in events if each and each.patient == f"patient{patient}"]
            assert [key for key in world.held[receiver] if key in mine] == mine


def test_an_alarms_first_retry_comes_within_a_second(world: World) -> None:
    world.once["epj"] = deque([Manner.ERROR])
    world.accept("ada", Urgency.PROMPT)
    world.advance(2 * SECOND)
    first, second = calls_about(world, "epj", "ada")
    assert second - first <= SECOND


def test_an_alarm_is_tried_by_its_own_schedule_for_an_hour(world: World) -> None:
    # One patient's own trouble: the receiver itself is well, so that no breaker bears on it.
    world.accept("bo")
    world.advance(SECOND)
    world.manners["ada"] = Manner.ERROR
    world.accept("ada", Urgency.PROMPT)
    for _ in range(60):
        world.advance(timedelta(minutes=1))
        world.accept("bo")
    waits = [later - earlier for earlier, later in pairwise(calls_about(world, "epj", "ada"))]
    planned = load(Urgency.PROMPT).waits
    assert len(waits) >= 60
    for made, wanted in zip(waits, planned, strict=False):
        assert wanted * 0.89 <= made <= wanted * 1.11 + SECOND


def test_an_alarm_behind_a_measurement_does_not_wait_for_its_hours(world: World) -> None:
    world.manners["ada"] = Manner.ERROR
    measurement = world.accept("ada")
    for _ in range(10):
        world.advance(HOUR / 2)
        world.accept("bo")
    world.manners.clear()
    accepted = world.now
    alarm = world.accept("ada", Urgency.PROMPT)
    world.advance(SECOND)
    assert measurement is not None
    assert alarm is not None
    assert [world.state(each, "epj") for each in (measurement, alarm)] == [State.DELIVERED, State.DELIVERED]
    assert world.now - accepted <= SECOND


def test_a_measurement_before_an_alarm_is_tried_as_often_as_the_alarm_would_be(world: World) -> None:
    world.manners["ada"] = Manner.ERROR
    world.accept("ada")
    world.advance(HOUR)
    before = len(calls_about(world, "epj", "ada"))
    world.accept("ada", Urgency.PROMPT)
    for _ in range(5):
        world.advance(timedelta(minutes=1))
        world.accept("bo")
    assert len(calls_about(world, "epj", "ada")) - before >= 8


def test_a_dead_receiver_is_not_hammered_and_all_its_lanes_are_served_soon_after_it_is_back(world: World) -> None:
    world.manners["epj"] = Manner.DOWN
    events = [world.accept(f"patient{number}") for number in range(60)]
    world.advance(HOUR)
    # Five calls open the breaker, a few were on their way, and then there is a probe every fifteen seconds.
    assert len(world.calls["epj"]) <= 5 + 60 + 4 * 60 + 5
    begun = world.now
    world.manners.clear()
    world.advance(timedelta(seconds=60))
    assert all(world.state(each, "epj") is State.DELIVERED for each in events if each is not None)
    assert world.now - begun <= timedelta(seconds=60)


def test_a_dead_receiver_and_a_stuck_patient_hold_up_nobody_else(world: World) -> None:
    world.manners |= {"epj": Manner.DOWN, "ada": Manner.ERROR}
    world.accept("ada")
    for number in range(30):
        accepted = world.now
        event = world.accept(f"patient{number}")
        assert event is not None
        world.advance(SECOND)
        document = world.document(event, "arkiv")
        assert document is not None
        assert document["state"] == State.DELIVERED
        assert document["stations"][-1]["at"] == clock.written(accepted)


def test_a_refused_message_is_set_aside_and_the_lane_goes_on(world: World) -> None:
    world.once["epj"] = deque([Manner.REFUSES])
    first, second = world.accept("ada"), world.accept("ada")
    world.advance(SECOND)
    assert first is not None
    assert second is not None
    assert [world.state(each, "epj") for each in (first, second)] == [State.QUARANTINED, State.DELIVERED]


def test_a_refused_message_blocks_its_lane_and_no_other_where_the_municipality_chose_so() -> None:
    world = World(WhenRefused.BLOCK)
    world.once["epj"] = deque([Manner.REFUSES])
    first, second = world.accept("ada"), world.accept("ada")
    world.advance(SECOND)
    third, other = world.accept("ada", Urgency.PROMPT), world.accept("bo")
    world.advance(10 * 24 * HOUR)
    states = [world.state(each, "epj") for each in (first, second, third, other) if each is not None]
    assert states == [State.QUARANTINED, State.ROUTED, State.ROUTED, State.DELIVERED]
    assert world.orphans() == []
    world.close_loop()


def test_a_worker_that_stood_still_past_its_lock_changes_nothing_when_it_comes_back(world: World) -> None:
    world.once["epj"] = deque([Manner.FREEZES])
    events = [world.accept("ada") for _ in range(3)]
    world.advance(5 * 60 * SECOND)
    keys = [f"{each.id}.epj" for each in events if each is not None]
    assert world.held["epj"] == keys
    world.thaw()
    world.advance(60 * SECOND)
    assert world.held["epj"] == keys
    document = world.document(events[0], "epj") if events[0] else None
    assert document is not None
    # The try of the one who stood still was never told of, and its outcome came too late: it is not counted.
    assert (document["state"], document["attempts"]) == (State.DELIVERED, 1)
    assert [each["state"] for each in document["stations"]] == [State.ROUTED, State.DELIVERED]


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("at", range(14))
def test_a_fault_at_any_operation_of_the_road_loses_nothing(world: World, trouble: Trouble, at: int) -> None:
    events = [world.accept("ada"), world.accept("ada", Urgency.PROMPT)]
    world.troubles.extend([*([None] * at), trouble])
    world.advance(timedelta(minutes=5))
    for receiver in world.receivers:
        assert world.held[receiver] == [f"{each.id}.{receiver}" for each in events if each is not None]
    assert all(
        world.state(each, receiver) is State.DELIVERED for each in events if each for receiver in world.receivers
    )
    assert world.orphans() == []


@pytest.mark.parametrize("lost", range(1, 7))
def test_lost_signals_lose_nothing(world: World, lost: int) -> None:
    world.lost_signals = lost
    events = [world.accept("ada"), world.accept("bo", Urgency.PROMPT)]
    world.advance(timedelta(minutes=5))
    assert len(world.accepted) == 2
    assert all(
        world.state(each, receiver) is State.DELIVERED for each in world.accepted for receiver in world.receivers
    ), events
