"""What a run gives: figures with their units, and how much of everything was done for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    floor_s: float
    steady_s: float
    sustained: int
    backlog: int
    stored: int = 0
    """Messages that lie stored beside a second backlog; none: it is left out."""
    patients: int = 1000

    @property
    def backlog_patients(self) -> int:
        """A long backlog is many patients' rather than a few lanes of great length."""
        return max(self.patients, self.backlog // 10)


FULL: Final = Sizes(floor_s=5, steady_s=20, sustained=3000, backlog=1500)
QUICK: Final = Sizes(floor_s=1, steady_s=4, sustained=300, backlog=150)

SETTINGS: Final[Mapping[str, str]] = {
    # So that a drained backlog shows the hub's pace, not the waits of its schedule.
    "Delivery__schedule": "1",
    "Upkeep__grace": "60",
    "HelseId__testEnvironment": "true",
    "Limits__perSecond": "1000",
    "Limits__burst": "10000",
}
"""Settings of the app that is measured."""
