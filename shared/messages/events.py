"""The store of events: what was accepted, its bytes, and the line of what must be routed again.

An event is routed when it is accepted (`shared.messages.intake`). Only one that had no receiver then, and is put back
by a person, stands in its inbound lane's line until it is routed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import clock
from shared.messages import lifecycle, model, worklist
from shared.messages.documents import Change, Container, Document, NotThere, Patch
from shared.messages.lanes import Lane, line_id
from shared.messages.lifecycle import State, Step
from shared.messages.model import Event, Station
from shared.messages.urgency import Urgency
from shared.messages.worklist import GRACE, Joining, Leaving, Missing, Overdue


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where routing sent an event: one per receiver."""

    receiver: str
    delivery: str
    lane: Lane

    def document(self) -> Document:
        """As kept in the event's `receivers`."""
        return {"receiver": self.receiver, "delivery": self.delivery, "lane": self.lane}


@dataclass(frozen=True, slots=True)
class Placed:
    """An event in its lane's line."""

    event: Event
    place: int
    """The how-manieth of its lane it is, ever."""
    work: Document
    """As it stands in the line."""

    @property
    def returned(self) -> bool:
        """Whether it was set aside, and others of its lane have gone on before it."""
        return "place" in self.work


class EventStore:
    """Events and their bytes."""

    def __init__(self, container: Container, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

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
        return tuple(each.event for each in await self.line(lane))

    async def line(self, lane: Lane) -> tuple[Placed, ...]:
        """The lane's events that are not routed yet, in order, each with its place in it."""
        document = await self._container.read(line_id(lane), lane)
        if document is None:
            return ()
        pending = document["pending"]
        return tuple(
            Placed(model.event_from(entry), place, entry)
            for place, entry in zip(worklist.places(document), pending, strict=True)
        )

    async def before(self, event: Event, name: str) -> Event | None:
        """The latest event of the same lane that has this name and was accepted before `event`."""
        found = await self._container.query(
            "SELECT * FROM c WHERE c.lane = @lane AND c.type = 'event' AND ARRAY_CONTAINS(c.names, @name) "
            "AND c.receivedAt < @before ORDER BY c.receivedAt DESC",
            {"@lane": event.lane, "@name": name, "@before": clock.written(event.received_at)},
            limit=1,
        )
        return model.event_from(found[0]) if found else None

    async def routed(
        self,
        event: Event,
        receipts: tuple[Receipt, ...],
        now: datetime,
        behind: Placed | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        """Note where the event went and take it off the line. `behind` is who was seen behind it, `facts` are for the
        audit log.

        Raises ConditionFailed when that was done.
        """
        station = Station(now, lifecycle.after(State.RECEIVED, Step.ROUTE), facts=facts or {})
        await self._leave(event, station, receipts, behind)

    async def quarantined(
        self, event: Event, now: datetime, code: str, behind: Placed | None = None, place: int = 0
    ) -> None:
        """Put the event aside for a person, with the reason's code. Raises ConditionFailed when it was moved.

        `place` is its own in the line, for the day it comes back.
        """
        station = Station(now, lifecycle.after(State.RECEIVED, Step.QUARANTINE), code)
        await self._leave(event, station, (), behind, place)

    async def _leave(
        self,
        event: Event,
        station: Station,
        receipts: tuple[Receipt, ...],
        behind: Placed | None,
        place: int = 0,
    ) -> None:
        now, state = station.at, station.state
        receivers = [each.document() for each in receipts]
        aside = model.aside_document(now, station.detail, "", event.orgnr) if state is State.QUARANTINED else None
        moved = Patch(
            event.id,
            (
                Change("set", "/state", state.value),
                Change("set", "/receivers", receivers),
                Change("add", "/stations/-", station.document()),
                *((Change("set", "/aside", aside), Change("set", "/place", place)) if aside else ()),
            ),
            condition=f"FROM c WHERE c.state = '{State.RECEIVED}'",
        )
        leaving = Leaving(
            head=f"c.pending[0].event = '{event.id}'",
            prompt=event.urgency is Urgency.PROMPT,
            due=now + self._grace,
            next=behind.work if behind is not None else None,
        )
        await worklist.settle(self._container, (moved,), leaving, event.lane)

    async def postpone(self, lane: Lane, due: datetime) -> None:
        """Say when the lane must be looked at next, if it still has work. Raises Unreachable."""
        await worklist.postpone(self._container, lane, due)

    async def overdue(self, now: datetime, limit: int) -> tuple[Overdue, ...]:
        """Lines whose due time has passed, the longest overdue first."""
        return await worklist.overdue(self._container, worklist.INBOUND, now, limit)

    async def looked(self, lane: Lane, due: datetime) -> None:
        """Note that an overdue line was signalled, and when it is to be looked at next. Raises Unreachable."""
        await worklist.looked(self._container, lane, due)

    async def missing(self, since: datetime, until: datetime, limit: int) -> tuple[Missing, ...]:
        """Events accepted between two times that have a next step and are in no line."""
        text = (
            "SELECT c.id, c.lane, c.state FROM c WHERE c.type = 'event' AND c.receivedAt >= @since "
            "AND c.receivedAt < @until AND c.state = 'received'"
        )
        return await worklist.missing(self._container, text, (since, until), limit, "event")

    async def put_back(self, missing: Missing, now: datetime) -> None:
        """Put an event into the line it is missing from."""
        work = {**model.event_from(missing.document).facts(), "place": 0}
        await worklist.join(self._container, (), Joining(missing.lane, work, now + self._grace))


def receipts_from(document: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """Where an event's document says that it was routed."""
    return tuple(Receipt(r["receiver"], r["delivery"], Lane(r["lane"])) for r in document["receivers"])
