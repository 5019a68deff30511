"""Stopping a municipality's traffic for a while: while its EPJ is upgraded, or out of order."""

from dataclasses import dataclass
from datetime import datetime

from shared.registry.shapes import Line, Moment, closed


@closed
@dataclass(frozen=True, slots=True)
class Stop:
    """Traffic is stopped, from when it was written."""

    until: Moment | None = None
    """When it opens again by itself (UTC); null: when somebody opens it."""
    reason: Line = ""
    """For those who look into it later. Nothing about a person."""

    def holds(self, now: datetime) -> bool:
        """Whether it is still stopped."""
        return self.until is None or now < self.until


@closed
@dataclass(frozen=True, slots=True)
class Traffic:
    """What is stopped at a municipality; null is open. VKP lets municipalities stop both on Min side."""

    writes: Stop | None = None
    """New messages."""
    reads: Stop | None = None
    """Lookups in the EPJ."""


OPEN = Traffic()
