"""Measures what this instance does: as OpenTelemetry metrics for whoever collects them, and as small documents that
any instance can add up for those who ask the hub itself.

Attributes are receivers, classes, outcomes and codes: never anything of a message or a patient.
"""

import asyncio
import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from opentelemetry import metrics

from shared import clock as clocks
from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.messages.urgency import Urgency
from shared.watch.measured import BOUNDS_S, SLOT, Slot, place_of, slot_start
from shared.watch.ports import Putting

EVERY: Final = timedelta(seconds=20)
"""How often an instance that does anything writes down what it measured."""
_KEPT: Final = timedelta(hours=2)


class Outcome(StrEnum):
    """What a try came to."""

    TAKEN = "taken"
    LATER = "later"
    REFUSED = "refused"


class Measuring:
    """Counts. Cheap enough for every message; never raises, and never waits for the store."""

    def __init__(self, container: Putting, clock: Clock, every: timedelta = EVERY) -> None:
        self._container = container
        self._clock = clock
        self._every = every
        self._instance = uuid.uuid4().hex[:12]
        self._start: datetime | None = None
        self._slot = Slot()
        self._unwritten: dict[datetime, Slot] = {}
        self._writing: asyncio.Task[None] | None = None
        meter = metrics.get_meter("knutepunkt")
        self._accepted = meter.create_counter("knutepunkt.accepted", description="Messages accepted")
        self._refused = meter.create_counter("knutepunkt.refused", description="Calls refused, by code")
        self._attempts = meter.create_counter("knutepunkt.attempts", description="Tries to deliver, by outcome")
        self._took = meter.create_histogram(
            "knutepunkt.end_to_end",
            unit="s",
            description="From acceptance to the receiver's confirmation",
            explicit_bucket_boundaries_advisory=list(BOUNDS_S),
        )

    def accepted(self, orgnr: str, urgency: Urgency) -> None:
        """A message was accepted."""
        self._accepted.add(1, {"orgnr": orgnr, "class": urgency.value})
        self._now().accepted[orgnr, urgency] += 1

    def refused(self, code: str) -> None:
        """A vendor's call was refused with this code."""
        self._refused.add(1, {"code": code})
        self._now().refused[code] += 1

    def tried(self, key: str, urgency: Urgency, outcome: Outcome) -> None:
        """A try to deliver to this receiver came to this."""
        self._attempts.add(1, {"receiver": key, "class": urgency.value, "outcome": outcome.value})
        road = self._now().road(key, urgency)
        match outcome:
            case Outcome.TAKEN:
                road.taken += 1
            case Outcome.LATER:
                road.later += 1
            case Outcome.REFUSED:
                road.refused += 1

    def delivered(self, key: str, urgency: Urgency, took: timedelta) -> None:
        """A message was delivered, so long after it was accepted. Told beside the try that did it."""
        took = max(took, timedelta())
        self._took.record(took.total_seconds(), {"receiver": key, "class": urgency.value})
        self._now().road(key, urgency).took[place_of(took)] += 1

    def _now(self) -> Slot:
        start = slot_start(self._clock())
        if self._start != start:
            self._start, self._slot = start, Slot()
        self._unwritten[start] = self._slot
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_later())
        return self._slot

    async def _write_later(self) -> None:
        await asyncio.sleep(self._every.total_seconds())
        await self.write()

    async def write(self) -> None:
        """Write down what was measured since the last time. What cannot be written now is written the next time."""
        waiting, self._unwritten = self._unwritten, {}
        for start, slot in waiting.items():
            try:
                await self._container.put(*self._document(start, slot))
            except Unreachable as error:
                log(LogEvent.NUMBERS_NOT_KEPT, error_type=str(error))
                if start >= slot_start(self._clock()) - SLOT:
                    self._unwritten.setdefault(start, slot)

    def _document(self, start: datetime, slot: Slot) -> tuple[dict[str, object], str]:
        id = f"measured.{start:%Y%m%dT%H%MZ}.{self._instance}"
        return {
            "id": id, "type": "measured", "start": clocks.written(start), "ttl": int(_KEPT.total_seconds()),
            **slot.document(),
        }, id  # fmt: skip

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
        if self._unwritten:
            await self.write()
