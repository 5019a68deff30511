"""How many calls one caller may make: a bucket for each system and municipality (OWASP API4:2023).

The counts are this instance's own: with n instances a caller has up to n times as much. Across instances API
Management limits. What is kept is bounded, and so is what a flood of refused calls costs in log lines.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import TooManyCalls
from shared.log import LogEvent, log
from shared.registry.model import RateLimit

REMEMBERED: Final = 20_000
"""Buckets kept, those used last. A key is a system and a municipality that lets it in, or a person: few are needed."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a caller has left."""

    left: float
    """Calls, at the moment `at`."""
    at: datetime
    refused: int = 0
    """Calls refused since the last one that was let through."""


def take(bucket: Bucket | None, limit: RateLimit, now: datetime) -> Bucket:
    """The bucket after one more call; `refused` is zero when the call is let through.

    It fills with `limit.per_second`, up to `limit.burst`. A clock set back fills nothing and locks nobody out.
    """
    if bucket is None:
        return Bucket(limit.burst - 1.0, now)
    passed_s = max(0.0, (now - bucket.at).total_seconds())
    left = min(float(limit.burst), bucket.left + passed_s * limit.per_second)
    return Bucket(left - 1.0, now) if left >= 1.0 else Bucket(left, now, bucket.refused + 1)


def wait_s(bucket: Bucket, limit: RateLimit) -> int:
    """Whole seconds until the next call is let through; at least one (Retry-After, RFC 9110, 10.2.3)."""
    return max(1, math.ceil((1.0 - bucket.left) / limit.per_second))


class Limits:
    """Counts the calls of this instance."""

    def __init__(self, usual: RateLimit, clock: Clock, remembered: int = REMEMBERED) -> None:
        self._usual = usual
        self._clock = clock
        self._remembered = remembered
        self._buckets: OrderedDict[tuple[str, str, str], Bucket] = OrderedDict()

    def system(self, vkp_id: str, orgnr: str, own: RateLimit | None = None) -> None:
        """Count a system's call. `orgnr`: a municipality that lets it in, "" for all others together; `own`: what the
        register says of this system. Raises TooManyCalls."""
        bucket = self._count(("system", vkp_id, orgnr), own or self._usual)
        if bucket.refused:
            if _worth_a_line(bucket.refused):
                log(LogEvent.LIMITED, vkp_id=vkp_id, orgnr=orgnr or None, count=bucket.refused)
            raise TooManyCalls(wait_s(bucket, own or self._usual))

    def person(self, subject: str) -> None:
        """Count a person's call. Raises TooManyCalls."""
        bucket = self._count(("person", subject, ""), self._usual)
        if bucket.refused:
            if _worth_a_line(bucket.refused):
                log(LogEvent.LIMITED, count=bucket.refused)
            raise TooManyCalls(wait_s(bucket, self._usual))

    def _count(self, key: tuple[str, str, str], limit: RateLimit) -> Bucket:
        bucket = self._buckets[key] = take(self._buckets.get(key), limit, self._clock())
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return bucket


class Strangers:
    """Which refusals of unknown callers are written down: so many a minute, the rest only counted.

    Anyone can be refused, as often as they like; what that costs must not be theirs to choose.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._since: datetime | None = None
        self._count = 0

    def keep(self) -> bool:
        """Whether to write this one down."""
        now = self._clock()
        if self._since is None or not self._since <= now < self._since + _MINUTE:
            self._told(always=True)
            self._since, self._count = now, 0
        self._count += 1
        if self._count <= self._per_minute:
            return True
        self._told(always=False)
        return False

    def _told(self, *, always: bool) -> None:
        more = self._count - self._per_minute
        if more > 0 and (always or _worth_a_line(more)):
            log(LogEvent.STRANGERS, count=more)


def _worth_a_line(count: int) -> bool:
    """One, ten, a hundred…: a flood is told of while it lasts, and does not flood the log."""
    return str(count).rstrip("0") == "1"
