"""The store of accepted events. Creating the event is accepting it (P1); the lane's work list is its order (P4).

A partition is one inbound lane: its events, their payloads, and one `lane` document that lists what is not routed yet,
in the order of acceptance, and when somebody must have looked (`due`, P2). Accepting is one transactional batch over
the three, so there is no moment in which an event is stored and nobody knows about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import clock
from shared.messages import lifecycle, model, worklist
from shared.messages.documents import Change, Container, Create, Document, NotThere, Patch
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.model import LANE_DOCUMENT, Event, Station
from shared.messages.worklist import GRACE, Leaving


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where routing sent an event: one per receiver."""

    receiver: str
    delivery: str
    lane: Lane


class EventStore:
    """Events in the container `events`."""

    def __init__(self, container: Container, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

    async def accept(self, event: Event, body: bytes) -> bool:
        """Store an event for good. False when the very same event was stored before. Raises Unreachable."""
        work = event.facts()
        due = clock.written(event.received_at + self._grace)
        keep = (Create(event.document()), Create(model.payload_document(event, body)))
        queue = Patch(
            LANE_DOCUMENT,
            (Change("add", "/pending/-", work), Change("incr", "/accepted", 1), Change("set", "/due", due)),
        )
        first = Create(
            {"id": LANE_DOCUMENT, "lane": event.lane, "type": "lane", "accepted": 1, "pending": [work], "due": due}
        )
        return await worklist.join(self._container, keep, queue, first, event.lane)

    async def find(self, event: str, lane: Lane) -> Document | None:
        """The event's document; None when there is none."""
        return await self._container.read(event, lane)

    async def payload(self, event: str, lane: Lane) -> bytes:
        """The received bytes. Raises NotThere, ValueError or zlib.error when they cannot be had."""
        document = await self._container.read(model.payload_id(event), lane)
        if document is None:
            raise NotThere
        return model.payload_from(document)

    async def pending(self, lane: Lane) -> tuple[Event, ...]:
        """The lane's events that are not routed yet, in the order of acceptance."""
        document = await self._container.read(LANE_DOCUMENT, lane)
        return tuple(model.event_from(entry) for entry in document["pending"]) if document else ()

    async def before(self, event: Event, name: str) -> Event | None:
        """The latest event of the same lane that has this name and was accepted before `event`."""
        found = await self._container.query(
            "SELECT * FROM c WHERE c.lane = @lane AND c.type = 'event' AND ARRAY_CONTAINS(c.names, @name) "
            "AND c.receivedAt < @before ORDER BY c.receivedAt DESC",
            {"@lane": event.lane, "@name": name, "@before": clock.written(event.received_at)},
            limit=1,
        )
        return model.event_from(found[0]) if found else None

    async def routed(self, event: Event, receipts: tuple[Receipt, ...], now: datetime, more: bool) -> None:
        """Note where the event went and take it off the work list. Raises ConditionFailed when that was done."""
        await self._leave(event, Step.ROUTE, receipts, now, more, "")

    async def quarantined(self, event: Event, now: datetime, more: bool, code: str) -> None:
        """Put the event aside for a person, with the reason's code. Raises ConditionFailed when it was moved."""
        await self._leave(event, Step.QUARANTINE, (), now, more, code)

    async def _leave(
        self, event: Event, step: Step, receipts: tuple[Receipt, ...], now: datetime, more: bool, detail: str
    ) -> None:
        state = lifecycle.after(State.RECEIVED, step)
        receivers = [{"receiver": r.receiver, "delivery": r.delivery, "lane": r.lane} for r in receipts]
        moved = Patch(
            event.id,
            (
                Change("set", "/state", state.value),
                Change("set", "/receivers", receivers),
                Change("add", "/stations/-", Station(now, state, detail).document()),
            ),
            condition=f"FROM c WHERE c.state = '{State.RECEIVED}'",
        )
        head = f"c.pending[0].event = '{event.id}'"
        await worklist.settle(self._container, moved, Leaving(head, now + self._grace, more), event.lane)

    async def postpone(self, lane: Lane, due: datetime) -> None:
        """Say when the lane must be looked at next, if it still has work. Raises Unreachable."""
        await worklist.postpone(self._container, lane, due)

    async def overdue(self, now: datetime, limit: int) -> tuple[tuple[Lane, datetime], ...]:
        """Lanes whose due time has passed, the oldest first."""
        return await worklist.overdue(self._container, now, limit)


def receipts_from(document: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """Where an event's document says that it was routed."""
    return tuple(Receipt(r["receiver"], r["delivery"], Lane(r["lane"])) for r in document["receivers"])
