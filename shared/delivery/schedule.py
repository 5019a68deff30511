"""When a receiver that did not take a message is tried again.

The schedule is data (`data/retry_schedule.json`, design/architecture.md). A receiver's Retry-After is obeyed when it
asks for more time, and a jitter of ±10 % keeps the lanes of a receiver that comes back from all trying at once.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parent / "data" / "retry_schedule.json"
_JITTER: Final = 0.1
_LONGEST_WAIT: Final = timedelta(hours=6)
"""However long a Retry-After: a receiver must not be able to put a message off to a day when nobody remembers it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits after the first, second, … failed try, the wait after those, and when to give up (since acceptance)."""

    waits: tuple[timedelta, ...]
    then_every: timedelta
    until: timedelta

    def next_try(
        self, attempts: int, accepted_at: datetime, now: datetime, retry_after: timedelta | None, chance: float
    ) -> datetime | None:
        """When to try again after `attempts` tries, all failed (UTC); None when it is time to give up.

        `chance` in [0, 1) spreads the jitter.
        """
        wait = self.waits[attempts - 1] if attempts <= len(self.waits) else self.then_every
        wait *= 1 - _JITTER + 2 * _JITTER * chance
        if retry_after is not None:
            wait = max(wait, min(retry_after, _LONGEST_WAIT))
        if now - accepted_at >= self.until:
            return None
        # The last try comes at the very end of the time there is, not before it.
        return min(now + wait, max(now, accepted_at + self.until))


def load(name: str = "routine", read: Callable[[], str] | None = None) -> Schedule:
    """A schedule by name from the data file. Raises KeyError or ValueError when it is missing or malformed."""
    entry = json.loads(read() if read else _DATA.read_text(encoding="utf-8"))[name]
    return Schedule(
        waits=tuple(timedelta(seconds=seconds) for seconds in entry["seconds"]),
        then_every=timedelta(seconds=entry["thenEverySeconds"]),
        until=timedelta(seconds=entry["untilSeconds"]),
    )


def of_waits(waits: tuple[timedelta, ...], standard: Schedule) -> Schedule:
    """A schedule of one's own waits, the last of which repeats, for as long as the standard one tries."""
    return Schedule(waits=waits, then_every=waits[-1], until=standard.until) if waits else standard
