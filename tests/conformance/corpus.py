"""The fixed corpus on which our check and those of others are compared: examples, and single faults made from them.

Everything is bytes as a sender would write them. The same examples give the same corpus.
"""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.fhir.r4.coverage import in_use
from shared.fhir.r4.definitions import Shape
from tests.conformance.alterations import altered
from tests.conformance.probes import probes
from tests.conformance.test_official_examples import examples as official_examples
from tests.data import EXAMPLES, REPOSITORY
from tests.unit.fhir.samples import add, object_of
from tests.unit.fhir.test_mutations import faults, own_elements, places, shape_at

ALTERATIONS_OF_EACH: Final = 42
EVERY: Final = 6
"""Of the faults of all elements of all types in use one in so many is taken; test_mutations.py tries them all."""


@cache
def corpus() -> dict[str, bytes]:
    """Every message, by a name that tells where it comes from."""
    found = {f"probe/{name}": sent for name, sent in probes().items()}
    found |= {f"example/{name}": sent for name, sent in examples().items()}
    if os.environ.get("KNUTEPUNKT_NO_NODE") != "1":
        of_use = ((name, sent) for name, sent in official_examples().items() if name.partition("-")[0] in in_use())
        found |= {f"official/{name}": sent for name, sent in of_use}
    for name, sent in examples().items():
        found |= {f"altered/{name}/{fault}": other for fault, other in altered(name, sent, ALTERATIONS_OF_EACH)}
    for type_name in sorted(in_use()):
        for index, sent in enumerate(_element_faults(type_name)):
            if index % EVERY == 0:
                found[f"element/{type_name}/{index}"] = sent
    return found


@cache
def examples() -> dict[str, bytes]:
    """The hub's own examples, and those published by others or derived from what they publish."""
    files = [*_json_files(REPOSITORY / "sandbox" / "data" / "examples"), *_json_files(EXAMPLES)]
    return {f"{file.parent.name}/{file.stem}": file.read_bytes() for file in files}


def _json_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.json"))


def _element_faults(type_name: str) -> Iterator[bytes]:
    """Small resources of one type, each element of each wrong in every way, one at a time."""
    message = object_of(type_name)
    for whole, owner, where in places(type_name, message, message, type_name):
        for _ in _faults_in(owner, where, shape_at(type_name, where)):
            yield json.dumps(whole, default=float).encode()


def _faults_in(owner: dict[str, Any], where: str, shape: Shape) -> Iterator[None]:
    """Make one fault after the other in an object: at each step it has just one, at the first of an element none."""
    required = {name for members in shape.required.values() for name in members}
    for element in own_elements(shape):
        before = dict(owner)
        for other in shape.choices.get(element.choice or "", ()):
            owner.pop(other, None)
        add(owner, element)
        yield
        for wrong, _ in faults(element, owner[element.name], where):
            owner[element.name] = wrong
            yield
        if element.name in required:
            del owner[element.name]
            yield
        owner.clear()
        owner |= before
