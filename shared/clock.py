"""Time, as the hub uses it: UTC with its zone, and one written form that also sorts."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

Clock = Callable[[], datetime]
"""Gives the time now, in UTC with its zone. The real one is `utc_now`; tests bring their own."""

_WRITTEN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and `Z`: of two such strings the earlier time sorts first."""
    # Not strftime: it writes the year 950 with three digits, and then neither sorting nor reading holds.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read(text: str) -> datetime:
    """The moment behind `written`. Raises ValueError for anything else."""
    if _WRITTEN.fullmatch(text) is None:
        raise ValueError("not a time as this hub writes it")
    return datetime.fromisoformat(text)
