"""The times of a message, as far as the sender told them: a moment, a date, a month, a year, or a clock without zone.

R4's dateTime, instant and date (http://hl7.org/fhir/R4/datatypes.html#dateTime). Nothing is added: a date gets no clock
time, and a clock time without zone stays as it was written.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from shared.fhir.times import utc
from shared.fhir.values import JsonValue
from shared.journal import writing

_WRITTEN: Final = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})"
    r"(T(?P<clock>[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_USUAL_ZONES: Final = ("Z", "+00:00", "-00:00", "+01:00", "+02:00")


@dataclass(frozen=True, slots=True)
class When:
    """A time as told."""

    sent: str
    """As the sender wrote it."""
    moment: datetime | None = None
    """UTC, whole seconds; None when no moment was told."""
    day: date | None = None
    """The Norwegian calendar day, when one was told."""
    clock: str = ""
    """`02.15` as written, when the sender gave no zone."""
    doubt: str = ""
    """Key of the `Kontroller:` sentence this time asks for."""


def when(value: JsonValue) -> When | None:
    """Read an element. None when there is nothing; something unreadable is a When with only `sent` and a doubt."""
    if not isinstance(value, str) or not value.strip():
        return None
    sent = value.strip()
    found = _WRITTEN.fullmatch(sent)
    if found is None:
        return When(sent, doubt="unreadable-time")
    if found["clock"] and found["zone"]:
        return _moment(sent, found["zone"])
    if found["clock"]:
        return _zoneless(sent, found["clock"])
    if writing.partial_date(sent) is None:
        return When(sent, doubt="unreadable-time")
    return When(sent, day=date.fromisoformat(sent) if found["day"] else None)


def _moment(sent: str, zone: str) -> When:
    moment = utc(sent)
    if moment is None:
        return When(sent, doubt="unreadable-time")
    # Truncated, never rounded: an event must not move past the one after it.
    moment = moment.replace(microsecond=0)
    return When(sent, moment, writing.local(moment).date(), doubt="" if zone in _USUAL_ZONES else "odd-zone")


def _zoneless(sent: str, clock: str) -> When:
    try:
        wall = datetime.fromisoformat(sent.partition("T")[0] + "T" + clock.partition(".")[0].replace(":60", ":59"))
    except ValueError:
        return When(sent, doubt="unreadable-time")
    doubt = "nonexistent" if writing.missing_hour(wall) else "zoneless"
    return When(sent, day=wall.date(), clock=clock[:5].replace(":", "."), doubt=doubt)


def later(one: When | None, other: When | None) -> timedelta | None:
    """How much later `one` is than `other`; None unless both are moments."""
    if one is None or other is None or one.moment is None or other.moment is None:
        return None
    return one.moment - other.moment
