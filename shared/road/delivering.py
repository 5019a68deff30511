"""The third station: a receiver's lane is worked off in order, until it is empty or its head must wait."""

import asyncio
import hashlib
import random
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.delivery.answers import Answer, Later, Refused, Taken
from shared.delivery.receiver import ReceiverClient
from shared.delivery.schedule import Schedule
from shared.log import LogEvent, log
from shared.messages.deliveries import DeliveryStore, Gone, Try
from shared.messages.documents import ConditionFailed, NotThere, Unreachable
from shared.messages.events import EventStore
from shared.messages.lanes import Lane
from shared.messages.lifecycle import Step
from shared.messages.model import Delivery, Event
from shared.messages.signals import Queue, SignalLost, Signals
from shared.registry.model import Content, Municipality, Receiver
from shared.registry.register import Register
from shared.road import noting
from shared.road.noting import Before, HandedOver, KeptBack
from shared.tracing import span

IN_ONE_GO: Final = 50
"""Deliveries of one lane before it is signalled again and left: other lanes want workers too."""

_SILENCE: Final = timedelta(seconds=90)
"""When a worker that has begun a try and is not heard of is given up: longer than a receiver has to answer."""


class Delivering:
    """Delivers. The number of each try is stored before it is made, and its outcome in one batch with the lane."""

    def __init__(
        self,
        *,
        events: EventStore,
        deliveries: DeliveryStore,
        register: Register,
        receiver: ReceiverClient,
        schedule: Schedule,
        signals: Signals,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._events = events
        self._deliveries = deliveries
        self._register = register
        self._receiver = receiver
        self._schedule = schedule
        self._signals = signals
        self._clock = clock
        self._chance = chance

    async def work(self, lane: Lane) -> None:
        """Deliver what the lane has. Raises Unreachable; what is not delivered stays in line."""
        for _ in range(IN_ONE_GO):
            begun = await self._deliveries.begin(lane, self._clock(), _SILENCE)
            if begun is None or not await self._try(begun):
                return
        await self._signal(lane)

    async def _try(self, begun: Try) -> bool:
        """Make the try and settle it. Whether there is a next delivery and the lane can go on with it."""
        delivery = begun.delivery
        with span("deliver", delivery.event.traceparent) as traceparent:
            answer = await self._hand_over(delivery, traceparent)
        try:
            return await self._settle(delivery, answer, begun.more)
        except Gone:
            return True
        except ConditionFailed:
            log(LogEvent.OVERTAKEN, delivery_id=delivery.id, attempt=delivery.attempts)
            return False

    async def _hand_over(self, delivery: Delivery, traceparent: str) -> Answer:
        event = delivery.event
        municipality = await self._register.municipality(event.orgnr)
        receiver = municipality.receiver(delivery.receiver) if municipality is not None else None
        if municipality is None or receiver is None:
            return Later("HUB_RECEIVER_GONE")
        body = await self._body(event)
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

    async def _body(self, event: Event) -> bytes | None:
        """The bytes as they were accepted; None when they are not there, or not the same any more."""
        try:
            body = await self._events.payload(event.id, event.lane)
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

    async def _settle(self, delivery: Delivery, answer: Answer, more: bool) -> bool:
        now = self._clock()
        match answer:
            case Taken():
                left = await self._deliveries.end(delivery, Step.DELIVER, now, "", more)
                log(
                    LogEvent.DELIVERED, delivery_id=delivery.id, receiver=delivery.receiver, attempt=delivery.attempts,
                    duration_ms=round((now - delivery.event.received_at).total_seconds() * 1000),
                )  # fmt: skip
                return left
            case Refused(code, status):
                left = await self._deliveries.end(delivery, Step.QUARANTINE, now, code, more)
                log(LogEvent.QUARANTINED, delivery_id=delivery.id, code=code, status=status, attempt=delivery.attempts)
                return left
            case Later(code, retry_after):
                return await self._later(delivery, code, retry_after, now, more)

    async def _later(
        self, delivery: Delivery, code: str, retry_after: timedelta | None, now: datetime, more: bool
    ) -> bool:
        until = self._schedule.next_try(delivery.attempts, delivery.event.received_at, now, retry_after, self._chance())
        if until is None:
            left = await self._deliveries.end(delivery, Step.QUARANTINE, now, "HUB_GAVE_UP", more)
            log(LogEvent.QUARANTINED, delivery_id=delivery.id, code="HUB_GAVE_UP", attempt=delivery.attempts)
            return left
        await self._deliveries.wait(delivery, now, until, code)
        log(
            LogEvent.WAITING, delivery_id=delivery.id, receiver=delivery.receiver, code=code,
            attempt=delivery.attempts, due=until.isoformat(),
        )  # fmt: skip
        await self._signal(delivery.lane, until)
        return False

    async def _signal(self, lane: Lane, due: datetime | None = None) -> None:
        try:
            await self._signals.send(Queue.DELIVERIES, lane, due)
        except SignalLost:
            log(LogEvent.SIGNAL_LOST, lane=lane, queue=Queue.DELIVERIES)
