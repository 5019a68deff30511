"""Accepting: the one batch that stores an event, its bytes and its place in the line of each of its receivers.

Creating the event is accepting it (P1), and the place in line is its next step (P2) and its order (P4): there is no
moment in which an event is stored and nobody knows what becomes of it. One that nobody is there to get is set aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.messages import lifecycle, model, worklist
from shared.messages.deliveries import joining
from shared.messages.documents import AlreadyThere, Container, Create
from shared.messages.events import Receipt
from shared.messages.lifecycle import State, Step
from shared.messages.model import Delivery, Event, Station
from shared.messages.worklist import GRACE, Joined

NO_RECEIVER: Final = "HUB_NO_RECEIVER"
"""The cause of events that are set aside because nobody is there to get them."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a message is kept, and what the audit log is to know of it."""

    for_: timedelta | None
    """After which its bytes are deleted, by the database itself; None: not at all."""
    accepted: Mapping[str, str]
    routed: Mapping[str, str]


class Intake:
    """Takes events in."""

    def __init__(self, container: Container, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

    async def accept(
        self, event: Event, body: bytes, receipts: Sequence[Receipt], keeping: Keeping
    ) -> tuple[Joined, ...] | None:
        """Store an event for good, for these receivers. Raises Unreachable.

        Returns how it came into the line of each; None when the very same event was stored before.
        """
        payload = Create(model.payload_document(event, body, keeping.for_))
        now = event.received_at
        received = Station(now, State.RECEIVED, facts=keeping.accepted)
        if not receipts:
            station = Station(now, lifecycle.after(State.RECEIVED, Step.QUARANTINE), NO_RECEIVER, keeping.routed)
            aside = {"aside": model.aside_document(now, NO_RECEIVER, "", event.orgnr), "place": 0}
            return await self._aside(Create({**event.document((received, station)), **aside}), payload, event)
        routed = Station(now, lifecycle.after(State.RECEIVED, Step.ROUTE), facts=keeping.routed)
        document = event.document((received, routed), [each.document() for each in receipts])
        joinings = [
            joining(Delivery(each.delivery, each.lane, each.receiver, 0, now, event), now + self._grace)
            for each in receipts
        ]
        joined = await worklist.join_all(self._container, (Create(document), payload), joinings)
        return None if joined[0] is Joined.AGAIN else joined

    async def _aside(self, document: Create, payload: Create, event: Event) -> tuple[Joined, ...] | None:
        try:
            await self._container.batch((document, payload), event.lane)
        except AlreadyThere:
            return None
        return ()
