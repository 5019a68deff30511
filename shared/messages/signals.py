"""A signal says "there is work in this lane". It carries nothing else; a lost or doubled one is harmless."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.messages.lanes import Lane


class Queue(StrEnum):
    """The queues, as declared in `infra/topology.json`."""

    EVENTS = "events"
    DELIVERIES = "deliveries"


class SignalLost(Exception):
    """The signal could not be sent, or it is not known whether it was."""


class Signals(Protocol):
    """Sends signals."""

    async def send(self, queue: Queue, lane: Lane, due: datetime | None = None) -> None:
        """Signal a lane, now or at a later time (UTC). Raises SignalLost."""

    async def ready(self) -> bool:
        """Whether signals can be sent, as far as is known; after a failure it is tried again now and then."""
