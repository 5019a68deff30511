"""The numbers people look at: what waits, for whom, and first of all since when.

Plain values and how they add up. A count that could not be finished says "at least": what it costs to look must be
bounded however much waits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from shared import clock
from shared.messages.urgency import Urgency


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits of one class: at one receiver, or at a municipality and not routed yet."""

    oldest: datetime | None = None
    """When the oldest of it was accepted (UTC)."""
    messages: int = 0
    parked: int = 0
    """Of those, how many are held up by their receiver."""
    blocked: int = 0
    """Of those, how many stand behind a message that a person must decide about."""

    def __add__(self, other: "Waiting") -> "Waiting":
        return Waiting(
            earliest(self.oldest, other.oldest),
            self.messages + other.messages,
            self.parked + other.parked,
            self.blocked + other.blocked,
        )


NOTHING = Waiting()


@dataclass(frozen=True, slots=True)
class Line:
    """A lane's document, as far as it counts here."""

    orgnr: str
    receiver: str
    """Empty on the way in."""
    prompt: Waiting
    routine: Waiting
    tries: int = 0
    """Of its first message."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """What one receiver has waiting; `receiver` is empty for what a municipality has that is not routed yet."""

    orgnr: str
    receiver: str
    classes: Mapping[Urgency, Waiting]
    lanes: int
    tries: int = 0
    """The most that a message waiting here has been tried."""
    aside: int = 0
    """Messages set aside for a person."""
    at_least: bool = False
    """Whether there may be more than was counted. The oldest is exact all the same."""

    @property
    def key(self) -> str:
        """As everywhere: municipality and receiver."""
        return f"{self.orgnr}/{self.receiver}"

    @property
    def all(self) -> Waiting:
        """Both classes."""
        return sum(self.classes.values(), NOTHING)


@dataclass(frozen=True, slots=True)
class Aside:
    """Messages set aside of one receiver for one cause."""

    orgnr: str
    receiver: str
    cause: str
    messages: int
    oldest: datetime
    """When the first of them was set aside."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """One look at all that waits."""

    at: datetime
    receivers: tuple[Receiver, ...]
    aside: tuple[Aside, ...]
    at_least: bool = False
    """Whether any count may be too small."""

    def of(self, orgnr: str) -> "Numbers":
        """What is one municipality's own."""
        return replace(
            self,
            receivers=tuple(each for each in self.receivers if each.orgnr == orgnr),
            aside=tuple(each for each in self.aside if each.orgnr == orgnr),
        )


@dataclass(slots=True)
class _Sum:
    classes: dict[Urgency, Waiting] = field(default_factory=dict)
    lanes: int = 0
    tries: int = 0


def added_up(lines: Iterable[Line]) -> dict[tuple[str, str], Receiver]:
    """By municipality and receiver."""
    sums: dict[tuple[str, str], _Sum] = {}
    for line in lines:
        found = sums.setdefault((line.orgnr, line.receiver), _Sum())
        for urgency, waiting in ((Urgency.PROMPT, line.prompt), (Urgency.ROUTINE, line.routine)):
            if waiting.messages:
                found.classes[urgency] = found.classes.get(urgency, NOTHING) + waiting
        found.lanes += 1
        found.tries = max(found.tries, line.tries)
    return {key: Receiver(*key, MappingProxyType(each.classes), each.lanes, each.tries) for key, each in sums.items()}


def with_aside(receivers: Mapping[tuple[str, str], Receiver], aside: Iterable[Aside]) -> tuple[Receiver, ...]:
    """The receivers with what is set aside of theirs; those that have waited longest first."""
    found = dict(receivers)
    for each in aside:
        key = (each.orgnr, each.receiver)
        known = found.get(key) or Receiver(*key, MappingProxyType({}), 0)
        found[key] = replace(known, aside=known.aside + each.messages)
    return tuple(sorted(found.values(), key=lambda each: (each.all.oldest is None, each.all.oldest or 0, each.key)))


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of them; None when there is none."""
    return min((each for each in moments if each is not None), default=None)


def age_s(oldest: datetime | None, now: datetime) -> float | None:
    """Seconds since then, never less than nothing: another instance's clock may be ahead."""
    return None if oldest is None else round(max(now - oldest, timedelta()).total_seconds(), 1)


def written(numbers: Numbers) -> dict[str, Any]:
    """As JSON, the oldest first in everything."""
    now = numbers.at
    return {
        "at": clock.written(now),
        "atLeast": numbers.at_least,
        "receivers": [
            {
                "orgnr": each.orgnr,
                "receiver": each.receiver or None,
                "oldestSeconds": age_s(each.all.oldest, now),
                "classes": {urgency.value: _class(each.classes.get(urgency, NOTHING), now) for urgency in Urgency},
                "lanes": each.lanes,
                "setAside": each.aside,
                "tries": each.tries,
                "atLeast": each.at_least,
            }
            for each in numbers.receivers
        ],
        "setAside": [
            {
                "orgnr": each.orgnr,
                "receiver": each.receiver or None,
                "cause": each.cause,
                "messages": each.messages,
                "oldestSeconds": age_s(each.oldest, now),
            }
            for each in numbers.aside
        ],
    }


def _class(waiting: Waiting, now: datetime) -> dict[str, Any]:
    return {
        "oldestSeconds": age_s(waiting.oldest, now),
        "waiting": waiting.messages,
        "parked": waiting.parked,
        "blocked": waiting.blocked,
    }
