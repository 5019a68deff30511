"""Questions that invariants ask of an object, answered the same way whatever is in it.

An invariant is asked of objects whose faults are found elsewhere, so nothing here takes a value to be of its type.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from shared.fhir.values import JsonObject, JsonValue

UCUM = "http://unitsofmeasure.org"

_LITERAL = re.compile(r"(?:https?://\S+/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_FRACTION = re.compile(r"(\.\d{6})\d+")


def has(owner: JsonObject, name: str) -> bool:
    """Whether an element is there, as a value or with extensions only (FHIRPath `exists()`)."""
    return name in owner or "_" + name in owner


def has_any(owner: JsonObject, *names: str) -> bool:
    """Whether one of several elements is there."""
    return any(has(owner, name) for name in names)


def has_choice(owner: JsonObject, name: str) -> bool:
    """Whether an element with a choice of types is there: `value` for `valueQuantity` or `_valueString`."""
    return any(member.startswith((name, "_" + name)) for member in owner)


def together(owner: JsonObject, *names: str) -> bool:
    """Whether either all of the elements are there or none."""
    return len({has(owner, name) for name in names}) == 1


def at_most_one(owner: JsonObject, *names: str) -> bool:
    """Whether no two of the elements are there."""
    return sum(has(owner, name) for name in names) <= 1


def exactly_one(owner: JsonObject, *names: str) -> bool:
    """Whether one of the elements is there and no other."""
    return sum(has(owner, name) for name in names) == 1


def implies(owner: JsonObject, name: str, needed: str) -> bool:
    """Whether the second element is there if the first is."""
    return not has(owner, name) or has(owner, needed)


def objects(value: JsonValue) -> Iterator[JsonObject]:
    """The objects in an array, or the object itself; nothing for anything else."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


def inside(owner: JsonValue, name: str) -> JsonObject:
    """The object that an element holds; an empty one when it holds none."""
    value = owner.get(name) if isinstance(owner, dict) else None
    return value if isinstance(value, dict) else {}


def count(owner: JsonObject, name: str) -> int:
    """How many values an element has."""
    value = owner.get(name)
    return len(value) if isinstance(value, list) else int(has(owner, name))


def coded(owner: JsonObject, name: str, system: str, *codes: str) -> bool:
    """Whether a CodeableConcept, or one of several, holds one of the codes of a system."""
    return any(
        coding.get("system") == system and coding.get("code") in codes
        for concept in objects(owner.get(name))
        for coding in objects(concept.get("coding"))
    )


def number(value: JsonValue) -> int | Decimal | None:
    """A number; None for anything else."""
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def not_negative(owner: JsonObject, name: str) -> bool:
    """Whether a number is zero or more, if it is there."""
    value = number(owner.get(name))
    return value is None or value >= 0


def in_order(earlier: JsonValue, later: JsonValue) -> bool:
    """Whether two dates or times of R4 can be in this order. Where their precision leaves it open, they can."""
    if not isinstance(earlier, str) or not isinstance(later, str):
        return True
    if "T" in earlier and "T" in later:
        first, second = _moment(earlier), _moment(later)
        if first is None or second is None or (first.tzinfo is None) != (second.tzinfo is None):
            return True
        return first <= second
    shared = min(len(earlier), len(later), 10)
    return earlier[:shared] <= later[:shared]


def _moment(written: str) -> datetime | None:
    try:
        # Python keeps six digits of a second and has no leap seconds.
        return datetime.fromisoformat(_FRACTION.sub(r"\1", written).replace(":60", ":59"))
    except ValueError:
        return None


def quantities_in_order(low: JsonObject, high: JsonObject) -> bool:
    """Whether two quantities can be in this order; those of different units cannot be compared."""
    first, second = number(low.get("value")), number(high.get("value"))
    if first is None or second is None or any(low.get(each) != high.get(each) for each in ("system", "code", "unit")):
        return True
    return first <= second


def referred_type(reference: JsonObject) -> str | None:
    """The type of resource that a literal reference names, as in `Patient/17`; None when it does not tell."""
    written = reference.get("reference")
    found = _LITERAL.fullmatch(written) if isinstance(written, str) else None
    return found.group(1) if found is not None else None
