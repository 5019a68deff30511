"""How much is on its way to receivers at once, and in a second: no receiver may take all of an instance's workers.

The counts are this instance's own. Whoever finds no place is told when to come back: places are handed out ahead at the
speed at which the receiver has worked so far, so that thousands of waiting lanes do not ask again and again.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.delivery.rules import BulkheadRules
from shared.messages.urgency import Urgency

REMEMBERED: Final = 4096
"""Receivers whose counts are kept; those with something on its way always are."""
_USUAL_TRY_S: Final = 0.2
"""How long a try takes, before any has been seen."""
_WEIGHT: Final = 0.1
"""Of the latest try in the mean of all."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a receiver takes."""

    at_once: int
    per_second: int | None = None


class Bulkhead:
    """Counts the places of this instance. Everything happens within one event loop, without waiting."""

    def __init__(self, rules: BulkheadRules, chance: Callable[[], float]) -> None:
        self._rules = rules
        self._chance = chance
        self._receivers: OrderedDict[str, _Places] = OrderedDict()
        self._held = 0

    def take(self, key: str, urgency: Urgency, room: Room, now: datetime) -> timedelta | None:
        """Take a place at the receiver. None: it is taken; else: how long to wait before asking again."""
        places = self._places(key, now)
        if places.paused_until[urgency] > now:
            return self._later(places, urgency, room, now)
        if not self._free(places, urgency, room) or not places.rate.take(room.per_second, self._spare(urgency), now):
            return self._later(places, urgency, room, now)
        places.held[urgency] += 1
        self._held += 1
        return None

    def full(self, key: str, urgency: Urgency, room: Room, now: datetime) -> bool:
        """Whether it is for want of a place, and for nothing else, that `take` would not give one."""
        places = self._places(key, now)
        return places.paused_until[urgency] <= now and not self._free(places, urgency, room)

    def give_back(self, key: str, urgency: Urgency, took: timedelta | None, now: datetime) -> None:
        """The place is free again. `took`: how long the receiver needed; None when it was not asked."""
        places = self._places(key, now)
        places.held[urgency] -= 1
        self._held -= 1
        if took is not None:
            places.try_s += _WEIGHT * (max(0.0, took.total_seconds()) - places.try_s)

    def pause(self, key: str, wait: timedelta | None, now: datetime) -> None:
        """The receiver says that it is given too much (429). `wait`: for how long it wants to be left alone."""
        rules, places = self._rules, self._places(key, now)
        asked = timedelta(seconds=rules.pause_seconds) if wait is None else wait
        for urgency, most in (
            (Urgency.ROUTINE, rules.longest_pause_seconds),
            (Urgency.PROMPT, rules.longest_prompt_pause_seconds),
        ):
            until = now + min(asked, timedelta(seconds=most))
            places.paused_until[urgency] = max(places.paused_until[urgency], until)

    def held(self, key: str) -> int:
        """How many places of the receiver are taken."""
        places = self._receivers.get(key)
        return sum(places.held.values()) if places else 0

    def _free(self, places: "_Places", urgency: Urgency, room: Room) -> bool:
        rules, most = self._rules, self._most(room)
        held = sum(places.held.values())
        if held >= most or self._held >= rules.workers:
            return False
        if self._held >= rules.crowded_at * rules.workers and held >= rules.when_crowded:
            return False
        kept_free = int(rules.for_prompt * most)
        return urgency is Urgency.PROMPT or places.held[Urgency.ROUTINE] < most - kept_free

    def _most(self, room: Room) -> int:
        return max(1, min(room.at_once, int(self._rules.workers * self._rules.largest_share)))

    def _spare(self, urgency: Urgency) -> float:
        return 0.0 if urgency is Urgency.PROMPT else self._rules.for_prompt

    def _later(self, places: "_Places", urgency: Urgency, room: Room, now: datetime) -> timedelta:
        """The next place that is not promised to anybody yet, as a wait."""
        rules = self._rules
        prompt = urgency is Urgency.PROMPT
        longest = timedelta(seconds=rules.longest_prompt_wait_seconds if prompt else rules.longest_wait_seconds)
        apart_s = places.try_s / self._most(room)
        if room.per_second is not None:
            apart_s = max(apart_s, 1 / room.per_second)
        start = max(now, places.paused_until[urgency])
        promised = max(start, places.promised[urgency]) + timedelta(seconds=apart_s)
        if promised > start + longest:
            # Too far ahead to promise anything: these come in no order, within the second half of the longest wait.
            return start - now + longest * (0.5 + 0.5 * self._chance())
        places.promised[urgency] = promised
        shortest = timedelta(seconds=rules.shortest_wait_seconds)
        return promised - now + shortest * (0.5 + self._chance())

    def _places(self, key: str, now: datetime) -> "_Places":
        found = self._receivers.get(key)
        if found is None:
            found = self._receivers[key] = _Places(now)
            self._forget_idle()
        self._receivers.move_to_end(key)
        return found

    def _forget_idle(self) -> None:
        for _ in range(len(self._receivers) - REMEMBERED):
            key = next((key for key, each in self._receivers.items() if not any(each.held.values())), None)
            if key is None:
                return
            del self._receivers[key]


class _Rate:
    """A bucket that fills with what a receiver takes in a second."""

    def __init__(self, now: datetime) -> None:
        self._left = float("inf")
        self._at = now

    def take(self, per_second: int | None, spare: float, now: datetime) -> bool:
        """Take one, if `spare` of the bucket is left for others. A clock set back fills nothing."""
        if per_second is None:
            return True
        # At least two: else what is spared for prompt deliveries would be all there is.
        full = float(max(2, per_second))
        passed_s = max(0.0, (now - self._at).total_seconds())
        self._left, self._at = min(full, self._left + passed_s * per_second), now
        if self._left < 1.0 + (max(1.0, spare * full) if spare else 0.0):
            return False
        self._left -= 1.0
        return True


class _Places:
    """The counts of one receiver."""

    def __init__(self, now: datetime) -> None:
        self.held = dict.fromkeys(Urgency, 0)
        self.paused_until = dict.fromkeys(Urgency, now)
        self.promised = dict.fromkeys(Urgency, now)
        self.rate = _Rate(now)
        self.try_s = _USUAL_TRY_S
