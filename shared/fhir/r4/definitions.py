"""What R4 says about its types: their elements, how often each may be there, of what type it is, and which rules hold.

Read from `data/r4.json`, which `python -m tools.build_definitions` makes from HL7's definitions of FHIR R4 4.0.1. The
file is read once and a type becomes records only when something asks for it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from shared.fhir.values import JsonValue

_FILE = Path(__file__).parents[1] / "data" / "r4.json"

type Kind = Literal["primitive", "complex", "resource"]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type, as its JSON member is written."""

    name: str
    """The JSON member: `valueQuantity`, `_birthDate`."""
    kind: Kind
    type_name: str
    """FHIR's name of the type: `Identifier`, `code`, a backbone element's path such as `Bundle.entry`; for `resource`
    it is `Resource`, whatever `resourceType` says."""
    repeats: bool
    expression: str
    """How FHIRPath names it: `value.ofType(Quantity)` for `valueQuantity`, `birthDate` for `_birthDate`."""
    path: str
    """As R4 writes it: `Observation.value[x]`, and for a type's inherited elements the type they come from."""
    choice: str | None = None
    """The element of which this is one type: `value` for `valueQuantity`; None for a `_name` twin."""
    codes: str | None = None
    """The value set of a required binding, by its name in the definitions."""
    targets: tuple[str, ...] = ()
    """The types of resource a Reference may lead to; empty when any."""
    rules: tuple[str, ...] = ()
    """Keys of the invariants placed on this element, beside those of its type."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The elements of one type."""

    name: str
    is_resource: bool
    elements: Mapping[str, Element]
    """By JSON member name, `_name` twins included. `resourceType` is not an element."""
    required: Mapping[str, tuple[str, ...]]
    """What must be there: an element's name, and the members any of which will do."""
    choices: Mapping[str, tuple[str, ...]]
    """The elements with a choice of types: `value`, and the members that write it, twins not included."""
    rules: tuple[str, ...]
    """Keys of the invariants of the type as a whole, those of the types it is based on first."""


@dataclass(frozen=True, slots=True)
class ValueSet:
    """The codes of a required binding."""

    codes: frozenset[str]
    """From all code systems."""
    concepts: frozenset[tuple[str, str]] = field(repr=False)
    """Pairs of code system and code."""


@cache
def definitions() -> dict[str, Any]:
    """The whole file. It is shared: nobody changes it."""
    read: dict[str, Any] = json.loads(_FILE.read_bytes())
    return read


@cache
def shape_of(type_name: str) -> Shape:
    """The shape of a type named by the definitions themselves. Raises ValueError for a name R4 does not have."""
    row = definitions()["types"].get(type_name)
    if row is None:
        raise ValueError("R4 has no type of this name")
    base = shape_of(row["base"]) if "base" in row else None
    elements: dict[str, Element] = dict(base.elements) if base is not None else {}
    required: dict[str, tuple[str, ...]] = dict(base.required) if base is not None else {}
    choices: dict[str, tuple[str, ...]] = dict(base.choices) if base is not None else {}
    for each in row["elements"]:
        written = _members(type_name, each)
        elements |= {member.name: member for member in written}
        name = each["name"].removesuffix("[x]")
        if "min" in each:
            required[name] = tuple(member.name for member in written)
        if name != each["name"]:
            choices[name] = tuple(member.name for member in written if member.choice is not None)
    rules = (*(base.rules if base is not None else ()), *row.get("rules", ()))
    frozen = MappingProxyType
    return Shape(type_name, row["kind"] == "resource", frozen(elements), frozen(required), frozen(choices), rules)


@cache
def resource_types() -> frozenset[str]:
    """The names of all R4 resource types that a message can hold."""
    types = definitions()["types"]
    return frozenset(name for name, row in types.items() if row["kind"] == "resource" and "abstract" not in row)


def resource_shape(resource: JsonValue) -> Shape | None:
    """The shape that a resource in a message claims with `resourceType`; None when it claims nothing known."""
    claimed = resource.get("resourceType") if isinstance(resource, dict) else None
    return shape_of(claimed) if isinstance(claimed, str) and claimed in resource_types() else None


def shape_for(element: Element, value: JsonValue) -> Shape | None:
    """The shape a value at this element must have; None for a primitive and for a resource of no known type."""
    if element.kind == "complex":
        return shape_of(element.type_name)
    return resource_shape(value) if element.kind == "resource" else None


@cache
def value_set(name: str) -> ValueSet | None:
    """The codes of a value set; None for one that HL7 lists no codes for, which therefore cannot be enforced."""
    systems = definitions()["value_sets"].get(name)
    if systems is None:
        return None
    concepts = frozenset((system, code) for system, codes in systems.items() for code in codes)
    return ValueSet(frozenset(code for _, code in concepts), concepts)


def _members(owner: str, row: dict[str, Any]) -> list[Element]:
    """The JSON members that write one element: one for each type, and for primitives a twin that holds extensions."""
    name = row["name"].removesuffix("[x]")
    choice = name if name != row["name"] else None
    repeats = row.get("max") == "*"
    path = f"{owner}.{row['name']}"
    members = []
    for type_name in row["types"]:
        member = name if choice is None else name + type_name[0].upper() + type_name[1:]
        expression = name if choice is None else f"{name}.ofType({type_name})"
        kind = _kind(type_name)
        targets = tuple(row.get("to", ())) if type_name == "Reference" else ()
        rules = tuple(row.get("rules", ()))
        codes = row.get("codes")
        members.append(Element(member, kind, type_name, repeats, expression, path, choice, codes, targets, rules))
        if kind == "primitive" and "attribute" not in row:
            members.append(Element("_" + member, "complex", "Element", repeats, expression, path))
    return members


def _kind(type_name: str) -> Kind:
    if type_name == "Resource":
        return "resource"
    # R4's names of primitive types begin in lower case, all others in upper case.
    return "primitive" if type_name[0].islower() else "complex"
