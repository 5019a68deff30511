"""The second station: each event becomes one delivery for each receiver of its municipality.

What has receivers when it comes in passes it there and then (`shared.road.accepting`). What had none, and was put back
by a person, passes it here: a lane's line of events that are not routed, worked off in order.
"""

from dataclasses import replace
from itertools import zip_longest

from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import ConditionFailed
from shared.messages.events import EventStore, Placed, Receipt
from shared.messages.intake import NO_RECEIVER
from shared.messages.lanes import Lane
from shared.messages.model import Delivery, Event, receiver_key
from shared.messages.signals import DELIVERIES, SignalLost, Signals
from shared.registry.model import Municipality
from shared.registry.register import Register
from shared.tracing import Stage, Traced, traced
from shared.trail import facts as telling


def receipts_of(event: Event, municipality: Municipality | None) -> tuple[Receipt, ...]:
    """Who gets this event: each receiver of its municipality that takes what was posted to that address."""
    return tuple(
        Receipt(each.id, lanes.delivery_id(event.id, each.id), lanes.outbound(event.orgnr, each.id, event.patient))
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
        receipts = receipts_of(event, await self._register.municipality(event.orgnr))
        by = telling.of_routing(event.orgnr, await self._register.version(event.orgnr))
        if not receipts:
            await self._events.quarantined(event, now, NO_RECEIVER, behind, placed.place)
            span.failed(NO_RECEIVER)
            log(LogEvent.NO_RECEIVER, event_id=event.id, orgnr=event.orgnr, resource=event.resource)
            return
        onward = replace(event, traceparent=span.traceparent)
        for each in receipts:
            await self._deliveries.create(
                Delivery(each.delivery, each.lane, each.receiver, 0, now, onward, placed.place)
            )
        await self._events.routed(event, receipts, now, behind, by)
        span.tell({"count": len(receipts)})
        log(LogEvent.ROUTED, event_id=event.id, count=len(receipts))
        queue = DELIVERIES[event.urgency]
        for each in receipts:
            try:
                await self._signals.send(queue, each.lane, to=receiver_key(event.orgnr, each.receiver))
            except SignalLost:
                log(LogEvent.SIGNAL_LOST, lane=each.lane, queue=queue)
