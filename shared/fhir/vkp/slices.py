"""Slices: telling which of an element's items a profile says more about, and counting them.

Every slicing in the table tells its items by the same members for all its slices (`system`; `code` and `system` of a
Coding; `url`), somewhere inside the item. So an item is told by one look-up, however many slices there are.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.fhir.values import JsonValue, Path
from shared.fhir.vkp.table import Row, Slice
from shared.fhir.vkp.walk import Check, ItemsCheck, ValueCheck, Walk, any_of

_UNBOUNDED: Final = 1 << 30
"""More items than any message has."""


@dataclass(frozen=True, slots=True)
class Part:
    """A slice with what is asked of its items."""

    slice: Slice
    inside: Check | None
    targets: ValueCheck | None


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells the items of a slice: members with fixed values, after some steps into the item."""

    steps: tuple[str, ...]
    members: tuple[str, ...]
    values: tuple[str, ...]


def compile_slices(row: Row, parts: list[Part], profile: str, element: str, *, repeats: bool) -> ItemsCheck:
    """The check of a sliced element. Raises ValueError when its slices are not told by the same members."""
    tell = _teller([_mark(part.slice.match, ()) for part in parts])
    told_by = tuple(parts[0].slice.match)
    counted = [
        (number, part.slice, part.slice.least, _UNBOUNDED if part.slice.most is None else part.slice.most)
        for number, part in enumerate(parts)
        if part.slice.least or part.slice.most is not None
    ]
    inner = [part if part.inside is not None or part.targets is not None else None for part in parts]
    words = {"profile": profile, "element": element}
    allowed = any_of(tuple(part.slice.title for part in parts))
    closed = row.rule_for("closed", "profile-slice-closed") if row.closed else None

    looks = row.closed or any(inner)

    def check(items: list[JsonValue], path: Path, walk: Walk) -> None:
        told = [tell(item) for item in items]
        if looks:
            for index, number in enumerate(told):
                part = inner[number] if number is not None else None
                if part is not None:
                    _look_into(part, items[index], (*path, index) if repeats else path, walk)
                elif number is None and closed is not None:
                    where = (*path, index) if repeats else path
                    walk.note(closed, (*where, *told_by) if len(told_by) == 1 else where, slices=allowed, **words)
        for number, part_slice, least, most in counted:
            if not least <= told.count(number) <= most:
                _miscounted(part_slice, told.count(number), path, walk, words)

    return check


def _miscounted(part: Slice, found: int, path: Path, walk: Walk, words: dict[str, str]) -> None:
    if found < part.least:
        walk.note("profile-slice-missing", path, slice=part.title, **words)
    else:
        walk.note("profile-too-many", path, profile=words["profile"], element=part.title, most=str(part.most))


def _look_into(part: Part, item: JsonValue, path: Path, walk: Walk) -> None:
    if part.inside is not None and isinstance(item, dict):
        part.inside(item, path, walk)
    if part.targets is not None:
        part.targets(item, path, walk)


def _mark(pattern: Mapping[str, Any], steps: tuple[str, ...]) -> _Mark:
    inner = {name: value[0] if isinstance(value, list) else value for name, value in pattern.items()}
    if len(inner) == 1:
        name, value = next(iter(inner.items()))
        if isinstance(value, dict):
            return _mark(value, (*steps, name))
    members = tuple(sorted(inner))
    return _Mark(steps, members, tuple(inner[name] for name in members))


def _teller(marks: list[_Mark]) -> Callable[[JsonValue], int | None]:
    """The number of the slice that an item belongs to; None when it belongs to none."""
    steps, members = marks[0].steps, marks[0].members
    if any((mark.steps, mark.members) != (steps, members) for mark in marks):
        raise ValueError("the slices of an element are told by different members")
    first, *others = members
    # Values are compared before they are looked up by: a broken message may have anything there, also what has no hash.
    numbers: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for number, mark in enumerate(marks):
        numbers.setdefault(mark.values[0], []).append((mark.values[1:], number))

    def tell_leaf(leaf: JsonValue) -> int | None:
        if not isinstance(leaf, dict):
            return None
        value = leaf.get(first)
        if not isinstance(value, str) or value not in numbers:
            return None
        for rest, number in numbers[value]:
            if not rest or all(map(operator.eq, map(leaf.get, others), rest)):
                return number
        return None

    def tell(item: JsonValue) -> int | None:
        leaves = [item]
        for step in steps:
            leaves = _below(leaves, step)
        return next((number for leaf in leaves if (number := tell_leaf(leaf)) is not None), None)

    return tell if steps else tell_leaf


def _below(values: list[JsonValue], step: str) -> list[JsonValue]:
    found: list[JsonValue] = []
    for value in values:
        below = value.get(step) if isinstance(value, dict) else None
        if isinstance(below, list):
            found += below
        elif below is not None:
            found.append(below)
    return found
