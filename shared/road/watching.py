"""The orphan check: no accepted message may be left that nobody will ever look at again (P2).

Every lane with work has a due time. A lane past it has lost its signal or its worker: it is signalled again, which does
no harm where the check is wrong, and its due time moves on, so that one outage is not reported at every check.
"""

from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Unreachable
from shared.messages.events import EventStore
from shared.messages.signals import Queue, SignalLost, Signals
from shared.messages.worklist import GRACE

AT_ONCE: Final = 500
"""Lanes signalled by one check in each queue; the oldest first, the rest at the next check."""

ALARM: Final = timedelta(minutes=10)
"""Past its due time for so long, a lane is beyond what a signal mends, and people are told."""


class OrphanCheck:
    """Looks through both kinds of lanes."""

    def __init__(
        self, *, events: EventStore, deliveries: DeliveryStore, signals: Signals, clock: Clock, grace: timedelta = GRACE
    ) -> None:
        self._stores: tuple[tuple[Queue, EventStore | DeliveryStore], ...] = (
            (Queue.EVENTS, events),
            (Queue.DELIVERIES, deliveries),
        )
        self._signals = signals
        self._clock = clock
        self._grace = grace

    async def look(self) -> int:
        """Signal each lane that is past its due time. Returns how many there were. Never raises for an outage."""
        found = 0
        for queue, store in self._stores:
            try:
                found += await self._look_at(queue, store)
            except Unreachable as error:
                log(LogEvent.ORPHAN_CHECK_FAILED, queue=queue, code=str(error))
            except SignalLost as error:
                log(LogEvent.ORPHAN_CHECK_FAILED, queue=queue, code=str(error))
        return found

    async def _look_at(self, queue: Queue, store: EventStore | DeliveryStore) -> int:
        now = self._clock()
        overdue = await store.overdue(now, AT_ONCE)
        for lane, due in overdue:
            if now - due > ALARM:
                log(LogEvent.ORPHAN_OVERDUE, queue=queue, lane=lane, due=due.isoformat())
            await self._signals.send(queue, lane)
            await store.postpone(lane, now + self._grace)
        if overdue:
            log(LogEvent.ORPHANS_FOUND, queue=queue, count=len(overdue))
        return len(overdue)
