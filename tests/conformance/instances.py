"""Objects of any R4 type made by lot of the elements that an invariant names: some keep it, some break it."""

import random
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from shared.fhir.r4.definitions import Element, shape_of, value_set
from shared.fhir.r4.invariants.facts import UCUM
from shared.fhir.r4.primitives import PRIMITIVES
from tests.unit.fhir.samples import sample

_MOMENTS: Final = ("2026", "2026-01", "2026-01-15", "2026-01-15T08:00:00Z", "2026-01-15T08:00:00+01:00", "2025")
_NUMBERS: Final = (-1, 0, 1, 100, 101, Decimal("0.5"), Decimal("1.0"), Decimal("100.5"))
_TIMES: Final = ("08:00:00", "09:00:00")
_EXTENDED: Final = {"extension": [{"url": "http://a.example/x", "valueBoolean": True}]}
_DEEPEST: Final = 3
_MOST_ITEMS: Final = 3
_CONTENT: Final = ("Basic", "Composition", "MessageHeader", "Patient")


class Lot:
    """Draws objects for one expression; the same expression gives the same objects."""

    def __init__(self, expression: str, also: str = "") -> None:
        self._draw = random.Random(expression)  # noqa: S311 - chance that comes out the same each time is what is wanted
        self._names = set(re.findall(r"[A-Za-z]+", f"{expression} {also}"))
        self._words = [*re.findall(r"'([^']+)'", f"{expression} {also}"), *([UCUM] if "%ucum" in expression else [])]

    def objects(self, type_name: str, number: int) -> Iterator[dict[str, Any]]:
        """Objects of a type with nothing wrong in them but what an invariant may say: required elements are there, and
        those that the expression names or not."""
        for _ in range(number):
            yield self._object(type_name, 0)

    def _object(self, type_name: str, depth: int) -> dict[str, Any]:
        shape = shape_of(type_name)
        made: dict[str, Any] = {"resourceType": type_name} if shape.is_resource else {}
        for name, members in _elements(type_name).items():
            if name in shape.required or (name in self._names and self._draw.random() < 0.6):
                self._add(made, self._draw.choice(members), depth)
        return made or {"id": "a"}

    def _add(self, owner: dict[str, Any], element: Element, depth: int) -> None:
        if element.repeats:
            owner[element.name] = [self._value(element, depth) for _ in range(self._draw.randint(1, _MOST_ITEMS))]
        elif element.kind == "primitive" and element.name not in ("id", "url", "div") and self._draw.random() < 0.1:
            owner["_" + element.name] = _EXTENDED
        else:
            owner[element.name] = self._value(element, depth)

    def _value(self, element: Element, depth: int) -> Any:
        if element.kind == "primitive":
            of_expression, others = self._primitives(element)
            return self._draw.choice(of_expression if of_expression and self._draw.random() < 0.8 else others)
        if depth >= _DEEPEST:
            return sample(element)
        return self._object(self._draw.choice(_CONTENT) if element.kind == "resource" else element.type_name, depth + 1)

    def _primitives(self, element: Element) -> tuple[list[Any], list[Any]]:
        """Valid values that the expression speaks of, and others."""
        codes = value_set(element.codes) if element.codes is not None else None
        if codes is not None:
            return [word for word in self._words if word in codes.codes], sorted(codes.codes)
        if element.type_name == "boolean":
            return [], [True, False]
        valid = PRIMITIVES[element.type_name].valid
        others = (*_NUMBERS, *_MOMENTS, *_TIMES, "#", "#a", "a", "b", sample(element))
        return [each for each in self._words if valid(each)], [each for each in others if valid(each)]


def _elements(type_name: str) -> dict[str, list[Element]]:
    """The elements of a type by name, each with its members: several where it has a choice of types."""
    found: dict[str, list[Element]] = {}
    for element in shape_of(type_name).elements.values():
        if element.type_name != "Element":
            found.setdefault(element.choice or element.name, []).append(element)
    return found
