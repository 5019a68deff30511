"""A message's journey as it happens: what is new on its timeline, until it is at its end or patience runs out."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from shared.messages.documents import Unreachable
from shared.trail.timeline import Entry

ARRIVED = frozenset({"delivered", "journaled"})
FAILED = frozenset({"rejected", "quarantined", "withdrawn", "expired"})
_PAUSE_S = 0.05

Show = Callable[[Entry], None]
Status = Callable[[str], Awaitable[dict[str, Any]]]
"""Gives the hub's answer to a Location, as `Vendor.status` does."""
Timelines = Callable[[str], Awaitable[tuple[Entry, ...]]]
"""Gives an event's stations so far, none when there is no such event. Raises shared.messages.documents.Unreachable."""


@dataclass(frozen=True, slots=True)
class End:
    """Where a journey was when it was last looked at. `status` is the hub's answer; empty when none was had."""

    status: dict[str, Any]
    entries: tuple[Entry, ...]

    @property
    def state(self) -> str:
        """The message's state."""
        return str(self.status.get("state", "unknown"))

    @property
    def arrived(self) -> bool:
        """Whether every receiver has it."""
        return self.state in ARRIVED

    @property
    def failed(self) -> bool:
        """Whether it has come to an end that is no delivery."""
        return self.state in FAILED


async def follow(
    location: str, event_id: str, status: Status, timelines: Timelines, show: Show, patience_s: float
) -> End:
    """Follow a message by its status until it has arrived or failed, or until `patience_s` seconds have passed.

    Each station is shown once, as soon as it is seen. A part of the hub that is away for a while is waited for.
    Raises NotFound, Refused or ValueError as `Vendor.status` does.
    """
    deadline = time.monotonic() + patience_s
    shown: tuple[Entry, ...] = ()
    answer: dict[str, Any] = {}
    while True:
        try:
            # The state first: stations that led to it are then on the timeline that is read after it.
            answer = await status(location)
            entries = await timelines(event_id)
        except (aiohttp.ClientError, TimeoutError, Unreachable):
            entries = shown
        for entry in entries:
            if entry not in shown:
                show(entry)
        shown = entries
        end = End(answer, shown)
        if end.arrived or end.failed or time.monotonic() >= deadline:
            return end
        await asyncio.sleep(_PAUSE_S)
