"""The second station: each accepted event becomes one delivery for each receiver of its municipality."""

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import ConditionFailed
from shared.messages.events import EventStore, Placed, Receipt
from shared.messages.lanes import Lane
from shared.messages.model import Delivery, Event
from shared.messages.signals import DELIVERIES, SignalLost, Signals
from shared.messages.urgency import Urgency
from shared.messages.worklist import Joined
from shared.registry.model import Municipality
from shared.registry.register import Register
from shared.tracing import Stage, Traced, traced
from shared.trail import facts as telling

NO_RECEIVER: Final = "HUB_NO_RECEIVER"
"""The cause of events that are set aside because nobody is there to get them."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The way of an event to one receiver."""

    receiver: str
    delivery: str
    lane: Lane


def legs_of(event: Event, municipality: Municipality | None) -> tuple[Leg, ...]:
    """One for each receiver that gets this event."""
    return tuple(
        Leg(each.id, lanes.delivery_id(event.id, each.id), lanes.outbound(event.orgnr, each.id, event.patient))
        for each in (municipality.receivers if municipality else ())
        if each.takes(event.resource)
    )


class Routing:
    """Works a lane's line of accepted events off, in order. Doing it twice, or half and then again, does no harm."""

    def __init__(
        self, *, events: EventStore, deliveries: DeliveryStore, register: Register, signals: Signals, clock: Clock
    ) -> None:
        self._events = events
        self._deliveries = deliveries
        self._register = register
        self._signals = signals
        self._clock = clock

    async def work(self, lane: Lane) -> None:
        """Route everything the lane has. Raises Unreachable; what is not routed stays in line."""
        line = await self._events.line(lane)
        for placed, behind in zip_longest(line, line[1:]):
            try:
                await self._route(placed, behind)
            except ConditionFailed:
                # Someone else works on this lane: two signals, or a worker that was taken for dead. Leave it to him.
                log(LogEvent.OVERTAKEN, event_id=placed.event.id, lane=lane)
                return

    async def _route(self, placed: Placed, behind: Placed | None) -> None:
        event = placed.event
        with traced(Stage.ROUTE, event.traceparent, {"event_id": event.id, "class": event.urgency.value}) as span:
            await self._routed(placed, behind, span)

    async def _routed(self, placed: Placed, behind: Placed | None, span: Traced) -> None:
        event, now = placed.event, self._clock()
        legs = legs_of(event, await self._register.municipality(event.orgnr))
        by = telling.of_routing(event.orgnr, await self._register.version(event.orgnr))
        if not legs:
            await self._events.quarantined(event, now, NO_RECEIVER, behind, placed.place)
            span.failed(NO_RECEIVER)
            log(LogEvent.NO_RECEIVER, event_id=event.id, orgnr=event.orgnr, resource=event.resource)
            return
        onward = replace(event, traceparent=span.traceparent)
        signalled = []
        for leg in legs:
            delivery = Delivery(leg.delivery, leg.lane, leg.receiver, 0, now, onward, placed.place)
            joined = await self._deliveries.create(delivery, in_place=placed.returned)
            # Who joins a line that others stand in has their next step, unless it cannot wait for that.
            if joined is not Joined.BEHIND or event.urgency is Urgency.PROMPT:
                signalled.append((leg, delivery.key))
        receipts = tuple(Receipt(leg.receiver, leg.delivery, leg.lane) for leg in legs)
        await self._events.routed(event, receipts, now, behind, by)
        span.tell({"count": len(legs)})
        log(LogEvent.ROUTED, event_id=event.id, count=len(legs))
        queue = DELIVERIES[event.urgency]
        for leg, key in signalled:
            try:
                await self._signals.send(queue, leg.lane, to=key)
            except SignalLost:
                log(LogEvent.SIGNAL_LOST, lane=leg.lane, queue=queue)
