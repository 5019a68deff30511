"""What instances measured of the messages they had in hand: counts, and how long messages were on their way.

Plain values. Times are counted in classes (seconds, upper ends below), so that what many instances measured can be
added up, and a quantile is known to within its class.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared import clock
from shared.messages.documents import Document
from shared.messages.urgency import Urgency

BOUNDS_S: Final = (
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0, 273_600.0,
)  # fmt: skip
"""The last one is the 76 hours for which a delivery is tried."""
SLOT: Final = timedelta(minutes=15)
QUANTILES: Final = (0.5, 0.95, 0.99)


@dataclass(slots=True)
class Road:
    """One receiver and class."""

    taken: int = 0
    later: int = 0
    """Tries that are to be made again."""
    refused: int = 0
    took: Counter[int] = field(default_factory=Counter)
    """Messages by class of the time from acceptance to delivery; the class after the last has no upper end."""

    def add(self, other: "Road") -> None:
        """Add what another instance, or another time, measured."""
        self.taken += other.taken
        self.later += other.later
        self.refused += other.refused
        self.took.update(other.took)


@dataclass(slots=True)
class Slot:
    """What was measured in a quarter of an hour."""

    accepted: Counter[tuple[str, Urgency]] = field(default_factory=Counter)
    """By municipality and class."""
    refused: Counter[str] = field(default_factory=Counter)
    """Calls, by code."""
    roads: dict[tuple[str, Urgency], Road] = field(default_factory=dict)
    """By receiver (its key) and class."""

    def road(self, key: str, urgency: Urgency) -> Road:
        """The one of this receiver and class."""
        return self.roads.setdefault((key, urgency), Road())

    def add(self, other: "Slot") -> None:
        """Add what another instance, or another time, measured."""
        self.accepted.update(other.accepted)
        self.refused.update(other.refused)
        for (key, urgency), road in other.roads.items():
            self.road(key, urgency).add(road)

    def document(self) -> Document:
        """As an instance keeps it."""
        return {
            "accepted": [{"orgnr": orgnr, "class": each.value, "n": n} for (orgnr, each), n in self.accepted.items()],
            "refused": dict(self.refused),
            "roads": [
                {"key": key, "class": urgency.value, "taken": road.taken, "later": road.later,
                 "refused": road.refused, "took": {str(place): n for place, n in road.took.items()}}
                for (key, urgency), road in self.roads.items()
            ],
        }  # fmt: skip


def slot_from(document: Mapping[str, Any]) -> Slot:
    """The slot behind its document. Raises KeyError or ValueError for a document that is none."""
    slot = Slot(refused=Counter(document["refused"]))
    for each in document["accepted"]:
        slot.accepted[each["orgnr"], Urgency(each["class"])] += each["n"]
    for each in document["roads"]:
        took = Counter({int(place): n for place, n in each["took"].items()})
        slot.road(each["key"], Urgency(each["class"])).add(Road(each["taken"], each["later"], each["refused"], took))
    return slot


def slot_start(at: datetime) -> datetime:
    """When the slot that this moment is in began (UTC)."""
    return datetime.fromtimestamp(at.timestamp() // SLOT.total_seconds() * SLOT.total_seconds(), UTC)


def place_of(took: timedelta) -> int:
    """The class of a time."""
    seconds = took.total_seconds()
    return next((place for place, bound in enumerate(BOUNDS_S) if seconds <= bound), len(BOUNDS_S))


def quantile(took: Mapping[int, int], part: float) -> float | None:
    """Seconds within which this part of the messages arrived, interpolated within the class; None without any.

    Beyond the last class it is that class's end: "at least".
    """
    wanted = part * sum(took.values())
    if wanted <= 0:
        return None
    before = 0
    for place in sorted(took):
        if before + took[place] >= wanted:
            low = BOUNDS_S[place - 1] if place else 0.0
            high = BOUNDS_S[min(place, len(BOUNDS_S) - 1)]
            return round(low + (high - low) * (wanted - before) / took[place], 3)
        before += took[place]
    return None


def added(slots: Iterable[Slot]) -> Slot:
    """All of them in one."""
    whole = Slot()
    for each in slots:
        whole.add(each)
    return whole


def written(slot: Slot, since: datetime, orgnr: str | None) -> dict[str, Any]:
    """As JSON; of one municipality alone when one is named: calls that were refused are nobody's in particular."""
    mine = [(key, urgency, road) for (key, urgency), road in sorted(slot.roads.items()) if _is_of(key, orgnr)]
    accepted: Counter[str] = Counter()
    for (whose, urgency), n in slot.accepted.items():
        if orgnr is None or whose == orgnr:
            accepted[urgency.value] += n
    told: dict[str, Any] = {
        "since": clock.written(since),
        "accepted": {urgency.value: accepted[urgency.value] for urgency in Urgency},
        "receivers": [
            {"orgnr": key.partition("/")[0], "receiver": key.partition("/")[2], "class": urgency.value,
             "attempts": road.taken + road.later + road.refused, "taken": road.taken, "later": road.later,
             "refused": road.refused,
             "endToEndSeconds": {f"p{round(part * 100)}": quantile(road.took, part) for part in QUANTILES}}
            for key, urgency, road in mine
        ],
    }  # fmt: skip
    return told if orgnr is not None else {**told, "refused": dict(sorted(slot.refused.items()))}


def _is_of(key: str, orgnr: str | None) -> bool:
    return orgnr is None or key.partition("/")[0] == orgnr
