"""The sequencer: reads what has changed since it last looked, and writes the entries of it at the ends of their chains.

It runs by timer, so nothing is added to what accepting, routing or delivering a message costs. Where it has got to is
kept after the entries are written: after a crash it reads some changes again, and what is written already is left out.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.clock import Clock, written
from shared.trail.entries import Reading
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.ports import Feed, Positions
from shared.trail.writing import TrailWriter

PAGE: Final = 100
"""Changed documents that are read at once."""
HEARTBEAT: Final = timedelta(minutes=5)
"""How often the hub's own chain tells that the log is being written."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """A container whose documents tell of something: its name, its feed, and how its documents are read."""

    name: str
    feed: Feed
    reading: Reading


@dataclass(frozen=True, slots=True)
class Progress:
    """What one round did."""

    written: int
    """Entries."""
    unreadable: int
    """Documents that could not be understood: reading goes on behind them, and people must be told."""


class Sequencer:
    """Brings the log up to date."""

    def __init__(
        self,
        *,
        outboxes: Sequence[Outbox],
        positions: Positions,
        writer: TrailWriter,
        clock: Clock,
        budget_s: float = 8.0,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outboxes = tuple(outboxes)
        self._positions = positions
        self._writer = writer
        self._clock = clock
        self._budget_s = budget_s
        self._elapsed = elapsed
        self._known: dict[str, str | None] = {}

    async def tick(self) -> Progress:
        """Read every outbox to its end, or until the time is up (the rest at the next tick).

        Raises Unreachable; what was written by then stays.
        """
        until = self._elapsed() + self._budget_s
        count = await self._writer.append([heartbeat(self._clock)])
        unreadable = 0
        behind = list(self._outboxes)
        # In turns, so that a storm of refusals cannot keep the deliveries waiting.
        while behind and self._elapsed() < until:
            for outbox in tuple(behind):
                more, page = await self._page(outbox)
                count += page.written
                unreadable += page.unreadable
                if not more:
                    behind.remove(outbox)
        return Progress(count, unreadable)

    async def _page(self, outbox: Outbox) -> tuple[bool, Progress]:
        if outbox.name not in self._known:
            self._known[outbox.name] = await self._positions.read(outbox.name)
        before = self._known[outbox.name]
        documents, after = await outbox.feed.after(before, PAGE)
        entries: list[Entry] = []
        unreadable = 0
        for document in documents:
            try:
                entries.extend(outbox.reading(document))
            except (KeyError, TypeError, ValueError):
                # One document that nobody understands must not keep all others out of the log.
                unreadable += 1
        count = await self._writer.append(entries)
        if after != before and documents:
            await self._positions.keep(outbox.name, after)
            self._known[outbox.name] = after
        # A page of a divided container may be short while another part of it has more.
        return bool(documents), Progress(count, unreadable)


def heartbeat(clock: Clock) -> Entry:
    """The sign of life of the present stretch of time; the same however often it is given."""
    now = clock()
    whole = int(HEARTBEAT.total_seconds())
    beat = int(now.timestamp()) // whole * whole
    return Entry(
        kind=Kind.HEARTBEAT, outcome=Outcome.SUCCESS, occurred=now, source=f"heartbeat/{written(now)[:7]}/{beat}",
        system="knutepunkt",
    )  # fmt: skip
