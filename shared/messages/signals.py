"""A signal says "there is work in this lane". It carries no message; a lost or doubled one is harmless."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from shared.messages.lanes import Lane
from shared.messages.urgency import Urgency


class Queue(StrEnum):
    """The queues, as declared in `infra/topology.json`: one for each stage and class (`shared.messages.urgency`)."""

    EVENTS = "events"
    EVENTS_PROMPT = "events-prompt"
    DELIVERIES = "deliveries"
    DELIVERIES_PROMPT = "deliveries-prompt"


EVENTS: Final[Mapping[Urgency, Queue]] = {Urgency.PROMPT: Queue.EVENTS_PROMPT, Urgency.ROUTINE: Queue.EVENTS}
"""Where inbound lanes are signalled."""
DELIVERIES: Final[Mapping[Urgency, Queue]] = {
    Urgency.PROMPT: Queue.DELIVERIES_PROMPT,
    Urgency.ROUTINE: Queue.DELIVERIES,
}
"""Where outbound lanes are signalled."""


FETCHED_TOGETHER: Final = 128 * 1024
"""Bytes. Cosmos DB answers with 2 MB at the most, and a line may be long."""


class SignalLost(Exception):
    """The signal could not be sent, or it is not known whether it was."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a signal says."""

    lane: Lane
    to: str = ""
    """Of an outbound lane: its receiver's key (orgnr/id), so that a receiver that takes nothing costs no look."""
    woken: bool = False
    """Its receiver is back: the lane need not wait its time out."""
    event: str = ""
    """A hint: the event that stands first in the line, most likely, and can be fetched together with it."""

    def body(self) -> bytes:
        """As sent."""
        said: dict[str, Any] = {"lane": self.lane}
        if self.to:
            said["to"] = self.to
        if self.woken:
            said["woken"] = True
        if self.event:
            said["event"] = self.event
        return json.dumps(said).encode("ascii")


def hint(event: str, size: int) -> str:
    """The hint to an event of so many bytes: none to one that is too large to be fetched together with its line."""
    return event if size <= FETCHED_TOGETHER else ""


def signal_from(session: str, body: bytes) -> Signal:
    """The signal as received. Its session is its lane; a body that cannot be read leaves it a mere hint."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return Signal(Lane(session))
    to, event = said.get("to"), said.get("event")
    return Signal(
        Lane(session),
        to if isinstance(to, str) else "",
        said.get("woken") is True,
        event if isinstance(event, str) else "",
    )


class Signals(Protocol):
    """Sends signals."""

    async def send(
        self,
        queue: Queue,
        lane: Lane,
        due: datetime | None = None,
        *,
        to: str = "",
        woken: bool = False,
        event: str = "",
    ) -> None:
        """Signal a lane, now or at a later time (UTC); see Signal. Raises SignalLost."""

    async def ready(self) -> bool:
        """Whether signals can be sent, as far as is known; after a failure it is tried again now and then."""
