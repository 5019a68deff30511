"""The breaker of one receiver: a frozen state, and a function from what happens to the next state.

It opens after so many failures in a row, or when so large a part of the last minute's tries failed. While it is open,
routine deliveries wait, but for one probe in a while; prompt ones may always try, and their outcome counts. Whatever
gets through closes it. A try begun before it opened does not close it (of a receiver that fails every second time, half
of those on their way succeed), and one begun before it closed does not count against it (those that still wait for an
answer out of the outage).

Times are UTC. The numbers are data (`data/gate.json`).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.delivery.rules import BreakerRules

_SLICE: Final = timedelta(seconds=1)
"""Tries are counted by the second: the window costs the same however many there are."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The receiver took a message, or refused it: it is alive."""

    began: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """The receiver did not answer as a receiver that is well."""

    began: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Probing:
    """A probe goes through now."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What another instance found out: open since then with the next probe at that time, or closed (None)."""

    since: datetime | None
    probe_at: datetime | None = None


Event = Succeeded | Failed | Probing | Heard


@dataclass(frozen=True, slots=True)
class Second:
    """The tries that ended within one second."""

    began: datetime
    tries: int
    failures: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a receiver's health."""

    opened: datetime | None = None
    """Since when it is open; None: it is closed."""
    probe_at: datetime | None = None
    """When the next probe may go; only while it is open."""
    closed: datetime | None = None
    """When it closed last."""
    straight: int = 0
    """Failures since the last success."""
    window: tuple[Second, ...] = ()
    last_code: str = ""
    """Of the last failure."""
    last_failure: datetime | None = None
    last_success: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether routine deliveries wait."""
        return self.opened is not None

    def probe_due(self, now: datetime) -> bool:
        """Whether it is open and the next routine delivery may go as a probe."""
        return self.probe_at is not None and self.probe_at <= now


CLOSED: Final = Breaker()


def step(breaker: Breaker, event: Event, now: datetime, rules: BreakerRules) -> Breaker:
    """The state after an event."""
    match event:
        case Succeeded(began):
            return _succeeded(breaker, began, now, rules)
        case Failed(began, code):
            return _failed(breaker, began, code, now, rules)
        case Probing():
            return replace(breaker, probe_at=now + rules.probe_every) if breaker.is_open else breaker
        case Heard(None):
            return _closed(breaker, now) if breaker.is_open else breaker
        case Heard(since, probe_at):
            return replace(breaker, opened=since, probe_at=probe_at or since, window=())


def _succeeded(breaker: Breaker, began: datetime, now: datetime, rules: BreakerRules) -> Breaker:
    known = replace(breaker, last_success=now)
    if breaker.opened is not None:
        return _closed(known, now) if began >= breaker.opened else known
    return replace(known, straight=0, window=_counted(breaker.window, now, rules, failed=False))


def _failed(breaker: Breaker, began: datetime, code: str, now: datetime, rules: BreakerRules) -> Breaker:
    known = replace(breaker, last_code=code, last_failure=now)
    if breaker.closed is not None and began < breaker.closed:
        return known
    known = replace(known, straight=breaker.straight + 1)
    if breaker.is_open:
        return known
    window = _counted(breaker.window, now, rules, failed=True)
    begins = now - rules.window
    seconds = [each for each in window if begins < each.began]
    tries, failures = sum(each.tries for each in seconds), sum(each.failures for each in seconds)
    by_part = tries >= rules.least_tries and failures >= rules.ratio * tries
    if known.straight >= rules.straight or by_part:
        return replace(known, opened=now, probe_at=now + rules.probe_every, window=())
    return replace(known, window=window)


def _closed(breaker: Breaker, now: datetime) -> Breaker:
    # What was counted before is of an outage that is over.
    return replace(breaker, opened=None, probe_at=None, closed=now, straight=0, window=())


def _counted(window: tuple[Second, ...], now: datetime, rules: BreakerRules, *, failed: bool) -> tuple[Second, ...]:
    if window and window[-1].began <= now < window[-1].began + _SLICE:
        last = window[-1]
        return (*window[:-1], Second(last.began, last.tries + 1, last.failures + failed))
    # Once a second. A clock set back leaves seconds that have not come yet; they would count for ever.
    begins = now - rules.window
    return (*(each for each in window if begins < each.began <= now), Second(now, 1, int(failed)))
