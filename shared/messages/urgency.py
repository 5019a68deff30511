"""How urgent a message is: whether somebody may be in need now, or it can wait its turn.

Prompt messages have queues of their own, a retry schedule made for alarms, and lend their haste to whatever stands
before them in their lane, since order is kept (P4). The table is data (`data/urgency.json`): by the kind of event and
by how grave its sender says it is (vkp-severity-level-v090; DetectedIssue.severity of R4). Doubt makes it prompt.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parent / "data" / "urgency.json"


class Urgency(StrEnum):
    """The two classes."""

    PROMPT = "prompt"
    ROUTINE = "routine"


@dataclass(frozen=True, slots=True)
class Table:
    """What makes a message prompt or routine."""

    kinds: Mapping[str, Urgency]
    """By kind of event, for messages that say nothing of how grave it is."""
    severities: Mapping[str, Urgency]
    """By severity with its scale (`vkp:30`), where that alone decides."""
    calm: frozenset[str]
    """Kinds that are routine however grave: they tell of what has been dealt with."""

    def of(self, kind: str, severity: str) -> Urgency:
        """The class of a message. A kind that is not in the table is prompt: nobody knows that it can wait."""
        if kind in self.calm:
            return Urgency.ROUTINE
        said = self.severities.get(severity)
        return said if said is not None else self.kinds.get(kind, Urgency.PROMPT)


def load(read: Callable[[], str] | None = None) -> Table:
    """The table from the data file. Raises KeyError or ValueError when it is malformed."""
    data = json.loads(read() if read else _DATA.read_text(encoding="utf-8"))
    kinds = {kind: urgency for urgency in Urgency for kind in data["kinds"][urgency.value]}
    if len(kinds) != sum(len(data["kinds"][urgency.value]) for urgency in Urgency):
        raise ValueError("a kind of event stands twice in the table of urgency")
    return Table(
        kinds=kinds,
        severities={severity: Urgency(urgency) for severity, urgency in data["severities"].items()},
        calm=frozenset(data["calm"]),
    )


@cache
def _standard() -> Table:
    return load()


def of(kind: str, severity: str) -> Urgency:
    """The class of a message of this kind and severity, by the hub's own table."""
    return _standard().of(kind, severity)
