"""A clock that a test moves."""

from datetime import UTC, datetime, timedelta


class SetClock:
    """Wall time, moved on by what `forward` was told."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def forward(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)
