"""The hub's stations on a clock of their own: queues, database and receivers in memory, faults on request.

Everything that decides is the hub's own (stores, routing, delivering, orphan check); what is left out are sockets.
Seventy-six hours pass in seconds, and nothing sleeps.
"""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
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
    SLOW = auto()
    """It takes the message, and takes its time."""
    SLUGGISH = auto()
    """So too, and nearly too long."""
    SILENT = auto()
    """It has not answered in the time it has."""


TAKING: Final = frozenset({Manner.TAKES, Manner.SLOW, Manner.SLUGGISH})
"""Manners in which a receiver has the message, and says so."""
_TAKES_ITS_TIME: Final = {Manner.SLOW: 1.5, Manner.SLUGGISH: 29, Manner.SILENT: 30}
"""Seconds."""


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


@dataclass(eq=False)
class _Worker:
    """Somebody who has a lane's session, and the signal it came with."""

    waiting: _Waiting
    task: "asyncio.Task[bool]" = field(init=False)
    frozen: "asyncio.Future[None] | None" = None
    """What it stands still for."""
    late: "list[asyncio.Future[None]]" = field(default_factory=list)
    """What has happened meanwhile that it does not notice."""
    behind: list[_Waiting] = field(default_factory=list)
    """Signals that wait for its session."""

    @property
    def session(self) -> tuple[Queue, Lane]:
        """It has this."""
        return self.waiting.queue, self.waiting.signal.lane


@dataclass(order=True)
class _Timer:
    due: datetime
    number: int
    future: "asyncio.Future[None]" = field(compare=False)
    worker: _Worker = field(compare=False)


_WORKER: ContextVar[_Worker] = ContextVar("worker")
LINES: Final = (INBOUND, OUTBOUND)
_ANSWERS: Final[dict[Manner, Answer]] = {
    Manner.DOWN: Later("REC_UNREACHABLE"),
    Manner.ERROR: Later("REC_HTTP_500"),
    Manner.LATER: Later("REC_HTTP_429", timedelta(seconds=40)),
    Manner.REFUSES: Refused("REC_HTTP_422", 422),
    Manner.LOSES_ANSWER: Later("REC_CONNECTION_LOST"),
    Manner.SILENT: Later("REC_NO_ANSWER"),
}
"""All others are that it has the message."""


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
        self.overlaps: list[str] = []
        """Deliveries that were tried while another of their lane was, though nothing had happened that excuses it."""
        self._under_way: dict[Lane, int] = {}
        self._timers: list[_Timer] = []
        self._workers: list[_Worker] = []
        """Those who have begun and not ended."""
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
            pace=Pace(schedule.all_of(), TIMEOUT, lambda: next(self._chances), self._sleep, self._lasts),
            signals=self,
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
        worker = _WORKER.get(None)
        if worker is None:
            self.now += timedelta(seconds=seconds)
        else:
            await self._timer(seconds, worker)

    def _timer(self, seconds: float, worker: _Worker) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = self.loop.create_future()
        due = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._timers, _Timer(due, next(self._numbers), future, worker))
        return future

    async def _lasts(self, call: "asyncio.Future[Answer]", seconds: float) -> bool:
        timer = self._timer(seconds, _WORKER.get())
        await asyncio.wait((call, timer), return_when=asyncio.FIRST_COMPLETED)
        timer.cancel()
        return not call.done()

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
        under_way = self._under_way.get(delivery.lane, 0)
        if under_way and not self.excused:
            self.overlaps.append(delivery.id)
        self._under_way[delivery.lane] = under_way + 1
        try:
            return await self._answer(receiver.id, delivery.id, manner)
        finally:
            self._under_way[delivery.lane] -= 1

    async def _answer(self, receiver: str, key: str, manner: Manner) -> Answer:
        worker = _WORKER.get()
        if manner in _TAKES_ITS_TIME:
            await self._timer(_TAKES_ITS_TIME[manner], worker)
        if manner is Manner.FREEZES:
            self.excused = True
            worker.frozen = self.loop.create_future()
            await worker.frozen
        if manner is Manner.LOSES_ANSWER:
            self.excused = True
        if manner in TAKING or manner in (Manner.FREEZES, Manner.LOSES_ANSWER):
            self._hold(receiver, key)
        return _ANSWERS.get(manner, Taken(201))

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
            if self._timers and self._timers[0].due <= min(self._next_due(), until):
                self._ring(heapq.heappop(self._timers))
                continue
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

    def _next_due(self) -> datetime:
        """When something is next that is no timer's."""
        due = min(self._check_due(), self._wake_due())
        return min(due, self._signals[0].due) if self._signals else due

    def _ring(self, timer: _Timer) -> None:
        """Something has lasted so long, if it still does."""
        worker = timer.worker
        if timer.future.done() or worker.task.done():
            return
        if worker.frozen is not None:
            worker.late.append(timer.future)
        else:
            self.now = max(self.now, timer.due)
            timer.future.set_result(None)
            self._let_work(worker)

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
        there = next((each for each in self._workers if each.session == session and each.frozen is None), None)
        if there is not None:
            there.behind.append(waiting)
            return
        worker = _Worker(waiting)
        context = copy_context()
        context.run(_WORKER.set, worker)
        worker.task = self.loop.create_task(_unless_killed(self._work(waiting)), context=context)
        self._workers.append(worker)
        self._let_work(worker)

    def _let_work(self, worker: _Worker) -> None:
        """Until it has ended, stands still, or waits for something that takes time."""
        self._finish(worker.task)
        waiting, ended = worker.waiting, worker.task.done()
        if ended:
            self._workers.remove(worker)
            if not worker.task.result():
                # Dead: Service Bus brings the signal to somebody else.
                self._put(waiting.queue, waiting.signal, self.now + timedelta(seconds=1))
        elif worker.frozen is not None:
            # Service Bus brings the signal to somebody else when the lock has run out.
            self._locked[worker.session] = self.now + LOCK
            self._put(waiting.queue, waiting.signal, self.now + LOCK)
        else:
            return
        for each in worker.behind:
            self._put(each.queue, each.signal, self.now)
        worker.behind.clear()

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
        for worker in [each for each in self._workers if each.frozen is not None]:
            for future in (worker.frozen, *worker.late):
                if future is not None and not future.done():
                    future.set_result(None)
            worker.frozen = None
            worker.late.clear()
            self._let_work(worker)

    def heal(self) -> None:
        """Everything is well from here on."""
        self.troubles.clear()
        self.manners.clear()
        self.once.clear()
        self.lost_signals = 0
        self.thaw()

    def close_loop(self) -> None:
        """The end."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self._run(asyncio.sleep(0))
        self._run(asyncio.sleep(0))
        self.loop.close()

    def _run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _safely(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Let somebody run until it has ended or dies. Whether it has ended."""
        return self._finish(self.loop.create_task(_unless_killed(work)))

    def _finish(self, task: "asyncio.Task[bool]") -> bool:
        async def steps() -> None:
            for _ in range(40):
                if task.done():
                    return
                await asyncio.sleep(0)

        self._run(steps())
        return task.done() and task.result()

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
