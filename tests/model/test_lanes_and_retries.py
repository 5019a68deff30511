"""Whatever happens, in whatever order: nothing is lost or out of order, nothing is left without a next step."""

from collections import deque
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.messages.lifecycle import State
from shared.messages.urgency import Urgency
from shared.registry.model import WhenRefused
from tests.model.memory import Trouble
from tests.model.world import TAKING, Manner, World

PATIENTS = st.sampled_from(["ada", "bo", "cai"])
RECEIVERS = st.sampled_from(["epj", "arkiv"])
HOUR = timedelta(hours=1)


PLAIN = [each for each in Manner if each not in (Manner.FREEZES, Manner.LOSES_ANSWER)]
"""How a receiver may treat calls without there being a reason to call it twice."""


class Road(RuleBasedStateMachine):
    """A simple model beside the hub: what was accepted, in which order, is what each receiver must hold at the end."""

    world: World

    @initialize(when_refused=st.sampled_from(WhenRefused))
    def begin(self, when_refused: WhenRefused) -> None:
        """A hub in which nothing has happened."""
        self.world = World(when_refused)
        self.world.wake_every = timedelta(minutes=1)

    @rule(patient=PATIENTS, urgency=st.sampled_from(Urgency), count=st.integers(1, 3))
    def accept(self, patient: str, urgency: Urgency, count: int) -> None:
        """Messages about a patient are posted."""
        for _ in range(count):
            self.world.accept(patient, urgency)

    @rule(seconds=st.sampled_from([0.5, 2, 15, 61, 600]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.world.advance(timedelta(seconds=seconds))

    @rule(hours=st.sampled_from([1, 7]))
    def wait_long(self, hours: int) -> None:
        """Much time passes."""
        self.world.advance(timedelta(hours=hours))

    @rule(patient=PATIENTS, manner=st.sampled_from([Manner.TAKES, Manner.ERROR, Manner.REFUSES]))
    def a_patient_is_trouble(self, patient: str, manner: Manner) -> None:
        """From now on calls about a patient are treated so."""
        self.world.manners[patient] = manner

    @rule(count=st.integers(1, 5))
    def signals_get_lost(self, count: int) -> None:
        """Service Bus takes nothing for a while."""
        self.world.lost_signals += count

    @invariant()
    def nobody_is_left_without_a_next_step(self) -> None:
        """P2, at every moment."""
        assert self.world.orphans() == []

    @invariant()
    def each_receiver_holds_what_it_has_in_the_order_of_acceptance(self) -> None:
        """P4, at every moment."""
        for receiver, held in self.world.held.items():
            for patient in ("ada", "bo", "cai"):
                order = [f"{event.id}.{receiver}" for event in self.world.accepted if event.patient == patient]
                assert [key for key in held if key in set(order)] == [key for key in order if key in set(held)]

    @invariant()
    def nobody_is_called_twice_without_a_reason(self) -> None:
        """P3: a duplicate follows a lost answer, or a worker's end, and nothing else."""
        if self.world.excused:
            return
        for calls in self.world.calls.values():
            taken = [call.key for call in calls if call.answer in TAKING]
            assert len(taken) == len(set(taken))

    @invariant()
    def nobody_is_tried_while_another_of_its_lane_is(self) -> None:
        """P4: two queues' workers keep out of each other's way, however long a try lasts."""
        assert self.world.overlaps == []

    def teardown(self) -> None:
        """Once everything is well, everything has arrived, but for what was set aside."""
        if not hasattr(self, "world"):
            return
        world = self.world
        try:
            world.heal()
            world.advance(timedelta(hours=7))
            assert world.orphans() == []
            blocks = world.municipality.when_refused is WhenRefused.BLOCK
            for event in world.accepted:
                for receiver in world.receivers:
                    state = world.state(event, receiver)
                    if blocks and state in {State.ROUTED, State.WAITING}:
                        behind = [other for other in world.accepted if other.patient == event.patient]
                        assert any(world.state(other, receiver) is State.QUARANTINED for other in behind)
                        continue
                    assert state in {State.DELIVERED, State.QUARANTINED}, (event.id, receiver, state)
                    if state is State.DELIVERED:
                        assert f"{event.id}.{receiver}" in world.held[receiver]
        finally:
            world.close_loop()


class Lanes(Road):
    """Everything fails that can."""

    @rule(receiver=RECEIVERS, manner=st.sampled_from([each for each in Manner if each is not Manner.FREEZES]))
    def a_receiver_changes(self, receiver: str, manner: Manner) -> None:
        """From now on a receiver treats all calls so."""
        self.world.manners[receiver] = manner

    @rule(receiver=RECEIVERS, manners=st.lists(st.sampled_from(Manner), min_size=1, max_size=4))
    def a_receiver_has_moods(self, receiver: str, manners: list[Manner]) -> None:
        """The next few calls are treated so."""
        self.world.once.setdefault(receiver, deque()).extend(manners)

    @rule(troubles=st.lists(st.none() | st.sampled_from(Trouble), min_size=1, max_size=12))
    def the_store_has_trouble(self, troubles: list[Trouble | None]) -> None:
        """The next few operations of workers go wrong, or their workers die."""
        self.world.troubles.extend(troubles)

    @rule()
    def thaw(self) -> None:
        """Workers that stood still go on."""
        self.world.thaw()


class Unhurried(Road):
    """Only receivers fail, and take their time: nobody has a reason to call twice, or while another is at it."""

    @rule(receiver=RECEIVERS, manner=st.sampled_from(PLAIN))
    def a_receiver_changes(self, receiver: str, manner: Manner) -> None:
        """From now on a receiver treats all calls so."""
        self.world.manners[receiver] = manner

    @rule(receiver=RECEIVERS, manners=st.lists(st.sampled_from(PLAIN), min_size=1, max_size=4))
    def a_receiver_has_moods(self, receiver: str, manners: list[Manner]) -> None:
        """The next few calls are treated so."""
        self.world.once.setdefault(receiver, deque()).extend(manners)

    @rule(receiver=RECEIVERS, patient=PATIENTS, manner=st.sampled_from([Manner.SLOW, Manner.SLUGGISH, Manner.SILENT]))
    def an_alarm_comes_behind_what_takes_its_time(self, receiver: str, patient: str, manner: Manner) -> None:
        """A measurement is on its way, and an alarm comes."""
        self.world.once.setdefault(receiver, deque()).append(manner)
        self.world.accept(patient)
        self.world.accept(patient, Urgency.PROMPT)
        self.world.advance(timedelta(seconds=3))

    @rule(patient=PATIENTS, urgency=st.sampled_from(Urgency))
    def a_moment_passes(self, patient: str, urgency: Urgency) -> None:
        """A message comes and some of the time that it takes passes."""
        self.world.accept(patient, urgency)
        self.world.advance(timedelta(seconds=0.6))


for machine, examples in ((Lanes, 40), (Unhurried, 25)):
    machine.TestCase.settings = settings(
        max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
TestLanes, TestUnhurried = Lanes.TestCase, Unhurried.TestCase
