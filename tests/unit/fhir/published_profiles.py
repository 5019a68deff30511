"""What the published profiles state beyond base R4, and what our table asks, as facts that can be compared.

A fact is a kind (`min`, `max`, `value`, `codes`, `targets`, `types`, `closed`, `invariant`, `path`) and the id of the
element in the profile, without the type in front. `path` is a statement about an element that R4 does not have.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.fhir.r4.definitions import Element, shape_of
from shared.fhir.vkp.table import Row
from tests.data import SHARED

type Fact = tuple[str, str]

FOLDERS = ("vkp-r4", "vkp-r4-removed", "vkpobservation-0.5.2")
_SLICE = re.compile(r":[^.]+")
# A slice of a choice by its type is the member of that type: `value[x]:valueString` is `valueString`.
_TYPE_SLICE = re.compile(r"\b[a-z]+\[x\]:(?=[a-z]+[A-Z])")
_ELSEWHERE = frozenset({"ele-1", "ext-1"})


def published() -> Iterator[dict[str, Any]]:
    """Every profile and extension of VKP and VkpObservation."""
    for folder in FOLDERS:
        for path in sorted((SHARED / "fhir" / folder).glob("StructureDefinition-*.json")):
            yield json.loads(path.read_text(encoding="utf-8"))


def stated(definition: dict[str, Any]) -> set[Fact]:
    """The facts of a differential that narrow base R4."""
    return {fact for row in definition["differential"]["element"] for fact in _of_row(definition["type"], row)}


def asked(rows: Mapping[str, Row], above: str = "") -> Iterator[Fact]:
    """The facts of our table."""
    for path, row in rows.items():
        at = ".".join(part for part in (above, path) if part).replace("._", ".")
        narrowed = {
            "min": row.least,
            "max": row.most is not None,
            "value": row.due,
            "codes": row.codes or row.due,
            "targets": row.targets,
            "types": row.types,
            "closed": row.closed or row.types,
        }
        yield from ((kind, at) for kind, there in narrowed.items() if there)
        for part in row.slices.values():
            here = f"{at}:{part.name}"
            yield from ((kind, here) for kind, there in (("min", part.least), ("max", part.most)) if there)
            for leaf in _leaves(part.match, here):
                yield from (("min", leaf), ("value", leaf))
            yield from asked(part.rows, here)


def fixed(definition: dict[str, Any]) -> dict[str, Any]:
    """The fixed and pattern values of a differential."""
    found: dict[str, Any] = {}
    for row in definition["differential"]["element"]:
        path = _TYPE_SLICE.sub("", row.get("id", row["path"]).partition(".")[2])
        for name, value in row.items():
            if name.startswith(("fixed", "pattern")):
                found[path] = value
    return found


def bound(definition: dict[str, Any]) -> dict[str, str]:
    """The value sets of a differential's required bindings."""
    return {
        _TYPE_SLICE.sub("", row.get("id", row["path"]).partition(".")[2]): row["binding"].get("valueSet", "")
        for row in definition["differential"]["element"]
        if row.get("binding", {}).get("strength") == "required"
    }


def values(rows: Mapping[str, Row], above: str = "") -> Iterator[tuple[str, tuple[Any, ...], str | None]]:
    """The values due at each path of our table, and the list bound there."""
    for path, row in rows.items():
        at = ".".join(part for part in (above, path) if part).replace("._", ".")
        yield at, row.due, row.codes
        for part in row.slices.values():
            for leaf in _leaves(part.match, f"{at}:{part.name}"):
                yield leaf, (_at(part.match, leaf.removeprefix(f"{at}:{part.name}.")),), None
            yield from values(part.rows, f"{at}:{part.name}")


def _at(pattern: Any, path: str) -> Any:
    for step in path.split("."):
        pattern = pattern[step]
        pattern = pattern[0] if isinstance(pattern, list) else pattern
    return pattern


def _leaves(pattern: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, each in pattern.items():
        value = each[0] if isinstance(each, list) else each
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.{name}")
        else:
            yield f"{path}.{name}"


def _of_row(type_name: str, row: dict[str, Any]) -> Iterator[Fact]:
    written = row.get("id", row["path"]).partition(".")[2]
    constraints = [each["key"] for each in row.get("constraint", ()) if each["key"] not in _ELSEWHERE]
    yield from (("invariant", key) for key in constraints)
    if not written or (written == "url" and type_name == "Extension"):
        return
    path = _TYPE_SLICE.sub("", written)
    element, required = _base(type_name, path)
    if element is None:
        yield "path", path
        return
    sliced = path.rsplit(".", 1)[-1] != _SLICE.sub("", path.rsplit(".", 1)[-1])
    if row.get("min", 0) and (sliced or not required):
        yield ("min", path) if path == written else ("min", _choice(written))
    if row.get("max", "*") == "0" or (row.get("max", "*") != "*" and element.repeats):
        yield "max", path
    if any(name.startswith(("fixed", "pattern")) for name in row):
        yield "value", path
    if row.get("binding", {}).get("strength") == "required":
        yield "codes", path
    if row.get("slicing", {}).get("rules") == "closed":
        yield "closed", path
    types = row.get("type", ())
    if any("targetProfile" in each for each in types):
        yield "targets", path
    if types and "[x]" in written.rsplit(".", 1)[-1]:
        yield "types", _choice(written)


def _choice(written: str) -> str:
    return re.sub(r"(\[x\]):[^.]+$", r"\1", written)


def _base(type_name: str, path: str) -> tuple[Element | None, bool]:
    """The element of R4 at a path, and whether R4 requires it."""
    shape, element, required = shape_of(type_name), None, False
    for step in _SLICE.sub("", path).split("."):
        stem = step.removesuffix("[x]")
        member = shape.choices[stem][0] if stem != step and stem in shape.choices else step
        element = shape.elements.get(member)
        if element is None:
            return None, False
        required = stem in shape.required
        shape = shape_of(element.type_name if element.kind == "complex" else "Element")
    return element, required
