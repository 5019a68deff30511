"""What R4 says about the elements of a type: their names, whether they repeat, and of what type they are.

Read from the models of `fhir.resources.R4B`, one type at a time and only when a message needs it: all of R4B at once
costs 1.4 s and 104 MB, one message's types 0.1 s and 27 MB. R4B stands for R4: for the types this hub meets the two
have the same elements (engineering/fhir.md 1.1), except those named in `_R4_ONLY` and `_R4B_ONLY`.
"""

import typing
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from fhir.resources.R4B import get_fhir_model_class
from fhir_core.constraints import FHIR_PRIMITIVES_MAPS
from fhir_core.types import FhirBase, FhirElementOrResourceBase
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from shared.fhir.values import JsonValue

_PRIMITIVES = frozenset(FHIR_PRIMITIVES_MAPS.values())


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type, as its JSON member is written."""

    kind: Literal["primitive", "complex", "resource"]
    type_name: str
    """FHIR's name of the type: `Identifier`, `code`; for `resource` whatever `resourceType` says."""
    repeats: bool
    expression: str
    """How FHIRPath names it: `value.ofType(Quantity)` for `valueQuantity`, `birthDate` for `_birthDate`."""
    choice: str | None = None
    """The element of which this is one type: `value` for `valueQuantity`; None for a `_name` twin."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The elements of one type."""

    elements: dict[str, Element]
    """By JSON member name, `_name` twins included. `resourceType` is not an element."""
    required: dict[str, tuple[str, ...]]
    """What must be there: an element's name, and the members any of which will do."""


_R4_ONLY = {"Extension": {"valueMeta": Element("complex", "Meta", False, "value.ofType(Meta)", "value")}}
_R4B_ONLY: dict[str, frozenset[str]] = {"Extension": frozenset({"valueCodeableReference", "valueRatioRange"})}


@cache
def shape_of(type_name: str) -> Shape:
    """The shape of a type named by the definitions themselves. Raises ValueError for a name R4B does not have."""
    model = get_fhir_model_class(type_name)
    fields = model.model_fields.values()
    choices = {field.alias: str(extra["one_of_many"]) for field in fields if "one_of_many" in (extra := _extra(field))}
    unwanted = _R4B_ONLY.get(type_name, frozenset()) | {"fhir_comments"}
    elements = {
        member: _element(member, field.annotation, choices.get(member.removeprefix("_")))
        for field in fields
        if (member := field.alias) is not None and member not in unwanted
    }
    needed = [field.alias for field in fields if field.is_required()]
    needed += [name for name, _ in model.model_construct().get_required_fields()]
    required: dict[str, tuple[str, ...]] = {name: (name, "_" + name) for name in needed if name is not None}
    for field in fields:
        if _extra(field).get("one_of_many_required") and field.alias is not None:
            choice = choices[field.alias]
            required[choice] = (*required.get(choice, ()), field.alias, "_" + field.alias)
    return Shape(elements | _R4_ONLY.get(type_name, {}), required)


@lru_cache(maxsize=512)  # bounded: what a message claims to be is the sender's choice
def _known_resource(type_name: str) -> Shape | None:
    try:
        return shape_of(type_name) if get_fhir_model_class(type_name).has_resource_base() else None
    except ValueError:
        return None


def resource_shape(resource: JsonValue) -> Shape | None:
    """The shape that a resource in a message claims with `resourceType`; None when it claims nothing known."""
    claimed = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(claimed, str) or len(claimed) > 64 or not claimed.isalpha() or not claimed.isascii():
        return None
    return None if claimed in ("Resource", "DomainResource") else _known_resource(claimed)


def shape_for(element: Element, value: JsonValue) -> Shape | None:
    """The shape a value at this element must have; None for a primitive and for a resource of no known type."""
    if element.kind == "complex":
        return shape_of(element.type_name)
    return resource_shape(value) if element.kind == "resource" else None


def _extra(field: FieldInfo) -> JsonDict:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _element(member: str, annotation: object, choice: str | None) -> Element:
    declared, repeats = _declared(annotation)
    kind: Literal["primitive", "complex", "resource"] = "primitive"
    if isinstance(declared, type) and issubclass(declared, FhirElementOrResourceBase):
        kind, type_name = "resource", "Resource"
    elif isinstance(declared, type) and issubclass(declared, FhirBase):
        kind, type_name = "complex", declared.get_model_klass().get_resource_type()
    else:
        type_name = FHIR_PRIMITIVES_MAPS[declared]
    name = member.removeprefix("_")
    if choice is not None:
        suffix = name.removeprefix(choice)
        # `valueDateTime` is of type dateTime, `valueQuantity` of type Quantity: only primitives begin in lower case.
        primitive = suffix[0].lower() + suffix[1:]
        name = f"{choice}.ofType({primitive if primitive in _PRIMITIVES else suffix})"
    return Element(kind, type_name, repeats, name, choice if name != member and not member.startswith("_") else None)


def _declared(annotation: object) -> tuple[object, bool]:
    """What a field's annotation declares, without `| None` and `List[...]`, and whether there was a list."""
    repeats = False
    while True:
        if annotation in FHIR_PRIMITIVES_MAPS:
            return annotation, repeats
        origin = typing.get_origin(annotation)
        arguments = [each for each in typing.get_args(annotation) if each is not type(None)]
        if origin is list:
            repeats = True
        elif origin is None or not arguments:
            return annotation, repeats
        annotation = arguments[0]
