"""The hub's stations on a clock of their own: queues, database and receivers in memory, faults on request.

Everything that decides is the hub's own (stores, routing, delivering, orphan check); what is left out are sockets.
Seventy-six hours pass in seconds, and nothing sleeps.
"""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from types import SimpleNamespace
from typing import Any, Final, cast

from shared import clock
from shared.delivery import schedule
from shared.delivery.answers import Answer, Later, Refused, Taken
from shared.delivery.gatekeeper import Gatekeeper
from shared.delivery.standing import Standings
from shared.delivery.waking import Waking
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore, standing
from shared.messages.documents import Unreachable
from shared.messages.events import EventStore
from shared.messages.intake import Intake, Keeping
from shared.messages.lanes import Lane
from shared.messages.lifecycle import RESTING, State
from shared.messages.model import Delivery, Event
from shared.messages.partitions import ByLane
from shared.messages.signals import DELIVERIES, EVENTS, Queue, Signal, SignalLost
from shared.messages.urgency import Urgency
from shared.messages.worklist import INBOUND, OUTBOUND, Joined
from shared.registry.model import Municipality, Receiver, WhenRefused
from shared.road.delivering import Delivering, Pace
from shared.road.routing import Routing, receipts_of
from shared.road.watching import OrphanCheck
from tests.model.memory import Killed, MemoryContainer, Trouble

T0: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
LOCK: Final = timedelta(seconds=60)
"""How long a session stays with a worker that is not heard of."""
CHECK: Final = timedelta(seconds=30)
WAKE: Final = timedelta(seconds=5)
ORGNR: Final = "310000019"
TIMEOUT: Final = timedelta(seconds=30)
_AGAIN: Final = timedelta(seconds=5)


class Manner(Enum):
    """How a receiver treats a call."""

    TAKES = auto()
    DOWN = auto()
    ERROR = auto()
    LATER = auto()
    """429 with Retry-After."""
    REFUSES = auto()
    LOSES_ANSWER = auto()
    """It has the message, and the answer is lost."""
    FREEZES = auto()
    """The worker stands still while it waits for the answer, which is that the receiver has the message."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that reached a receiver."""

    at: datetime
    key: str
    lane: Lane
    answer: Manner


@dataclass(order=True)
class _Waiting:
    due: datetime
    number: int
    queue: Queue = field(compare=False)
    signal: Signal = field(compare=False)


LINES: Final = (INBOUND, OUTBOUND)


class World:
    """One municipality with two receivers. Times are UTC."""

    def __init__(self, when_refused: WhenRefused = WhenRefused.SET_ASIDE) -> None:
        self.now = T0
        self.loop = asyncio.new_event_loop()
        self.receivers = ("epj", "arkiv")
        self.manners: dict[str, Manner] = {}
        self.once: dict[str, deque[Manner]] = {}
        self.calls: dict[str, list[Call]] = {each: [] for each in self.receivers}
        self.held: dict[str, list[str]] = {each: [] for each in self.receivers}
        """What each receiver has, by idempotency key, in the order in which it got them first."""
        self.accepted: list[Event] = []
        self.troubles: deque[Trouble | None] = deque()
        self.lost_signals = 0
        self.excused = False
        """Whether something happened after which a receiver may be called again with the same key."""
        self.frozen: list[tuple[asyncio.Task[None], asyncio.Future[None]]] = []
        self._signals: list[_Waiting] = []
        self._numbers = itertools.count()
        self._locked: dict[tuple[Queue, Lane], datetime] = {}
        self._next_check = T0 + CHECK
        self.wake_every = WAKE
        self._next_wake = T0 + WAKE
        self._chances = itertools.cycle((0.1, 0.9, 0.5))
        self.messages = MemoryContainer(self._trouble)
        self.operations = MemoryContainer()
        self.intake = Intake(ByLane(self.messages))
        self.events = EventStore(ByLane(self.messages))
        self.deliveries = DeliveryStore(ByLane(self.messages))
        self.municipality = Municipality(
            ORGNR, "Solvik", tuple(Receiver(each, f"https://{each}.example/fhir") for each in self.receivers),
            when_refused=when_refused,
        )  # fmt: skip
        register = cast(Any, SimpleNamespace(municipality=self._municipality, version=self._version))
        self.routing = Routing(
            events=self.events, deliveries=self.deliveries, register=register, signals=self, clock=self.clock
        )
        standings = Standings(self.operations)
        self.gate = Gatekeeper(
            register=register, standings=standings, clock=self.clock, chance=lambda: next(self._chances)
        )
        self.waking = Waking(
            standings=standings, lanes=self.messages, register=register, signals=self, clock=self.clock,
            chance=lambda: next(self._chances), pause=self._sleep,
        )  # fmt: skip
        self.delivering = Delivering(
            events=self.events, deliveries=self.deliveries, register=register, receiver=self, gate=self.gate,
            pace=Pace(schedule.all_of(), TIMEOUT, lambda: next(self._chances), self._sleep), signals=self,
            clock=self.clock,
        )  # fmt: skip
        self.orphan_check = OrphanCheck(
            events=self.events, deliveries=self.deliveries, signals=self, operations=self.operations, clock=self.clock
        )

    # What the hub's parts use

    def clock(self) -> datetime:
        """The time here."""
        return self.now

    async def _municipality(self, orgnr: str) -> Municipality | None:
        return self.municipality if orgnr == ORGNR else None

    async def _version(self, orgnr: str) -> int:
        return 1

    async def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _trouble(self) -> Trouble | None:
        trouble = self.troubles.popleft() if self.troubles else None
        if trouble is not None:
            self.excused = True
        return trouble

    async def ready(self) -> bool:
        """See Signals."""
        return True

    async def send(
        self,
        queue: Queue,
        lane: Lane,
        due: datetime | None = None,
        *,
        to: str = "",
        woken: bool = False,
        event: str = "",
    ) -> None:
        """See Signals."""
        if self.lost_signals > 0:
            self.lost_signals -= 1
            raise SignalLost("lost")
        self._put(queue, Signal(lane, to, woken, event), due or self.now)

    def _put(self, queue: Queue, signal: Signal, due: datetime) -> None:
        heapq.heappush(self._signals, _Waiting(due, next(self._numbers), queue, signal))

    async def post(self, receiver: Receiver, delivery: Delivery, body: bytes, traceparent: str) -> Answer:
        """See ReceiverClient."""
        once = self.once.get(receiver.id)
        manner = once.popleft() if once else self.manners.get(delivery.event.patient, Manner.TAKES)
        if not once and manner is Manner.TAKES:
            manner = self.manners.get(receiver.id, Manner.TAKES)
        self.calls[receiver.id].append(Call(self.now, delivery.id, delivery.lane, manner))
        match manner:
            case Manner.TAKES:
                self._hold(receiver.id, delivery.id)
                return Taken(201)
            case Manner.DOWN:
                return Later("REC_UNREACHABLE")
            case Manner.ERROR:
                return Later("REC_HTTP_500")
            case Manner.LATER:
                return Later("REC_HTTP_429", timedelta(seconds=40))
            case Manner.REFUSES:
                return Refused("REC_HTTP_422", 422)
            case Manner.LOSES_ANSWER:
                self.excused = True
                self._hold(receiver.id, delivery.id)
                return Later("REC_CONNECTION_LOST")
            case Manner.FREEZES:
                self.excused = True
                thawed: asyncio.Future[None] = self.loop.create_future()
                task = asyncio.current_task()
                assert task is not None
                self.frozen.append((cast("asyncio.Task[None]", task), thawed))
                await thawed
                self._hold(receiver.id, delivery.id)
                return Taken(201)

    async def close(self) -> None:
        """See ReceiverClient."""

    def _hold(self, receiver: str, key: str) -> None:
        if key not in self.held[receiver]:
            self.held[receiver].append(key)

    # What a test does

    def accept(self, patient: str, urgency: Urgency = Urgency.ROUTINE) -> Event | None:
        """A vendor posts a message; None when it got no 202 (it may be stored all the same)."""
        number = next(self._numbers)
        lane = lanes.inbound(ORGNR, patient)
        identity = lanes.event_id(
            lane, sender="v", orgnr=ORGNR, resource="bundle", business_identifier=None, sha256=f"{number}"
        )
        event = Event(
            id=identity, lane=lane, patient=patient, orgnr=ORGNR, resource="bundle", resource_type="Bundle", sender="v",
            sha256="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", size=2, content_type="",
            correlation_id="c", traceparent="", received_at=self.now, urgency=urgency,
        )  # fmt: skip
        receipts = receipts_of(event, self.municipality)
        try:
            joined = self._run(self.intake.accept(event, b"{}", receipts, Keeping(None, {}, {})))
        except (Unreachable, Killed):
            if (lane, identity) in self.messages.documents:
                self.accepted.append(event)
            return None
        assert joined is not None
        self.accepted.append(event)
        try:
            for receipt, how in zip(receipts, joined, strict=True):
                if how is not Joined.BEHIND or urgency is Urgency.PROMPT:
                    to = f"{ORGNR}/{receipt.receiver}"
                    self._run(self.send(DELIVERIES[urgency], receipt.lane, to=to, event=event.id))
        except SignalLost:
            return None
        return event

    def advance(self, time: timedelta) -> None:
        """Let time pass, with all that happens in it."""
        until = self.now + time
        while True:
            due = self._signals[0].due if self._signals else until + CHECK
            check = min(self._check_due(), self._wake_due())
            if min(due, check) > until:
                break
            if check <= due:
                self.now = max(self.now, check)
                if self._wake_due() <= self.now:
                    self._next_wake = self.now + self.wake_every
                    self._safely(self.waking.look())
                if self._check_due() <= self.now:
                    self._next_check = self.now + CHECK
                    self._safely(self.orphan_check.look())
            else:
                waiting = heapq.heappop(self._signals)
                self.now = max(self.now, waiting.due)
                self._handle(waiting)
        self.now = max(self.now, until)

    def _wake_due(self) -> datetime:
        """When the next look at receivers finds one for which lanes are held."""
        if any(each.get("held") for each in self.operations.documents.values()):
            return self._next_wake
        return self.now + timedelta(days=365)

    def _check_due(self) -> datetime:
        """When the next check finds something to do: those in between change nothing, and are left out."""
        dues = [
            clock.read(each["due"])
            for each in self.messages.documents.values()
            if each["type"] in LINES and each["due"] is not None
        ]
        if not dues:
            return self.now + timedelta(days=365)
        wait = max(timedelta(), min(dues) - self._next_check)
        return self._next_check + CHECK * -(-wait // CHECK)

    def _handle(self, waiting: _Waiting) -> None:
        """A queue's worker gets a signal. Its session is its own; one that is not heard of loses it after a while."""
        session = (waiting.queue, waiting.signal.lane)
        free = self._locked.get(session)
        if free is not None and free > self.now:
            self._put(waiting.queue, waiting.signal, free)
            return
        self._locked.pop(session, None)
        ended = self._safely(self._work(waiting))
        if not ended:
            # Dead or frozen: Service Bus brings the signal to somebody else, at once or when the lock has run out.
            frozen = bool(self.frozen) and not self.frozen[-1][0].done()
            if frozen:
                self._locked[session] = self.now + LOCK
            self._put(waiting.queue, waiting.signal, self.now + (LOCK if frozen else timedelta(seconds=1)))

    async def _work(self, waiting: _Waiting) -> None:
        queue, signal = waiting.queue, waiting.signal
        try:
            if queue in EVENTS.values():
                await self.routing.work(signal.lane)
            else:
                by = Urgency.PROMPT if queue is DELIVERIES[Urgency.PROMPT] else Urgency.ROUTINE
                await self.delivering.work(signal, by)
        except Unreachable:
            await self.send(queue, signal.lane, self.now + _AGAIN, to=signal.to, woken=signal.woken)

    def thaw(self) -> None:
        """Those who stood still go on, as if no time had passed."""
        frozen, self.frozen = self.frozen, []
        for task, thawed in frozen:
            thawed.set_result(None)
            self._finish(task)

    def heal(self) -> None:
        """Everything is well from here on."""
        self.troubles.clear()
        self.manners.clear()
        self.once.clear()
        self.lost_signals = 0
        self.thaw()

    def close_loop(self) -> None:
        """The end."""
        for task, _ in self.frozen:
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def _run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _safely(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Let a worker run until it has ended, dies or stands still. Whether it has ended."""
        return self._finish(self.loop.create_task(_unless_killed(work)))

    def _finish(self, task: "asyncio.Task[Any]") -> bool:
        async def steps() -> None:
            for _ in range(2000):
                if task.done():
                    return
                await asyncio.sleep(0)

        self.loop.run_until_complete(steps())
        return task.done() and task.result() is not False

    # What a test sees

    def line(self, lane: Lane) -> dict[str, Any] | None:
        """A lane's line of work."""
        return self.messages.documents.get((lanes.partition_of(lane), lanes.line_id(lane)))

    def document(self, event: Event, receiver: str) -> dict[str, Any] | None:
        """The delivery of an event to a receiver: its own document, or what its place in line tells."""
        id = lanes.delivery_id(event.id, receiver)
        document = self.messages.documents.get((event.lane, id))
        line = self.line(lanes.outbound(ORGNR, receiver, event.patient))
        if document is not None or line is None:
            return document
        at = next((at for at, work in enumerate(line["pending"]) if work["id"] == id), None)
        return None if at is None else standing(line, at, self.messages.documents[event.lane, event.id])

    def state(self, event: Event, receiver: str) -> State:
        """Where an event is on its way to a receiver."""
        document = self.document(event, receiver)
        return State(document["state"] if document else self.messages.documents[(event.lane, event.id)]["state"])

    def orphans(self) -> list[str]:
        """Messages that have a next step and stand in no line, and lines with work that are never due."""
        found = []
        for (partition, id_), each in self.messages.documents.items():
            if each["type"] == "event":
                found += [
                    f"{receipt['delivery']} has no document and is in no line"
                    for receipt in each["receivers"]
                    if (partition, receipt["delivery"]) not in self.messages.documents
                    and not self._stands(Lane(receipt["lane"]), receipt["delivery"])
                ]
            elif each["type"] == "delivery":
                stands = self._stands(Lane(each["lane"]), id_)
                if (State(each["state"]) not in RESTING) != stands:
                    found.append(f"{id_} is {each['state']}, in line: {stands}")
            elif each["type"] in LINES:
                found += _wrong(each)
        return found

    def _stands(self, lane: Lane, delivery: str) -> bool:
        line = self.line(lane)
        return line is not None and any(work["id"] == delivery for work in line["pending"])


def _wrong(line: dict[str, Any]) -> list[str]:
    found = []
    lane, pending = line["lane"], line["pending"]
    prompts = sum(work["urgency"] == Urgency.PROMPT for work in pending)
    since = pending[0]["receivedAt"] if pending else None
    if (line["due"] is not None) != bool(pending):
        found.append(f"line {lane} has {len(pending)} waiting and is due {line['due']}")
    if (line["waiting"], line["prompts"], line["since"]) != (len(pending), prompts, since):
        found.append(f"line {lane} does not know what it holds")
    return found


async def _unless_killed(work: Coroutine[Any, Any, Any]) -> bool:
    try:
        await work
    except (Killed, SignalLost):
        return False
    return True
