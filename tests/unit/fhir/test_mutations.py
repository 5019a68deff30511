"""Every element of every resource in use, made wrong in every way, is caught at its place."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.fhir.r4.coverage import in_use
from shared.fhir.r4.definitions import Element, Shape, shape_of, value_set
from tests.unit.fhir.r4 import unrepaired
from tests.unit.fhir.samples import add, object_of, sample

VALUES = {each.type_name: each for each in shape_of("Extension").elements.values() if each.choice is not None}
DATATYPES = sorted(each.type_name for each in VALUES.values() if each.kind == "complex")
"""All data types but Narrative and Extension, which are elements of every resource."""

type Place = tuple[dict[str, Any], dict[str, Any], str]
"""A whole message, the object in it to change, and where that object is."""


def places(
    type_name: str, message: dict[str, Any], owner: dict[str, Any], where: str, depth: int = 0
) -> Iterator[Place]:
    """A type in a message, and each of the backbone elements in it."""
    yield message, owner, where
    for element in own_elements(shape_of(type_name)):
        if "." in element.type_name and depth < 3:
            added = element.name not in owner
            add(owner, element)
            inner = owner[element.name]
            yield from places(
                element.type_name,
                message,
                inner[0] if element.repeats else inner,
                f"{where}.{at(element)}",
                depth + 1,
            )
            if added:
                del owner[element.name]


def own_elements(shape: Shape) -> list[Element]:
    return [each for each in shape.elements.values() if each.type_name != "Element"]


def at(element: Element) -> str:
    return element.expression + ("[0]" if element.repeats else "")


def shape_at(type_name: str, where: str) -> Shape:
    """The shape of the object at a place that `places` gave."""
    shape = shape_of(type_name)
    for step in where.split(".")[1:]:
        name = step.partition("[")[0]
        shape = shape_of(next(each for each in own_elements(shape) if each.expression == name).type_name)
    return shape


def structural(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(rule, place) for rule, place in unrepaired(message) if rule.startswith("fhir-")]


def assert_caught(message: dict[str, Any], place: str) -> None:
    found = unrepaired(message)
    assert place in {each for _, each in found}, f"nothing at {place}, but {found[:3]}"


def try_every_fault(message: dict[str, Any], owner: dict[str, Any], where: str, shape: Shape) -> int:
    tried = 0
    required = {name for members in shape.required.values() for name in members}
    for element in own_elements(shape):
        before = dict(owner)
        if element.choice is not None:
            for other in shape.choices[element.choice]:
                owner.pop(other, None)
        add(owner, element)
        good = owner[element.name]
        assert structural(message) == [], f"{where}.{element.name}"
        expression = f"{where}.{element.expression}".replace(".div", ".`div`")
        for wrong, place in faults(element, good, expression):
            owner[element.name] = wrong
            assert_caught(message, place)
            tried += 1
        if element.name in required:
            del owner[element.name]
            name = element.choice or element.name
            assert ("fhir-required", f"{where}.{name}".replace(".div", ".`div`")) in unrepaired(message)
            tried += 1
        owner.clear()
        owner |= before
    return tried


def faults(element: Element, good: Any, expression: str) -> Iterator[tuple[Any, str]]:
    """Wrong values of an element, and the place where each is found."""
    wrong_type: Any = ["text"] if element.kind != "primitive" else [{"x": 1}]
    if element.repeats:
        yield wrong_type, f"{expression}[0]"
        yield good[0], expression  # one value where R4 says array
        yield [*good, None], f"{expression}[1]"
        yield [], expression
    else:
        yield wrong_type[0], expression
        yield [good, good], expression
        yield None, expression
    codes = value_set(element.codes) if element.codes is not None else None
    if codes is not None:
        code: Any = "no-such-code" if element.kind == "primitive" else {"coding": [{"system": "http://x", "code": "x"}]}
        yield [code] if element.repeats else code, f"{expression}[0]" if element.repeats else expression
    if element.kind == "primitive" and isinstance(sample(element), str):
        blank = ["  "] if element.repeats else "  "
        yield blank, f"{expression}[0]" if element.repeats else expression


@pytest.mark.parametrize("type_name", sorted(in_use()))
def test_every_element_of_a_resource_made_wrong_is_caught_at_its_place(type_name: str) -> None:
    message = object_of(type_name)
    tried = 0
    for whole, owner, where in places(type_name, message, message, type_name):
        tried += try_every_fault(whole, owner, where, shape_at(type_name, where))
    assert tried > 20


@pytest.mark.parametrize("type_name", DATATYPES)
def test_every_element_of_a_data_type_made_wrong_is_caught_at_its_place(type_name: str) -> None:
    value = VALUES[type_name]
    extension: dict[str, Any] = {"url": "http://a.example/x"}
    add(extension, value)
    message = object_of("Basic") | {"extension": [extension]}
    where = f"Basic.extension[0].{value.expression}"
    for whole, owner, here in places(type_name, message, extension[value.name], where):
        assert try_every_fault(whole, owner, here, shape_at(type_name, "x" + here.removeprefix(where))) > 2


@pytest.mark.parametrize("type_name", ["Narrative", "Extension"])
def test_every_element_of_what_each_resource_has_made_wrong_is_caught(type_name: str) -> None:
    element = next(each for each in shape_of("Basic").elements.values() if each.type_name == type_name)
    message = object_of("Basic")
    add(message, element)
    inner = message[element.name]
    try_every_fault(message, inner[0] if element.repeats else inner, f"Basic.{at(element)}", shape_of(type_name))


def test_the_resources_in_use_are_made_of_the_data_types_tried() -> None:
    used = {each.type_name for name in in_use() for each in shape_of(name).elements.values() if each.kind == "complex"}
    used = {name for name in used if "." not in name}
    assert used <= {*DATATYPES, "Narrative", "Extension", "Element"}
