"""Small valid values of every R4 type, made from the definitions."""

from decimal import Decimal
from typing import Any, Final

from shared.fhir.r4.definitions import Element, Shape, shape_of, value_set

_PRIMITIVES: Final[dict[str, Any]] = {
    "base64Binary": "QUJD",
    "boolean": True,
    "canonical": "http://a.example/x",
    "code": "a",
    "date": "2026-01-15",
    "dateTime": "2026-01-15T08:00:00Z",
    "decimal": Decimal("1.0"),
    "id": "a",
    "instant": "2026-01-15T08:00:00Z",
    "integer": 1,
    "markdown": "text",
    "oid": "urn:oid:1.2.3",
    "positiveInt": 1,
    "string": "text",
    "time": "08:00:00",
    "unsignedInt": 1,
    "uri": "http://a.example/x",
    "url": "http://a.example/x",
    "uuid": "urn:uuid:c757873d-ec9a-1326-a141-556f43239520",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">text</div>',
}
_UNIT: Final = {"value": Decimal(1), "system": "http://unitsofmeasure.org", "code": "1"}
_SOME: Final[dict[str, Any]] = {
    "Age": _UNIT,
    "Count": _UNIT | {"value": 1},
    "Distance": _UNIT,
    "Duration": _UNIT,
    "Expression": {"language": "text/fhirpath", "expression": "true"},
    "Extension": {"url": "http://a.example/x", "valueBoolean": True},
    "Ratio": {"numerator": _UNIT, "denominator": _UNIT},
    "Reference": {"display": "text"},
    "Resource": {"resourceType": "Basic", "code": {"text": "text"}},
}
"""Where an element at random would break an invariant."""


def sample(element: Element) -> Any:
    """A valid value of an element, without the array around it."""
    if element.kind == "primitive":
        codes = value_set(element.codes) if element.codes is not None else None
        return sorted(codes.codes)[0] if codes is not None else _PRIMITIVES[element.type_name]
    if element.codes is not None and (codes := value_set(element.codes)) is not None:
        system, code = sorted(codes.concepts)[0]
        return {"coding": [{"system": system, "code": code}]}
    return object_of(element.type_name)


def object_of(type_name: str) -> dict[str, Any]:
    """A valid object of a type: what R4 requires of it, or else one element."""
    if type_name in _SOME:
        return dict(_SOME[type_name])
    shape = shape_of(type_name)
    made: dict[str, Any] = {"resourceType": type_name} if shape.is_resource else {}
    for members in shape.required.values():
        add(made, shape.elements[members[0]])
    if not made:
        add(made, _first(shape))
    return made


def add(owner: dict[str, Any], element: Element) -> None:
    """Give an object a valid value of one of its elements."""
    owner[element.name] = [sample(element)] if element.repeats else sample(element)


def _first(shape: Shape) -> Element:
    elements = [each for each in shape.elements.values() if each.name != "id" and each.type_name != "Element"]
    return next((each for each in elements if each.kind == "primitive"), elements[-1])
