"""The invariants of R4's data types (http://hl7.org/fhir/R4/datatypes.html#invs), by R4's own keys.

Each says whether it holds for an object of its type. R4's expression is in the definition of the type.
"""

from decimal import Decimal
from typing import Final

from shared.fhir.r4.invariants.facts import (
    UCUM,
    at_most_one,
    exactly_one,
    has,
    has_choice,
    implies,
    in_order,
    inside,
    not_negative,
    number,
    quantities_in_order,
    together,
)
from shared.fhir.values import JsonObject

_MEALS: Final = frozenset({"C", "CM", "CD", "CV"})


def _coded_in_ucum(owner: JsonObject) -> bool:
    return (has(owner, "code") or not has(owner, "value")) and owner.get("system") in (None, UCUM)


def _age(owner: JsonObject) -> bool:
    value = number(owner.get("value"))
    return _coded_in_ucum(owner) and (value is None or value > 0)


def _count(owner: JsonObject) -> bool:
    return _coded_in_ucum(owner) and owner.get("code") in (None, "1") and "." not in _digits(number(owner.get("value")))


def _digits(value: int | Decimal | None) -> str:
    return "" if value is None else str(value)


def _duration(owner: JsonObject) -> bool:
    return not has(owner, "code") or (owner.get("system") == UCUM and has(owner, "value"))


def _extension(owner: JsonObject) -> bool:
    return ("extension" in owner) != has_choice(owner, "value")


def _ratio(owner: JsonObject) -> bool:
    return together(owner, "numerator", "denominator") and ("numerator" in owner or "extension" in owner)


def _offset_beside_meal(owner: JsonObject) -> bool:
    when = owner.get("when")
    return not has(owner, "offset") or (isinstance(when, list) and not _MEALS & {str(each) for each in when})


def _trigger(owner: JsonObject) -> bool:
    kind = str(owner.get("type"))
    needed = {"named-event": has(owner, "name"), "periodic": has_choice(owner, "timing")}
    return needed.get(kind, has(owner, "data") if kind.startswith("data-") else True)


DATATYPES: Final = {
    "age-1": _age,
    "att-1": lambda owner: implies(owner, "data", "contentType"),
    "cnt-3": _count,
    "cpt-2": lambda owner: implies(owner, "value", "system"),
    "dis-1": _coded_in_ucum,
    "drq-1": lambda owner: exactly_one(owner, "path", "searchParam"),
    "drq-2": lambda owner: exactly_one(owner, "path", "searchParam"),
    "drt-1": _duration,
    "exp-1": lambda owner: has(owner, "expression") or has(owner, "reference"),
    "ext-1": _extension,
    "per-1": lambda owner: in_order(owner.get("start"), owner.get("end")),
    "qty-3": lambda owner: implies(owner, "code", "system"),
    "rat-1": _ratio,
    "rng-2": lambda owner: quantities_in_order(inside(owner, "low"), inside(owner, "high")),
    "sqty-1": lambda owner: not has(owner, "comparator"),
    "tim-1": lambda owner: implies(owner, "duration", "durationUnit"),
    "tim-2": lambda owner: implies(owner, "period", "periodUnit"),
    "tim-4": lambda owner: not_negative(owner, "duration"),
    "tim-5": lambda owner: not_negative(owner, "period"),
    "tim-6": lambda owner: implies(owner, "periodMax", "period"),
    "tim-7": lambda owner: implies(owner, "durationMax", "duration"),
    "tim-8": lambda owner: implies(owner, "countMax", "count"),
    "tim-9": _offset_beside_meal,
    "tim-10": lambda owner: at_most_one(owner, "timeOfDay", "when"),
    "trd-1": lambda owner: not (has(owner, "data") and has_choice(owner, "timing")),
    "trd-2": lambda owner: implies(owner, "condition", "data"),
    "trd-3": _trigger,
}
