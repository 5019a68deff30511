"""Naming what is wrong with a value that is not what R4 says is due: the slow side of the check, for faults only."""

from difflib import get_close_matches

from shared.fhir.r4.definitions import Element, Shape, ValueSet
from shared.fhir.r4.primitives import PRIMITIVES, is_no_such_date
from shared.fhir.r4.visit import Visit
from shared.fhir.values import JsonObject, JsonValue

_MOST_GUESSES = 20
"""Comparing an unknown name with the known ones takes a millisecond, so it is done for the first ones only."""
_LONGEST_NAME = 64
_MOST_CODES = 12


def not_a_primitive(value: JsonValue, element: Element, visit: Visit, owner: JsonObject, *steps: str | int) -> None:
    """Note why a value is not of its primitive type."""
    primitive = PRIMITIVES[element.type_name]
    words = {"type": element.type_name, "form": primitive.form, "due": primitive.json}
    if value is None:
        visit.note("fhir-null", owner, *steps)
    elif isinstance(value, list):
        visit.note("fhir-not-one-value", owner, *steps)
    elif not primitive.of_json_type(value):
        visit.note("fhir-json-type", owner, *steps, **words)
    elif not isinstance(value, str):
        visit.note("fhir-range", owner, *steps, **words)
    elif is_no_such_date(element.type_name, value):
        visit.note("fhir-no-such-date", owner, *steps)
    else:
        visit.note("fhir-format", owner, *steps, **words)


def not_a_code(
    value: JsonValue, element: Element, codes: ValueSet, visit: Visit, owner: JsonObject, *steps: str | int
) -> None:
    """Note why a value is not one of the codes that a required binding allows."""
    if not PRIMITIVES[element.type_name].valid(value):
        not_a_primitive(value, element, visit, owner, *steps)
    else:
        visit.note("fhir-code", owner, *steps, codes=_listed(codes))


def not_a_coded_concept(codes: ValueSet, visit: Visit, owner: JsonObject, *steps: str | int) -> None:
    """Note that no coding of a CodeableConcept is one that a required binding allows."""
    visit.note("fhir-code", owner, *steps, codes=_listed(codes))


def not_an_object(value: JsonValue, visit: Visit, owner: JsonObject, *steps: str | int) -> None:
    """Note what is there in the place of one object."""
    if value is None:
        visit.note("fhir-null", owner, *steps)
    else:
        visit.note("fhir-not-one-value" if isinstance(value, list) else "fhir-not-an-object", owner, *steps)


def not_an_array(value: JsonValue, visit: Visit, owner: JsonObject, name: str) -> None:
    """Note what is there in the place of an array of at least one."""
    if value is None:
        visit.note("fhir-null", owner, name)
    else:
        visit.note("fhir-empty" if isinstance(value, list) else "fhir-not-an-array", owner, name)


def unknown_element(name: str, shape: Shape, visit: Visit, owner: JsonObject) -> None:
    """Note a member R4 has not, and the nearest that it has: that name is R4's, the sender's own cannot be told."""
    near: list[str] = []
    if visit.guesses < _MOST_GUESSES and len(name) <= _LONGEST_NAME:
        visit.guesses += 1
        near = get_close_matches(name, shape.elements, n=1)
    visit.note("fhir-unknown-element", owner, name, near=f" The nearest is {near[0]}." if near else "")


def missing_elements(shape: Shape, visit: Visit, owner: JsonObject) -> None:
    """Note each required element that is not there."""
    for name, members in shape.required.items():
        if not any(member in owner for member in members):
            visit.note("fhir-required", owner, name, element=f"{name}[x]" if name in shape.choices else name)


def several_choices(choice: str, members: frozenset[str], visit: Visit, owner: JsonObject) -> None:
    """Note that an element with a choice of types is there in more than one."""
    second = [name for name in owner if name in members][1]
    visit.note("fhir-one-choice", owner, second, element=choice)


def no_such_resource(value: JsonObject, visit: Visit) -> None:
    """Note that an object does not say which type of resource it is, or says one that R4 has not."""
    known = "fhir-unknown-resource-type" if "resourceType" in value else "fhir-missing-resource-type"
    visit.note(known, value, "resourceType")


def _listed(codes: ValueSet) -> str:
    if len(codes.codes) > _MOST_CODES:
        return f"one of {len(codes.codes)} codes"
    return "one of " + ", ".join(sorted(codes.codes))
