"""The orphan check: no accepted message may be left that nobody will ever look at again (P2).

Every line with work has a due time. One past it has lost its signal or its worker: it is signalled again, which does no
harm where the check is wrong, and its due time moves on, further each time. And what was accepted a little while ago is
looked for in its line: being written in one batch it cannot be missing, and if it is, it is put back.

What it costs does not grow with what is stored: lines are found by their due time, messages by when they came.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import clock as times
from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Container, Unreachable
from shared.messages.events import EventStore
from shared.messages.signals import DELIVERIES, EVENTS, Queue, SignalLost, Signals
from shared.messages.urgency import Urgency
from shared.messages.worklist import GRACE, Overdue

AT_ONCE: Final = 500
"""Lines signalled by one check for each kind of lanes; the longest overdue first, the rest at the next check."""

PROVEN: Final = 500
"""Messages that one check looks for in their lines, for each kind of lanes."""

STUCK: Final = 8
"""Signalled so often in vain, a line is beyond what a signal mends, and people are told."""

LONGEST: Final = timedelta(minutes=5)
"""However often it was signalled in vain, a line is looked at again after so long."""

FOUND: Final = "check.orphans"
"""The id of the document in the container `operations` that says what the last check found."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found. Lines that wait for their receiver or a person are none of these."""

    overdue: int = 0
    """Lines that had lost their signal or their worker, and were signalled."""
    stuck: int = 0
    """Those of them that are signalled in vain again and again."""
    missing: int = 0
    """Messages that stood in no line, and were put back."""
    failed: bool = False
    """Whether the check could not look everywhere."""

    def __add__(self, other: "Found") -> "Found":
        return Found(
            self.overdue + other.overdue, self.stuck + other.stuck, self.missing + other.missing,
            self.failed or other.failed,
        )  # fmt: skip


class OrphanCheck:
    """Looks through both kinds of lanes."""

    def __init__(
        self,
        *,
        events: EventStore,
        deliveries: DeliveryStore,
        signals: Signals,
        operations: Container,
        clock: Clock,
        grace: timedelta = GRACE,
    ) -> None:
        self._stores: tuple[tuple[Mapping[Urgency, Queue], EventStore | DeliveryStore], ...] = (
            (EVENTS, events),
            (DELIVERIES, deliveries),
        )
        self._signals = signals
        self._operations = operations
        self._clock = clock
        self._grace = grace
        self._proven: dict[Queue, datetime] = {}

    async def look(self) -> Found:
        """Signal each line that is past its due time, and prove that nothing is missing. Never raises for an outage."""
        found = Found()
        for queues, store in self._stores:
            try:
                found += await self._signal_overdue(queues, store)
                found += await self._prove(queues, store)
            except (Unreachable, SignalLost) as error:
                log(LogEvent.ORPHAN_CHECK_FAILED, queue=queues[Urgency.ROUTINE], code=str(error))
                found += Found(failed=True)
        await self._tell(found)
        return found

    async def _signal_overdue(self, queues: Mapping[Urgency, Queue], store: EventStore | DeliveryStore) -> Found:
        now = self._clock()
        orphans, stuck = 0, 0
        for line in await store.overdue(now, AT_ONCE):
            if line.looked >= STUCK:
                stuck += 1
                log(LogEvent.ORPHAN_OVERDUE, queue=queues[line.urgency], lane=line.lane, due=line.due.isoformat())
            await self._signals.send(queues[line.urgency], line.lane, to=line.key)
            await store.looked(line.lane, now + self._until_next(line))
            orphans += not line.held
        if orphans:
            log(LogEvent.ORPHANS_FOUND, queue=queues[Urgency.ROUTINE], count=orphans)
        return Found(overdue=orphans, stuck=stuck)

    def _until_next(self, line: Overdue) -> timedelta:
        # A line may only be waiting in a long queue: signalling it ever again would make that longer.
        return min(self._grace * (1 << min(line.looked, 10)), max(LONGEST, self._grace))

    async def _prove(self, queues: Mapping[Urgency, Queue], store: EventStore | DeliveryStore) -> Found:
        # What came between the last check and a little while ago: whoever is at it has had the time to be.
        name, until = queues[Urgency.ROUTINE], self._clock() - 2 * self._grace
        since = self._proven.get(name, until - timedelta(minutes=2))
        if since >= until:
            return Found()
        missing = 0
        for left_out in await store.missing(since, until, PROVEN):
            missing += 1
            log(LogEvent.ORPHAN_MISSING, queue=name, lane=left_out.lane)
            await store.put_back(left_out, self._clock())
            await self._signals.send(queues[Urgency.PROMPT], left_out.lane)
        self._proven[name] = until
        return Found(missing=missing)

    async def _tell(self, found: Found) -> None:
        document = {
            "id": FOUND, "type": "check", "at": times.written(self._clock()), "overdue": found.overdue,
            "stuck": found.stuck, "missing": found.missing, "failed": found.failed,
        }  # fmt: skip
        try:
            await self._operations.put(document, FOUND)
        except Unreachable as error:
            log(LogEvent.ORPHAN_CHECK_FAILED, code=str(error))
