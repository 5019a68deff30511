"""Messages that nobody sends, near enough to FHIR to get past the first layers."""

import copy
import json
from functools import cache
from typing import Any

from hypothesis import strategies as st

from shared.fhir.r4.definitions import shape_of
from tests.data import EXAMPLES, NHN_ALARM, REPOSITORY
from tests.unit.fhir.messages import ALARM_URL, KARI, OLA

_TYPES = ("Bundle", "Composition", "DetectedIssue", "Observation", "Patient", "MessageHeader", "Foo", "HumanName", "")
_NAMES = sorted(
    {
        "entry",
        "resource",
        "fullUrl",
        "type",
        "subject",
        "patient",
        "contained",
        "unknown",
        "fhir_comments",
        "status__ext",
        "receiver",
        "timestamp",
        "event",
        "destination",
    }
    | {
        name
        for type_name in ("Patient", "Observation", "HumanName", "Identifier")
        for name in shape_of(type_name).elements
    }
)
_WORDS = (
    "",
    " ",
    "a",
    " a ",
    "document",
    "final",
    "2026-01-15",
    "2026-01-15T08:00:00Z",
    KARI,
    OLA,
    ALARM_URL,
    "#p",
    "{}",
)

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(_WORDS) | st.text(max_size=3)


def fhir_like() -> st.SearchStrategy[Any]:
    """Objects with FHIR's names in the wrong places, empties and nulls everywhere."""
    values = st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5)
            | _resources(inner)
        ),
        max_leaves=25,
    )
    return _resources(values)


def _resources(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(st.sampled_from(_NAMES), inner, max_size=6)
    return st.builds(lambda name, rest: {"resourceType": name, **rest}, st.sampled_from(_TYPES), members)


@cache
def examples() -> list[bytes]:
    """An example of every kind of message: the hub's own and those of the specifications."""
    files = [
        *(REPOSITORY / "sandbox" / "data" / "examples").glob("*.json"),
        *EXAMPLES.glob("derived-r4/*.json"),
        NHN_ALARM,
    ]
    return [file.read_bytes() for file in sorted(files)]


def places(message: Any) -> list[tuple[Any, str | int]]:
    """Each place in a message: the object or array that holds it, and the name or index."""
    found: list[tuple[Any, str | int]] = []
    if isinstance(message, dict | list):
        for step, inside in message.items() if isinstance(message, dict) else enumerate(message):
            found.append((message, step))
            found += places(inside)
    return found


@st.composite
def mutated_examples(draw: st.DrawFn) -> Any:
    """An example with one to three places altered, emptied, wrapped, doubled, renamed or swapped for another."""
    message = json.loads(draw(st.sampled_from(examples())))
    for _ in range(draw(st.integers(1, 3))):
        everywhere = places(message)
        if everywhere:
            holder, step = draw(st.sampled_from(everywhere))
            _alter(draw, holder, step, everywhere)
    return message


def _alter(draw: st.DrawFn, holder: Any, step: Any, everywhere: list[tuple[Any, str | int]]) -> None:
    value = holder[step]
    kind = draw(st.sampled_from(("odd", "odd", "gone", "wrapped", "twice", "renamed", "swapped", "blank", "unwrapped")))
    if kind == "odd":
        holder[step] = draw(scalars | fhir_like() | st.sampled_from([[], {}, [[]], [{}], [None], 10**30, -1.5]))
    elif kind == "gone":
        del holder[step]
    elif kind == "wrapped":
        holder[step] = [value]
    elif kind == "twice":
        holder[step] = [value, copy.deepcopy(value)]
    elif kind == "renamed" and isinstance(holder, dict):
        holder[draw(st.sampled_from(_NAMES))] = holder.pop(step)
    elif kind == "swapped":
        other, place = draw(st.sampled_from(everywhere))
        holder[step] = copy.deepcopy(other[place])
    elif kind == "blank" and isinstance(value, str):
        holder[step] = f" {value}\t"
    elif kind == "unwrapped" and isinstance(value, list) and value:
        holder[step] = value[0]
