"""The second station: each accepted event becomes one delivery for each receiver of its municipality."""

from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import ConditionFailed
from shared.messages.events import EventStore, Receipt
from shared.messages.lanes import Lane
from shared.messages.model import Delivery, Event
from shared.messages.signals import Queue, SignalLost, Signals
from shared.registry.model import Municipality
from shared.registry.register import Register


def deliveries_for(event: Event, municipality: Municipality | None) -> tuple[tuple[str, str, Lane], ...]:
    """For each receiver that gets this event: its id, the delivery's id and its lane."""
    receivers = municipality.receivers if municipality else ()
    return tuple(
        (receiver.id, lanes.delivery_id(event.id, receiver.id), lanes.outbound(receiver.id, event.patient))
        for receiver in receivers
        if receiver.takes(event.resource)
    )


class Routing:
    """Works a lane's list of accepted events off, in order. Doing it twice, or half and then again, does no harm."""

    def __init__(
        self, *, events: EventStore, deliveries: DeliveryStore, register: Register, signals: Signals, clock: Clock
    ) -> None:
        self._events = events
        self._deliveries = deliveries
        self._register = register
        self._signals = signals
        self._clock = clock

    async def work(self, lane: Lane) -> None:
        """Route everything the lane has. Raises Unreachable; what is not routed stays on the list."""
        pending = await self._events.pending(lane)
        for place, event in enumerate(pending, start=1):
            try:
                await self._route(event, more=place < len(pending))
            except ConditionFailed:
                # Someone else works on this lane: two signals, or a worker that was taken for dead. Leave it to him.
                log(LogEvent.OVERTAKEN, event_id=event.id, lane=lane)
                return

    async def _route(self, event: Event, more: bool) -> None:
        now = self._clock()
        found = deliveries_for(event, await self._register.municipality(event.orgnr))
        if not found:
            await self._events.quarantined(event, now, more, "HUB_NO_RECEIVER")
            log(LogEvent.NO_RECEIVER, event_id=event.id, orgnr=event.orgnr, resource=event.resource)
            return
        for receiver, delivery, lane in found:
            await self._deliveries.create(
                Delivery(id=delivery, lane=lane, receiver=receiver, attempts=0, routed_at=now, event=event)
            )
        receipts = tuple(Receipt(receiver, delivery, lane) for receiver, delivery, lane in found)
        await self._events.routed(event, receipts, now, more)
        log(LogEvent.ROUTED, event_id=event.id, count=len(found))
        for _, _, lane in found:
            try:
                await self._signals.send(Queue.DELIVERIES, lane)
            except SignalLost:
                log(LogEvent.SIGNAL_LOST, lane=lane, queue=Queue.DELIVERIES)
