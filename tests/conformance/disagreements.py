"""Why two checks disagree: the classes of `disagreements.json`, and what falls into each.

A disagreement is a message that one check takes and the other refuses. It is explained when each fault that the
refusing one tells is in a class, which says why the other one takes it. A class names faults by our rule's key (one of
R4's own invariants: `invariant`; any rule of a layer: `layer profile`) or by a regular expression over the other's
words, and may ask something of the fault besides, by the name of a predicate here.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from shared.fhir.r4.definitions import definitions
from shared.fhir.rules import rules
from tests.conformance.opinions import Fault, Opinion

_FILE: Final = Path(__file__).with_suffix(".json")
_OWN_CLASS: Final = frozenset({"ele-1", "ref-1", "txt-1", "txt-2"})
_BLANKS: Final = " \t\r\n"


def _text(fault: Fault) -> str:
    return fault.value if isinstance(fault.value, str) else ""


def _last(fault: Fault) -> str:
    return str(fault.at[-1]) if fault.at else ""


_ASKED: Final[Mapping[str, Callable[[Fault], bool]]] = MappingProxyType(
    {
        "blank": lambda fault: isinstance(fault.value, str) and not _text(fault).strip(_BLANKS),
        "control character": lambda fault: any(each < " " and each not in _BLANKS for each in _text(fault)),
        "encoded": lambda fault: _text(fault)[:1] == "{" and _text(fault)[-1:] == "}",
        "extension url": lambda fault: _last(fault) == "url" and "extension" in str(fault.at[-3:]).lower(),
        "of a resource": lambda fault: _last(fault) == "id",
        "its own name": lambda fault: _last(fault) in ("fhir_comments", "resource_type") or "__ext" in _last(fault),
        "name of comments": lambda fault: _last(fault) == "fhir_comments",
        "resourceType": lambda fault: _last(fault) == "resourceType",
        "value of R4": lambda fault: _last(fault) == "valueMeta",
        "value of R4B": lambda fault: _last(fault) == "valueCodeableReference",
        "longer than 64": lambda fault: len(_text(fault)) > 64,
        "year 0": lambda fault: _text(fault).startswith("0000"),
        "zone beyond 14 hours": lambda fault: "+14:" in _text(fault),
        "blank of Unicode": lambda fault: bool(re.search(r"[\u00a0\u2003]", _text(fault))),
        "no UUID of version 4": lambda fault: "-1326-" in _text(fault),
    }
)


@dataclass(frozen=True, slots=True)
class Class:
    """Disagreements of one kind."""

    name: str
    faults: tuple[str, ...]
    """Rule keys, `invariant`, `layer ...`, or regular expressions over another check's words."""
    asked: str | None
    why: str

    def holds(self, fault: Fault) -> bool:
        """Whether a fault is of this class."""
        return any(_names(each, fault) for each in self.faults) and (self.asked is None or _ASKED[self.asked](fault))


def _names(named: str, fault: Fault) -> bool:
    rule = fault.says.partition(" ")[0]
    if named == "invariant":
        return fault.says in definitions()["rules"] and fault.says not in _OWN_CLASS
    if named.startswith("layer "):
        return rule in rules() and rules()[rule].layer == named.removeprefix("layer ")
    return named in (fault.says, rule) or (
        rule not in rules() and re.fullmatch(named, fault.says, re.DOTALL) is not None
    )


@cache
def classes() -> Mapping[str, tuple[Class, ...]]:
    """The classes of each kind of comparison: `fhirkit-rs takes`, `fhirkit-rs refuses`, and so on."""
    file = json.loads(_FILE.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            kind: tuple(
                Class(f"{kind}: {name}", tuple(row["faults"]), row.get("asked"), row["why"])
                for name, row in rows.items()
            )
            for kind, rows in file.items()
            if kind != "about"
        }
    )


def explained(opinion: Opinion, *kinds: str) -> Iterator[Class | Fault]:
    """For each fault its class among those of some kinds, or the fault itself when it has none."""
    known = [each for kind in kinds for each in classes()[kind]]
    for fault in opinion:
        yield next((each for each in known if each.holds(fault)), fault)
