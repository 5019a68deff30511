"""What a receiver's answer means: it has the message, it may have it later, or it will not have it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_LATER: Final = frozenset({408, 425, 429})
"""Answers that say "not now" though they stand among the caller's faults (RFC 9110, 8470, 6585)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has the message."""

    status: int


@dataclass(frozen=True, slots=True)
class Later:
    """The receiver may take it at another time. `code` says why, for people and for the trail."""

    code: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver will not take this message however often it is sent."""

    code: str
    status: int


Answer = Taken | Later | Refused


def from_status(status: int, retry_after: str | None, now: datetime) -> Answer:
    """The meaning of an HTTP status (design/architecture.md, Shape).

    A redirect is no answer: bytes go where the register says and nowhere else.
    """
    if 200 <= status < 300:
        return Taken(status)
    if status in _LATER or not 400 <= status < 500:
        return Later(f"REC_HTTP_{status}", _wait(retry_after, now))
    return Refused(f"REC_HTTP_{status}", status)


def _wait(text: str | None, now: datetime) -> timedelta | None:
    """Retry-After as a wait (RFC 9110 10.2.3: seconds or a date); None when there is none or it makes no sense."""
    if text is None:
        return None
    try:
        if text.strip().isascii() and text.strip().isdigit():
            return timedelta(seconds=min(int(text.strip()), 10**7))
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta())
