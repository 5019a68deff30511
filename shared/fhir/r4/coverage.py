"""What the base R4 layer leaves out, worked out from R4's own definitions and the checker's tables.

`data/not_enforced.json` gives the reason for each; a test fails when the two differ.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.fhir.r4.checker import ELSEWHERE, enforced
from shared.fhir.r4.definitions import resource_types, shape_of, value_set

_FILE = Path(__file__).parents[1] / "data" / "not_enforced.json"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not enforced."""

    rules: frozenset[str]
    """Invariants of the resources in use and of all data types in them."""
    bindings: frozenset[str]
    """Paths of elements in them with a required binding whose codes nobody lists."""
    other_resources: dict[str, tuple[str, ...]]
    """Invariants and bindings of the other resources, by type: their structure is enforced all the same."""


@cache
def left_out() -> LeftOut:
    """What the checker does not enforce, as it is now."""
    used = _reached(in_use())
    others: dict[str, tuple[str, ...]] = {}
    for name in sorted(resource_types() - in_use()):
        types = _reached({name}) - used
        missing = (_rules(types) - _rules(used)) | _bindings(types)
        if missing:
            others[name] = tuple(sorted(missing))
    return LeftOut(_rules(used), _bindings(used), others)


@cache
def in_use() -> frozenset[str]:
    """The resources that messages about care at home hold, or that such resources refer to."""
    return frozenset(reasons()["resources_in_use"])


@cache
def reasons() -> dict[str, Any]:
    """The file of reasons: for `rules`, `bindings`, `other_resources`, and for what R4 says in `prose` only."""
    read: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return read


def _reached(start: frozenset[str] | set[str]) -> frozenset[str]:
    """The types, and all that are used in them."""
    reached = set(start)
    waiting = list(start)
    while waiting:
        shape = shape_of(waiting.pop())
        inner = {each.type_name for each in shape.elements.values() if each.kind == "complex"} - reached
        reached |= inner
        waiting += inner
    return frozenset(reached)


def _rules(types: frozenset[str]) -> frozenset[str]:
    keys = {key for name in types for key in shape_of(name).rules}
    keys |= {key for name in types for each in shape_of(name).elements.values() for key in each.rules}
    return frozenset(key for key in keys if not enforced(key) and key not in ELSEWHERE)


def _bindings(types: frozenset[str]) -> frozenset[str]:
    elements = (each for name in types for each in shape_of(name).elements.values())
    return frozenset(each.path for each in elements if each.codes is not None and value_set(each.codes) is None)
