"""The list of prices (`infra/prices.json`) and what was measured (`infra/measured.json`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

INFRA: Final = Path(__file__).resolve().parents[2] / "infra"
PRICES: Final = INFRA / "prices.json"
MEASURED: Final = INFRA / "measured.json"


@dataclass(frozen=True, slots=True)
class Price:
    """One price: US dollars, for what, how sure it is (`S` or `K`, see the file) and from where."""

    name: str
    usd: float
    per: str
    sure: str
    source: str


@dataclass(frozen=True, slots=True)
class Prices:
    """The whole list."""

    date: str
    basis: str
    check: str
    hours: float
    more: tuple[float, float]
    """How much dearer the region is than the list, at least and at most."""
    known: Mapping[str, Price]
    included: Mapping[str, float]
    assumed: Mapping[str, tuple[float, str]]

    def usd(self, name: str) -> float:
        """A price. Raises KeyError when it is not on the list."""
        return self.known[name].usd

    def assume(self, name: str) -> float:
        """What is assumed where nothing could be measured. Raises KeyError."""
        return self.assumed[name][0]

    @property
    def seconds(self) -> float:
        """Seconds of a month."""
        return self.hours * 3600


@dataclass(frozen=True, slots=True)
class Measured:
    """What an event took on a hub of ours: see `sandbox/cost/measuring.py`."""

    date: str
    events: Mapping[str, float]
    """Of one event that is alone, by counter."""
    busy: Mapping[str, float]
    """Of one among many at the same time."""
    quiet: Mapping[str, float]
    """In an hour in which nothing comes."""


@cache
def prices(path: Path = PRICES) -> Prices:
    """Read the list. Raises OSError, ValueError or KeyError when it is not one."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Prices(
        date=found["date"],
        basis=found["basis"],
        check=found["check"],
        hours=float(found["hoursInMonth"]),
        more=(float(found["region"]["moreAtLeast"]), float(found["region"]["moreAtMost"])),
        known={name: Price(name, **each) for name, each in found["prices"].items()},
        included={name: float(each) for name, each in found["included"].items() if name != "about"},
        assumed={name: (float(each["value"]), str(each["why"])) for name, each in found["assumed"].items()},
    )


@cache
def measured(path: Path = MEASURED) -> Measured:
    """Read it. Raises OSError, ValueError or KeyError when it is not what it should be."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Measured(found["date"], found["perEventAlone"], found["perEventBusy"], found["quietPerHour"])
