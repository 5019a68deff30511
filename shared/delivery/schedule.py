"""When a receiver that did not take a message is tried again.

The schedules are data (`data/retry_schedule.json`, design/architecture.md), one for each class of messages. A jitter
of ±10 % keeps the lanes of a receiver that comes back from all trying at once; the first wait of the prompt one is
0.9 s so that with it an alarm is tried again within a second. A receiver's Retry-After is obeyed when it asks for more
time, up to a limit: it must not be able to put a message off to a day when nobody remembers it, nor an alarm for hours.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from shared.messages.urgency import Urgency

_DATA: Final = Path(__file__).parent / "data" / "retry_schedule.json"
_JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits after the first, second, … failed try, the wait after those, and when to give up (since acceptance)."""

    waits: tuple[timedelta, ...]
    then_every: timedelta
    until: timedelta
    longest_retry_after: timedelta = timedelta(hours=6)

    def next_try(
        self, attempts: int, accepted_at: datetime, now: datetime, retry_after: timedelta | None, chance: float
    ) -> datetime | None:
        """When to try again after `attempts` tries, all failed (UTC); None when it is time to give up.

        `chance` in [0, 1) spreads the jitter.
        """
        wait = self.waits[attempts - 1] if attempts <= len(self.waits) else self.then_every
        wait *= 1 - _JITTER + 2 * _JITTER * chance
        if retry_after is not None:
            wait = max(wait, min(retry_after, self.longest_retry_after))
        if self.over(accepted_at, now):
            return None
        # The last try comes at the very end of the time there is, not before it.
        return min(now + wait, max(now, accepted_at + self.until))

    def over(self, accepted_at: datetime, now: datetime) -> bool:
        """Whether a message has been tried for as long as any is."""
        return now - accepted_at >= self.until


Schedules = Mapping[Urgency, Schedule]


def load(name: str = Urgency.ROUTINE, read: Callable[[], str] | None = None) -> Schedule:
    """A schedule by name from the data file. Raises KeyError or ValueError when it is missing or malformed."""
    entry = json.loads(read() if read else _DATA.read_text(encoding="utf-8"))[name]
    return Schedule(
        waits=tuple(timedelta(seconds=wait["seconds"]) for wait in entry["waits"] for _ in range(wait.get("times", 1))),
        then_every=timedelta(seconds=entry["thenEverySeconds"]),
        until=timedelta(seconds=entry["untilSeconds"]),
        longest_retry_after=timedelta(seconds=entry["longestRetryAfterSeconds"]),
    )


def all_of(waits: tuple[timedelta, ...] = ()) -> Schedules:
    """The schedule of each class; with waits of one's own, the last of which repeats, those for both."""
    return {urgency: of_waits(waits, load(urgency)) for urgency in Urgency}


def of_waits(waits: tuple[timedelta, ...], standard: Schedule) -> Schedule:
    """A schedule of one's own waits, the last of which repeats, for as long as the standard one tries."""
    if not waits:
        return standard
    return Schedule(waits, waits[-1], standard.until, standard.longest_retry_after)
