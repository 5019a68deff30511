"""Time, as the hub uses it: UTC with its zone, and one written form that also sorts."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time now, in UTC with its zone. The real one is `utc_now`; tests bring their own."""


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and `Z`: of two such strings the earlier time sorts first."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(text: str) -> datetime:
    """The moment behind `written`. Raises ValueError for anything else."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
