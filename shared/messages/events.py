"""The store of accepted events. Creating the event is accepting it (P1); the lane's work list is its order (P4).

A partition is one inbound lane: its events, their payloads, and one `lane` document that lists what is not routed yet,
in the order of acceptance, and when somebody must have looked (`due`, P2). Accepting is one transactional batch over
the three, so there is no moment in which an event is stored and nobody knows about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared import clock
from shared.messages import lifecycle, model
from shared.messages.documents import (
    AlreadyThere,
    Change,
    ConditionFailed,
    Container,
    Create,
    Document,
    NotThere,
    Patch,
)
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.model import LANE_DOCUMENT, Event, Station

GRACE: Final = timedelta(seconds=15)
"""How long a signal has before the orphan check takes it for lost, unless the settings say otherwise."""

_EVENT, _PAYLOAD, _LANE = 0, 1, 2


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
        while True:
            try:
                await self._container.batch((*keep, queue), event.lane)
            except NotThere:
                # A lane's first event brings the lane. Two may race for it: the loser finds it and adds to it.
                try:
                    await self._container.batch((*keep, first), event.lane)
                except AlreadyThere as error:
                    if error.index == _LANE:
                        continue
                    return False
            except AlreadyThere:
                return False
            return True

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
        await settle(self._container, moved, Leaving(head, now + self._grace, more), event.lane)

    async def postpone(self, lane: Lane, due: datetime) -> None:
        """Say when the lane must be looked at next, if it still has work. Raises Unreachable."""
        await postpone(self._container, lane, due)

    async def overdue(self, now: datetime, limit: int) -> tuple[tuple[Lane, datetime], ...]:
        """Lanes whose due time has passed, the oldest first."""
        return await overdue(self._container, now, limit)


@dataclass(frozen=True, slots=True)
class Leaving:
    """The head of a lane leaves its list."""

    head: str
    """The condition that it still is the head."""
    due: datetime
    """When the lane must be looked at next, if others are behind the head."""
    more: bool
    """Whether others were seen behind it."""
    also: tuple[Change, ...] = ()

    def patch(self) -> Patch:
        """The change to the lane's document."""
        # A lane may be said to have nothing due only while nobody has joined it since it was read: else the one who
        # joined would be known to nobody if its signal were lost (P2).
        alone = "" if self.more else " AND ARRAY_LENGTH(c.pending) = 1"
        due = clock.written(self.due) if self.more else None
        changes = (Change("remove", "/pending/0"), Change("set", "/due", due), *self.also)
        return Patch(LANE_DOCUMENT, changes, condition=f"FROM c WHERE {self.head}{alone}")


async def settle(container: Container, moved: Patch | None, leaving: Leaving, lane: Lane) -> bool:
    """Move a message to its next state and take it off its lane's list, both or neither.

    Returns whether others are left in the lane. Raises ConditionFailed when the message or the lane's head is not what
    the caller took it for.
    """
    before = (moved,) if moved else ()
    try:
        await container.batch((*before, leaving.patch()), lane)
    except ConditionFailed as error:
        if leaving.more or error.index != len(before):
            raise
        await container.batch((*before, replace(leaving, more=True).patch()), lane)
        return True
    return leaving.more


async def overdue(container: Container, now: datetime, limit: int) -> tuple[tuple[Lane, datetime], ...]:
    """Lanes of a container that were due before `now`, the oldest first."""
    found = await container.query(
        "SELECT c.lane, c.due FROM c WHERE c.type = 'lane' AND c.due < @now ORDER BY c.due",
        {"@now": clock.written(now)},
        limit,
    )
    return tuple((Lane(entry["lane"]), clock.read(entry["due"])) for entry in found)


async def postpone(container: Container, lane: Lane, due: datetime) -> None:
    """Set a lane's due time, if it has work left."""
    try:
        await container.patch(
            Patch(
                LANE_DOCUMENT,
                (Change("set", "/due", clock.written(due)),),
                condition="FROM c WHERE ARRAY_LENGTH(c.pending) > 0",
            ),
            lane,
        )
    except (ConditionFailed, NotThere):
        return


def receipts_from(document: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """Where an event's document says that it was routed."""
    return tuple(Receipt(r["receiver"], r["delivery"], Lane(r["lane"])) for r in document["receivers"])
