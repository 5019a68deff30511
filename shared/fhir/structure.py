"""Whether a message has the structure R4 gives its types: only known elements, each with the right JSON type,
and all that are required (R4B tells of one kind of missing element at a time).

`fhir.resources` does not hold that line by itself (engineering/fhir.md 1.4): it reads JSON out of strings where an
object is due, takes "5" for a number and 1720000000 for a time, accepts its own Python names, and ends in a KeyError
for an unknown resource type. What passes here can be handed to it safely.
"""

from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches

from shared.fhir.definitions import Element, Shape, resource_shape, shape_for
from shared.fhir.findings import Findings
from shared.fhir.values import JsonObject, JsonValue, Path

UNKNOWN_ELEMENT = "fhir-unknown-element"
REQUIRED = "fhir-required"
ONE_CHOICE = "fhir-one-choice"
HARMLESS = frozenset({UNKNOWN_ELEMENT, REQUIRED, ONE_CHOICE})
"""Faults that leave a message safe to be handed to `fhir.resources`, so that its findings can be told as well."""


def _is_string(value: JsonValue) -> bool:
    return isinstance(value, str)


def _is_integer(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_decimal(value: JsonValue) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


_JSON_TYPES: dict[str, tuple[Callable[[JsonValue], bool], str]] = {
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "integer": (_is_integer, "a whole number"),
    "unsignedInt": (_is_integer, "a whole number"),
    "positiveInt": (_is_integer, "a whole number"),
    "decimal": (_is_decimal, "a number"),
}
_TEXT = (_is_string, "a string")


def check_structure(message: JsonObject, findings: Findings) -> None:
    """Note every place where the repaired copy does not have R4's structure."""
    _Walk(findings).resource(message, ())


class _Walk:
    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.note = findings.add

    def resource(self, value: JsonValue, path: Path) -> None:
        shape = resource_shape(value)
        if not isinstance(value, dict):
            self.note("fhir-not-an-object", path)
        elif shape is None:
            where = (*path, "resourceType")
            if "resourceType" in value:
                self.note("fhir-unknown-resource-type", where)
            else:
                self.note("fhir-missing-resource-type", where)
        else:
            self.members(value, shape, path, is_resource=True)

    def members(self, value: JsonObject, shape: Shape, path: Path, *, is_resource: bool = False) -> None:
        for name, any_of in shape.required.items():
            if not any(each in value for each in any_of):
                self.note(REQUIRED, (*path, name), element=name)
        chosen: dict[str, str] = {}
        for name, member in value.items():
            element = shape.elements.get(name)
            if element is not None and element.choice is not None and chosen.setdefault(element.choice, name) != name:
                self.note(ONE_CHOICE, (*path, name), element=element.choice)
            if element is None:
                if not (is_resource and name == "resourceType"):
                    self.unknown(name, shape, (*path, name))
            elif not element.repeats:
                self.value(member, element, (*path, name))
            elif isinstance(member, list):
                for index, item in enumerate(member):
                    # After repair a null stands only where it holds the place of a value or an extension.
                    if item is not None:
                        self.value(item, element, (*path, name, index))
            else:
                self.note("fhir-not-an-array", (*path, name))
            if self.findings.full:
                return

    def value(self, value: JsonValue, element: Element, path: Path) -> None:
        if element.kind == "resource":
            self.resource(value, path)
        elif element.kind == "primitive":
            matches, due = _JSON_TYPES.get(element.type_name, _TEXT)
            if not matches(value):
                self.note("fhir-json-type", path, type=element.type_name, due=due)
        elif isinstance(value, dict):
            shape = shape_for(element, value)
            if shape is not None:
                self.members(value, shape, path)
        elif isinstance(value, list):
            self.note("fhir-not-one-value", path)
        else:
            self.note("fhir-not-an-object", path)

    def unknown(self, name: str, shape: Shape, path: Path) -> None:
        # The nearest name comes from the definitions, so it can be told; the sender's own name cannot.
        near = get_close_matches(name, shape.elements, n=1) if len(name) <= 64 and not self.findings.full else ()
        self.note(UNKNOWN_ELEMENT, path, near=f" The nearest is {near[0]}." if near else "")
