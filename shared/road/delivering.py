"""The third station: a receiver's lane is worked off in order, until it is empty or its head must wait."""

import asyncio
import hashlib
import random
import zlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.clock import read as read_time
from shared.delivery.answers import Answer, Later, Refused, Taken
from shared.delivery.gate import BREAKER_OPEN, Busy, Gate, Go, Hold, To
from shared.delivery.receiver import ReceiverClient
from shared.delivery.schedule import Schedules
from shared.log import LogEvent, log
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import ConditionFailed, Document, NotThere, Unreachable
from shared.messages.events import EventStore
from shared.messages.lifecycle import Step
from shared.messages.model import Event, payload_from
from shared.messages.owning import SAYS_SO, UNSURE
from shared.messages.signals import DELIVERIES, Signal, SignalLost, Signals
from shared.messages.tries import Elsewhere, Gone, Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.registry.model import Content, Municipality, Receiver, WhenRefused
from shared.registry.register import Register
from shared.road import noting
from shared.road.keeping import kept_for
from shared.road.noting import Before, HandedOver, KeptBack
from shared.tracing import Stage, Traced, traced, within
from shared.trail import facts as telling

IN_ONE_GO: Final = 50
"""Deliveries of one lane before it is signalled again and left: other lanes want workers too."""

LONGEST_GO: Final = timedelta(minutes=4)
"""So long at the most, and one more try: the platform ends whoever works for ten minutes (`functionTimeout`)."""

GAVE_UP: Final = "HUB_GAVE_UP"

_MARGIN: Final = timedelta(seconds=30)
"""What a worker may need beside the time its receiver has to answer; then it is given up."""

_WAIT_HERE: Final = timedelta(seconds=3.5)
"""A prompt lane that waits no longer than this is waited for by its worker: a scheduled signal may be late."""

_PROBED: Final = timedelta(hours=1)
"""When a lane that was tried for a probe is looked at again, should nobody wake it."""

_WAITS_HERE: Final = 2
"""And so many times: whoever is to stop must not have to wait for it long."""

Sleep = Callable[[float], Awaitable[None]]
Lasts = Callable[["asyncio.Future[Answer]", float], Awaitable[bool]]


async def _lasts(call: "asyncio.Future[Answer]", seconds: float) -> bool:
    done, _ = await asyncio.wait((call,), timeout=seconds)
    return not done


@dataclass(frozen=True, slots=True)
class Pace:
    """When lanes are tried, and how long a try may last."""

    schedules: Schedules
    timeout: timedelta
    """What a receiver has to answer in, where the register says nothing else."""
    chance: Callable[[], float] = random.random
    sleep: Sleep = asyncio.sleep
    lasts: Lasts = _lasts
    """Waits for a call, so many seconds at the most: whether it is not over then."""


class Delivering:
    """Delivers. A try is told in the lane's line before it is made, or when it lasts (`shared.messages.owning`); its
    outcome is one batch with the line."""

    def __init__(
        self,
        *,
        events: EventStore,
        deliveries: DeliveryStore,
        register: Register,
        receiver: ReceiverClient,
        gate: Gate,
        pace: Pace,
        signals: Signals,
        clock: Clock,
    ) -> None:
        self._events = events
        self._deliveries = deliveries
        self._register = register
        self._receiver = receiver
        self._gate = gate
        self._pace = pace
        self._signals = signals
        self._clock = clock

    async def work(self, signal: Signal, by: Urgency) -> None:
        """Deliver what the lane has. `by` is the class of the queue that brought the signal.

        Raises Unreachable; what is not delivered stays in line.
        """
        to = await self._to(signal)
        if to is None:
            return
        leave = self._clock() + LONGEST_GO
        for _ in range(IN_ONE_GO):
            following = await self._next(signal, to, by)
            if following is None:
                return
            signal = replace(signal, woken=False, event=following)
            if self._clock() >= leave:
                break
        await self._signal(signal, by)

    async def _to(self, signal: Signal) -> To | None:
        orgnr, _, receiver = signal.to.partition("/")
        if orgnr and receiver:
            return To(orgnr, receiver)
        line = await self._deliveries.line(signal.lane)
        return To(line["orgnr"], line["receiver"]) if line is not None and line["pending"] else None

    async def _next(self, signal: Signal, to: To, by: Urgency) -> str | None:
        """One try of the lane's head, if the gate lets it. When the lane can go on at once, a hint whose turn it is."""
        verdict = await self._gate.enter(to, by)
        match verdict:
            case Hold() if await self._hold(signal, to, by, verdict):
                return None
            case Busy(retry_in):
                await self._signal(signal, by, self._clock() + retry_in, woken=signal.woken)
                return None
        answer: Answer | None = None
        begun: Try | None = None
        try:
            begun = await self._begin(signal, to, by)
            if begun is None:
                return None
            with self._opened(begun) as span:
                begun, answer = await self._answer(begun, to, by, span)
        finally:
            if isinstance(verdict, Go):
                await self._gate.leave(verdict, answer, again=begun is not None and begun.waits > 0)
        probe = isinstance(verdict, Go) and verdict.probe
        with within(span):
            return begun.following if await self._settle(begun, answer, signal, probe=probe) else None

    async def _hold(self, signal: Signal, to: To, by: Urgency, hold: Hold) -> bool:
        """Park the lane. False when its head must have its last try now, whatever the gate says."""
        line = await self._deliveries.park(signal.lane, to.key, by, self._clock(), hold.until)
        if line is None:
            return True
        if hold.code == BREAKER_OPEN:
            last = read_time(line["since"]) + self._pace.schedules[Urgency.ROUTINE].until
            if last <= self._clock():
                return False
            if last < hold.until:
                await self._deliveries.postpone(signal.lane, last)
        await self._gate.parked(to)
        log(LogEvent.PARKED, lane=signal.lane, receiver=to.receiver, orgnr=to.orgnr, code=hold.code)
        return True

    async def _begin(self, signal: Signal, to: To, by: Urgency) -> Try | None:
        now = self._clock()
        begun = await self._deliveries.begin(
            signal.lane, by, now, await self._silence(to), woken=signal.woken, event=signal.event
        )
        if isinstance(begun, Elsewhere):
            # The other queue's worker has the lane. It goes on with what is urgent too; should it die, this one does.
            # A slow store must not eat into the time that whoever may be at it has to say so.
            until = max(begun.until, self._clock() + UNSURE) if begun.unsure else begun.until
            await self._signal(signal, by, until)
            return None
        return begun

    async def _silence(self, to: To) -> timedelta:
        municipality = await self._register.municipality(to.orgnr)
        receiver = municipality.receiver(to.receiver) if municipality is not None else None
        own = receiver.limits.timeout_seconds if receiver is not None else None
        return (timedelta(seconds=own) if own else self._pace.timeout) + _MARGIN

    @staticmethod
    def _opened(begun: Try) -> AbstractContextManager[Traced]:
        delivery = begun.delivery
        told = {
            "event_id": delivery.event.id, "delivery_id": delivery.id, "receiver": delivery.key,
            "class": begun.urgency.value, "attempt": delivery.attempts,
        }  # fmt: skip
        return traced(Stage.DELIVER, delivery.event.traceparent, told)

    async def _answer(self, begun: Try, to: To, by: Urgency, span: Traced) -> tuple[Try, Answer]:
        begun, answer = await self._told_in_time(begun, to, by, span.traceparent)
        match answer:
            case Taken():
                span.tell({"outcome": "taken"})
            case Later():
                span.tell({"outcome": "later"})
                span.failed(answer.code)
            case Refused():
                span.tell({"outcome": "refused"})
                span.failed(answer.code)
        return begun, answer

    async def _told_in_time(self, begun: Try, to: To, by: Urgency, traceparent: str) -> tuple[Try, Answer]:
        """Make the try; if it lasts and the line does not tell of it, it is told meanwhile."""
        if begun.told:
            return begun, await self._hand_over(begun, traceparent)
        call = asyncio.ensure_future(self._hand_over(begun, traceparent))
        try:
            if await self._pace.lasts(call, SAYS_SO.total_seconds()):
                # Whether it was overtaken shows when its outcome is written down.
                begun = await self._deliveries.tell(begun, by, self._clock() + await self._silence(to)) or begun
            return begun, await call
        finally:
            call.cancel()

    async def _hand_over(self, begun: Try, traceparent: str) -> Answer:
        delivery, event = begun.delivery, begun.delivery.event
        municipality = await self._register.municipality(event.orgnr)
        receiver = municipality.receiver(delivery.receiver) if municipality is not None else None
        if municipality is None or receiver is None:
            return Later("HUB_RECEIVER_GONE")
        body = await self._body(event, begun.payload)
        if body is None:
            log(LogEvent.BYTES_DIFFER, delivery_id=delivery.id)
            return Refused("HUB_BYTES_DIFFER", 0)
        if receiver.content is not Content.ORIGINAL:
            try:
                content = await self._noted(body, event, municipality, receiver)
            except Unreachable:
                raise
            except Exception as error:  # noqa: BLE001 - the same bytes would fail the same way at every try
                log(LogEvent.UNEXPECTED, delivery_id=delivery.id, error_type=type(error).__name__)
                return Refused("HUB_NOTE_FAILED", 0)
            if isinstance(content, KeptBack):
                return Refused(content.code, 0)
            body = content.body
        return await self._receiver.post(receiver, delivery, body, traceparent)

    async def _body(self, event: Event, fetched: Document | None = None) -> bytes | None:
        """The bytes as they were accepted; None when they are not there, or not the same any more."""
        try:
            body = payload_from(fetched) if fetched else await self._events.payload(event.id, event.lane)
        except (NotThere, ValueError, zlib.error):
            return None
        return body if hashlib.sha256(body).hexdigest() == event.sha256 else None

    async def _noted(
        self, body: bytes, event: Event, municipality: Municipality, receiver: Receiver
    ) -> HandedOver | KeptBack:
        system = await self._register.system(event.sender)
        message = await asyncio.to_thread(noting.opened, body, system)
        before = await self._before(event, noting.refers_to(message, event))
        # Beside the event loop: a long log takes a second or two to write up.
        return await asyncio.to_thread(noting.written, body, message, event, municipality, receiver, system, before)

    async def _before(self, event: Event, keys: tuple[str, ...]) -> Before | None:
        for key in keys:
            found = await self._events.before(event, key)
            body = await self._body(found) if found is not None else None
            if found is not None and body is not None:
                return Before(found, body)
        return None

    async def _settle(self, begun: Try, answer: Answer, signal: Signal, *, probe: bool) -> bool:
        """Write down what the try came to. Whether there is a next delivery and the lane can go on with it."""
        delivery = begun.delivery
        try:
            match answer:
                case Taken():
                    return await self._taken(begun, answer)
                case Refused():
                    return await self._set_aside(begun, answer, answer.code)
                case Later() if probe and not self._over(begun):
                    await self._deliveries.release(begun, delivery.key, self._clock() + _PROBED)
                    return False
                case Later():
                    return await self._later(begun, answer, signal)
        except Gone:
            return True
        except ConditionFailed:
            log(LogEvent.OVERTAKEN, delivery_id=delivery.id, attempt=delivery.attempts)
            return False

    async def _taken(self, begun: Try, answer: Taken) -> bool:
        delivery, now = begun.delivery, self._clock()
        left = await self._deliveries.end(begun, Step.DELIVER, Outcome(now, "", _facts(answer)))
        log(
            LogEvent.DELIVERED, delivery_id=delivery.id, receiver=delivery.receiver, attempt=delivery.attempts,
            duration_ms=round((now - delivery.event.received_at).total_seconds() * 1000),
        )  # fmt: skip
        return left

    async def _set_aside(self, begun: Try, answer: Refused | Later, code: str) -> bool:
        delivery, now = begun.delivery, self._clock()
        municipality = await self._register.municipality(delivery.event.orgnr)
        refusal = Refusal(
            status=answer.status if isinstance(answer, Refused) else 0,
            blocks=municipality is not None and municipality.when_refused is WhenRefused.BLOCK,
            words=answer.words,
            kept_for=kept_for(municipality),
        )
        left = await self._deliveries.end(begun, Step.QUARANTINE, Outcome(now, code, _facts(answer)), refusal)
        log(
            LogEvent.QUARANTINED, delivery_id=delivery.id, code=code, status=refusal.status, attempt=delivery.attempts,
            receiver=delivery.receiver,
        )  # fmt: skip
        return left

    def _over(self, begun: Try) -> bool:
        return self._pace.schedules[begun.urgency].over(begun.delivery.tried_since, self._clock())

    async def _later(self, begun: Try, answer: Later, signal: Signal) -> bool:
        """The lane waits with its head, or has waited for it: then it can go on."""
        delivery = begun.delivery
        urgency, waits, now = begun.urgency, begun.waits, self._clock()
        while True:
            until = self._pace.schedules[urgency].next_try(
                waits + 1, delivery.tried_since, now, answer.retry_after, self._pace.chance()
            )
            if until is None:
                return await self._set_aside(begun, answer, GAVE_UP)
            begun = replace(begun, urgency=urgency)
            # A lane that waits because of its receiver is woken when that is back, however long its own wait.
            parked = delivery.key if answer.code.startswith("REC_") else None
            if await self._deliveries.wait(begun, Outcome(now, answer.code, _facts(answer)), until, parked):
                break
            # An alarm has come in behind it (or the last one has gone): the wait goes by the other schedule.
            urgency, waits = _other(urgency), 0
        log(
            LogEvent.WAITING, delivery_id=delivery.id, receiver=delivery.receiver, code=answer.code,
            attempt=delivery.attempts, due=until.isoformat(),
        )  # fmt: skip
        if urgency is Urgency.PROMPT and waits < _WAITS_HERE and until - now <= _WAIT_HERE:
            await self._pace.sleep(max(0.0, (until - self._clock()).total_seconds()))
            return True
        await self._signal(signal, urgency, until)
        return False

    async def _signal(
        self, signal: Signal, urgency: Urgency, due: datetime | None = None, *, woken: bool = False
    ) -> None:
        queue = DELIVERIES[urgency]
        try:
            await self._signals.send(queue, signal.lane, due, to=signal.to, woken=woken)
        except SignalLost:
            log(LogEvent.SIGNAL_LOST, lane=signal.lane, queue=queue)


def _other(urgency: Urgency) -> Urgency:
    return Urgency.ROUTINE if urgency is Urgency.PROMPT else Urgency.PROMPT


def _facts(answer: Answer) -> dict[str, str]:
    call = answer.call
    return {} if call is None else dict(telling.of_call(call.host, call.status, call.ms))
