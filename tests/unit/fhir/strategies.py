"""Messages that nobody sends, near enough to FHIR to get past the first layers."""

from typing import Any

from hypothesis import strategies as st

from shared.fhir.definitions import shape_of
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
