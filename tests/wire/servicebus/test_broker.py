"""The broker's rules, without a wire: what may never happen whatever the order of things."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sandbox.amqp import codec
from sandbox.servicebus import ManualClock
from sandbox.servicebus.broker import Broker
from sandbox.servicebus.message import ACTIVE, Sent, read
from sandbox.servicebus.queue import Queue
from sandbox.servicebus.refusals import Refusal
from sandbox.servicebus.sessions import Session, Wait
from sandbox.servicebus.storage import Storage
from sandbox.topology import Queue as Rules

RULES = (
    Rules("plain", lock_duration=timedelta(seconds=30), max_delivery_count=3),
    Rules("lanes", requires_session=True, lock_duration=timedelta(seconds=30), max_delivery_count=3),
    Rules(
        "kept",
        default_time_to_live=timedelta(days=14),
        dead_letter_on_expiration=True,
        lock_duration=timedelta(minutes=1),
    ),
)


def sent(name: str, session: str | None = None, ttl: int | None = None) -> Sent:
    properties = codec.Properties(message_id=name, group_id=session)
    return read(codec.build(codec.Message(header=codec.Header(ttl=ttl), properties=properties, data=(b"",))))


@dataclass(eq=False)
class Receiver:
    """A consumer that keeps what it gets."""

    credit: int = 1
    settled: bool = False
    got: list[tuple[bytes, str, int]] = field(default_factory=list)
    session: Session | None = None
    ended: bool = False
    on_delivery: Callable[[str], None] = lambda _: None

    @property
    def holder(self) -> object:
        return self

    def deliver(self, token: bytes, payload: bytes) -> None:
        message = codec.parse(payload)
        assert message.header is not None
        self.credit -= 1
        self.on_delivery(message.properties.message_id)
        self.got.append((token, message.properties.message_id, message.header.delivery_count or 0))

    def session_ended(self, why: Refusal) -> None:
        self.ended, self.session = True, None


@dataclass
class World:
    """A broker on a folder, that can die and come back."""

    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.storage = Storage(self.folder)
        self.broker = Broker(RULES, self.storage, self.clock, lambda: None)

    def die(self) -> None:
        """As kill -9 does: whatever is not committed is gone."""
        self.broker.stop()
        self.storage.close()
        self.start()

    def later(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.broker.settle()

    def send(self, queue: str, *messages: Sent) -> None:
        self.broker.find(queue).send(list(messages))
        self.broker.settle()

    def take(self, queue: str, receiver: Receiver) -> Receiver:
        self.broker.find(queue).wants(receiver)
        self.broker.settle()
        return receiver

    def next_session(self) -> Receiver:
        receiver = Receiver()
        queue = self.broker.find("lanes")
        assert queue.sessions is not None

        def granted(session: Session) -> None:
            receiver.session = session

        queue.sessions.accept_next(Wait(receiver, granted, receiver.session_ended), 1000)
        queue.context.dirty.add(queue)
        self.broker.settle()
        return receiver


@contextmanager
def temporary_world() -> Iterator[World]:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            yield world
        finally:
            world.storage.close()


@pytest.fixture
def world() -> Iterator[World]:
    with temporary_world() as world:
        yield world


def test_messages_go_to_the_receivers_in_turn(world: World) -> None:
    receivers = [Receiver(credit=10), Receiver(credit=10)]
    for receiver in receivers:
        world.take("plain", receiver)
    world.send("plain", *(sent(str(number)) for number in range(6)))
    assert [[name for _, name, _ in receiver.got] for receiver in receivers] == [["0", "2", "4"], ["1", "3", "5"]]


def test_a_busy_session_does_not_keep_others_waiting(world: World) -> None:
    world.send("lanes", *(sent(str(number), "busy") for number in range(50)))
    first = world.next_session()
    world.send("lanes", sent("x", "quiet"))
    world.broker.find("lanes").gone(first)
    second, third = world.next_session(), world.next_session()
    assert [one.session and one.session.id for one in (second, third)] == ["quiet", "busy"]


def test_a_session_that_is_empty_is_forgotten(world: World) -> None:
    queue = world.broker.find("lanes")
    assert queue.sessions is not None
    for number in range(100):
        world.send("lanes", sent("m", f"s{number}"))
        receiver = world.take("lanes", world.next_session())
        queue.complete(receiver.got[0][0])
        queue.gone(receiver)
    world.broker.settle()
    assert queue.sessions.remembered == 0


def test_a_lock_that_runs_out_again_and_again_ends_in_the_dead_letters(world: World) -> None:
    world.send("plain", sent("poison"))
    for count in range(3):
        receiver = world.take("plain", Receiver())
        assert receiver.got[0][1:] == ("poison", count)
        world.later(31)
    assert not world.take("plain", Receiver()).got
    assert world.take("plain/$deadletterqueue", Receiver()).got[0][1:] == ("poison", 3)


def test_a_message_that_expires_while_it_is_locked_is_dead_lettered_when_let_go(world: World) -> None:
    queue = world.broker.find("kept")
    world.send("kept", sent("m", ttl=30_000))
    receiver = world.take("kept", Receiver())
    world.later(45)
    assert list(queue.browse(0, None))
    queue.abandon(receiver.got[0][0])
    world.broker.settle()
    assert world.take("kept/$deadletterqueue", Receiver()).got[0][1] == "m"


def test_the_queues_time_to_live_holds_for_messages_that_ask_for_longer(world: World) -> None:
    world.send("kept", sent("m", ttl=2**32 - 1))
    world.later(14 * 86400 - 1)
    assert list(world.broker.find("kept").browse(0, None))
    world.later(2)
    assert not list(world.broker.find("kept").browse(0, None))


def test_what_was_in_flight_when_the_broker_died_counts_as_delivered(world: World) -> None:
    world.send("plain", sent("m"))
    for count in range(3):
        assert world.take("plain", Receiver()).got[0][1:] == ("m", count)
        world.die()
    assert not world.take("plain", Receiver()).got
    assert world.take("plain/$deadletterqueue", Receiver()).got[0][1] == "m"


def test_sequence_numbers_are_never_given_twice(world: World) -> None:
    queue = world.broker.find("plain")
    world.send("plain", sent("1"))
    queue.complete(world.take("plain", Receiver()).got[0][0])
    world.broker.settle()
    world.die()
    assert world.broker.find("plain").send([sent("2")]) == [2]


def test_a_receiver_that_stops_waiting_gets_no_session(world: World) -> None:
    gone = world.next_session()
    world.broker.find("lanes").gone(gone)
    world.send("lanes", sent("m", "s"))
    assert gone.session is None
    assert world.next_session().session is not None


def test_another_connection_cannot_renew_or_use_a_session(world: World) -> None:
    world.send("lanes", sent("m", "s"))
    world.next_session()
    queue = world.broker.find("lanes")
    assert queue.sessions is not None
    with pytest.raises(Refusal, match="session lock"):
        queue.sessions.held_by("s", Receiver())


class Road(RuleBasedStateMachine):
    """Whatever senders, receivers, time and crashes do: every message accepted and not completed is somewhere, once;
    within a session nothing is handed out before what was sent before it; no session is held by two; nobody who asks
    is left without."""

    @initialize()
    def begin(self) -> None:
        self.manager = temporary_world()
        self.world = self.manager.__enter__()
        self.alive: dict[str, str] = {}
        self.receivers: list[Receiver] = []
        self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "manager"):
            self.manager.__exit__(None, None, None)

    def is_first(self, receiver: Receiver, name: str) -> None:
        assert receiver.session is not None
        assert all(name < waiting for waiting in self.waiting(receiver.session.id))

    def waiting(self, session_id: str) -> list[str]:
        browsed = self.queue.browse(0, session_id)
        return [m.sent.message_id for m in browsed if m.token is None and m.state == ACTIVE]

    @property
    def queue(self) -> Queue:
        return self.world.broker.find("lanes")

    @rule(session=st.sampled_from("abc"))
    def send(self, session: str) -> None:
        self.count += 1
        name = f"{self.count:04}"
        self.alive[name] = session
        self.world.send("lanes", sent(name, session))

    @rule()
    def accept(self) -> None:
        receiver = self.world.next_session()
        if receiver.session is None:
            self.queue.gone(receiver)
        else:
            self.receivers.append(receiver)
            receiver.on_delivery = lambda name: self.is_first(receiver, name)
            self.world.take("lanes", receiver)
        self.world.broker.settle()

    @precondition(lambda self: self.receivers)
    @rule(data=st.data(), how=st.sampled_from(["complete", "abandon", "release", "bury", "leave", "more"]))
    def act(self, data: st.DataObject, how: str) -> None:
        receiver = data.draw(st.sampled_from(self.receivers))
        if how == "leave":
            self.queue.gone(receiver)
            self.receivers.remove(receiver)
        elif how == "more":
            receiver.credit += 1
            self.queue.wants(receiver)
        elif receiver.got:
            token, name, _ = receiver.got.pop(0)
            try:
                if how == "complete":
                    self.queue.complete(token)
                    del self.alive[name]
                elif how == "bury":
                    self.queue.dead_letter(token, "r", None)
                else:
                    self.queue.abandon(token, counted=how == "abandon")
            except Refusal:
                assert receiver.ended
        self.world.broker.settle()

    @rule(seconds=st.sampled_from([1, 20, 31]))
    def wait(self, seconds: int) -> None:
        self.world.later(seconds)

    @rule()
    def die(self) -> None:
        self.world.die()
        self.receivers.clear()

    @invariant()
    def everything_is_somewhere_once(self) -> None:
        if not hasattr(self, "world"):
            return
        places = [m.sent.message_id for name in ("lanes", "lanes/$deadletterqueue")
                  for m in self.world.broker.find(name).browse(0, None)]  # fmt: skip
        assert sorted(places) == sorted(self.alive)

    @invariant()
    def a_session_is_held_by_one_who_has_what_it_asked_for(self) -> None:
        holding = [one for one in getattr(self, "receivers", []) if one.session is not None and not one.ended]
        sessions = [one.session.id for one in holding if one.session is not None]
        assert len(sessions) == len(set(sessions))
        for receiver in holding:
            assert receiver.session is not None
            assert receiver.credit == 0 or not self.waiting(receiver.session.id)


Road.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestRoad = Road.TestCase
