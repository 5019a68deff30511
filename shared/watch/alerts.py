"""When people are told that something is wrong, and when that it is well again: once each, however long it takes.

One trouble (a receiver that is down, a sender that is silent…) is one subject. A pure step takes what is known of it
and what is seen of it now, and gives what is known afterwards; a notice to be sent comes into being only in such a
step, and is kept with it until every channel has taken it. Two systems that were studied told 700 times of one stuck
message, or not at all: here an outage is two notices, and one that comes and goes is one outage until it has been well
for a while.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import ConfigDict, with_config
from pydantic.alias_generators import to_camel

from shared import clock

MOST_UNSENT: Final = 20
"""Notices of one subject that wait for their channels; beyond that the oldest outage is forgotten, both ends of it."""

kept = with_config(ConfigDict(alias_generator=to_camel))
"""Makes a dataclass a part of an alert's document."""


class Kind(StrEnum):
    """What can be wrong."""

    RECEIVER_DOWN = "receiver-down"
    """Its breaker is open."""
    ALARM_LATE = "alarm-late"
    """Something urgent was accepted and is not delivered."""
    SENDER_SILENT = "sender-silent"
    """A system that usually sends has not."""
    SET_ASIDE = "set-aside"
    """Messages wait for a person's decision."""
    ORPHAN = "orphan"
    """Lanes are past their due time and nobody works on them."""


class Status(StrEnum):
    """Where a subject stands."""

    SUSPECTED = "suspected"
    """Wrong, but not for long enough to tell anybody."""
    OPEN = "open"
    """People were told."""
    CLOSED = "closed"
    """People were told that it is well."""


class Tells(StrEnum):
    """What a notice is of."""

    BROKEN = "broken"
    STILL = "still-broken"
    WELL = "well"


_BY_CODE: Final = frozenset({Kind.SET_ASIDE, Kind.ORPHAN})


@kept
@dataclass(frozen=True, slots=True)
class Seen:
    """Something that is wrong now. Nothing in it is personal: whose, since when, how much."""

    kind: Kind
    since: datetime
    """When it began, as far as can be seen (UTC)."""
    orgnr: str = ""
    receiver: str = ""
    sender: str = ""
    """vkp-id."""
    code: str = ""
    """Why, as a code."""
    waiting: int = 0
    """Messages that wait for it to be mended."""
    at_least: bool = False
    """Whether there may be more of them."""
    oldest: datetime | None = None
    """When the oldest of them was accepted."""

    @property
    def subject(self) -> tuple[str, ...]:
        """What sets this trouble apart from others of its kind. Why a receiver is down is no part of it."""
        about = (self.orgnr, self.receiver, self.sender)
        return (*about, self.code) if self.kind in _BY_CODE else about


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind is told of, as data."""

    severity: int
    """As Azure Monitor counts: 0 critical, 1 error, 2 warning."""
    after: timedelta = timedelta()
    """How long it must be wrong first."""
    well: timedelta = timedelta()
    """How long it must be well before that is said."""
    remind: timedelta | None = None
    """How often it is said again while it lasts; None: never."""


@kept
@dataclass(frozen=True, slots=True)
class Unsent:
    """A channel that has not taken a notice yet."""

    channel: str
    tries: int
    """Begun."""
    due: datetime
    """Not to be tried before."""


@kept
@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that people are told. Its id stays the same however often it is sent."""

    id: str
    tells: Tells
    at: datetime
    severity: int
    seen: Seen
    """As it was when it was last seen wrong."""
    unsent: tuple[Unsent, ...]
    well_since: datetime | None = None


@kept
@dataclass(frozen=True, slots=True)
class Alert:
    """What is known of one subject."""

    status: Status
    seen: Seen
    """As last seen when anything changed."""
    first: datetime
    """When it was first seen wrong, this time."""
    well_since: datetime | None = None
    told: datetime | None = None
    """When people were last told that it is wrong."""
    outbox: tuple[Notice, ...] = field(default=())

    @property
    def resting(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.status is Status.CLOSED and not self.outbox


def step(known: Alert | None, seen: Seen | None, now: datetime, rule: Rule, channels: Sequence[str]) -> Alert | None:
    """What is known of a subject after it was looked at. The very same object when nothing has changed.

    `seen` is None when the look was whole and found nothing wrong; without such a look, do not call. `channels` are
    those that a notice made now is to be sent by.
    """
    if known is None or known.status is Status.CLOSED:
        return known if seen is None else _begun(known, seen, now, rule, channels)
    if known.status is Status.SUSPECTED:
        if seen is None:
            return replace(known, status=Status.CLOSED)
        return _opened(known, seen, now, rule, channels) if now - known.first >= rule.after else known
    return _open(known, seen, now, rule, channels)


def _begun(known: Alert | None, seen: Seen, now: datetime, rule: Rule, channels: Sequence[str]) -> Alert:
    fresh = Alert(Status.SUSPECTED, seen, now, outbox=known.outbox if known else ())
    return fresh if rule.after > timedelta() else _opened(fresh, seen, now, rule, channels)


def _opened(known: Alert, seen: Seen, now: datetime, rule: Rule, channels: Sequence[str]) -> Alert:
    told = _tell(replace(known, seen=seen), Tells.BROKEN, now, rule, channels)
    return replace(told, status=Status.OPEN, told=now)


def _open(known: Alert, seen: Seen | None, now: datetime, rule: Rule, channels: Sequence[str]) -> Alert:
    if seen is not None:
        if known.well_since is not None:
            # It comes and goes: still the same outage.
            return replace(known, well_since=None, seen=seen)
        if rule.remind is not None and now - (known.told or known.first) >= rule.remind:
            return replace(_tell(replace(known, seen=seen), Tells.STILL, now, rule, channels), told=now)
        return known
    since = known.well_since or now
    if now - since >= rule.well:
        told = _tell(replace(known, well_since=since), Tells.WELL, now, rule, channels)
        return replace(told, status=Status.CLOSED, well_since=None)
    return known if known.well_since else replace(known, well_since=now)


def _tell(known: Alert, tells: Tells, now: datetime, rule: Rule, channels: Sequence[str]) -> Alert:
    if not channels:
        return known
    seen = known.seen
    notice = Notice(
        id=notice_id(seen, known.first, tells, now),
        tells=tells,
        at=now,
        severity=rule.severity,
        seen=seen,
        unsent=tuple(Unsent(each, 0, now) for each in channels),
        well_since=known.well_since if tells is Tells.WELL else None,
    )
    return replace(known, outbox=(*known.outbox, notice)[-MOST_UNSENT:])


def notice_id(seen: Seen, first: datetime, tells: Tells, now: datetime) -> str:
    """The same for every instance and every try; another one for every outage."""
    moment = now if tells is Tells.STILL else first
    return ".".join((seen.kind, *filter(None, seen.subject), clock.written(moment), tells))


def begun(alert: Alert, id: str, channel: str, again: datetime) -> Alert:
    """A try to send this notice begins: nobody else is to try it before `again`."""
    return _with(
        alert,
        id,
        lambda each: replace(each, tries=each.tries + 1, due=again) if each.channel == channel else each,
    )


def sent(alert: Alert, id: str, channel: str) -> Alert:
    """The channel has taken the notice, or will never be asked again."""
    return _with(alert, id, lambda each: None if each.channel == channel else each)


def _with(alert: Alert, id: str, change: Callable[[Unsent], Unsent | None]) -> Alert:
    """The alert with what is unsent of one notice changed; None: taken off. A notice without any leaves."""
    changed = []
    for notice in alert.outbox:
        if notice.id == id:
            unsent = tuple(after for each in notice.unsent if (after := change(each)) is not None)
            changed.append(replace(notice, unsent=unsent))
        else:
            changed.append(notice)
    return replace(alert, outbox=tuple(each for each in changed if each.unsent))


def due(alert: Alert, now: datetime) -> tuple[tuple[Notice, Unsent], ...]:
    """What may be sent now: to each channel its oldest notice only; nobody is to hear of the end before the start."""
    found: dict[str, tuple[Notice, Unsent]] = {}
    for notice in alert.outbox:
        for each in notice.unsent:
            found.setdefault(each.channel, (notice, each))
    return tuple(pair for pair in found.values() if pair[1].due <= now)
