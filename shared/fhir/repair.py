"""A mended copy of a message, for the checks to read; what is kept and delivered are always the bytes as sent.

Senders are used to a hub that takes empty strings and single objects where arrays belong (domain/leniency.md,
domain/vkp-api.md 6.2), so this one takes them too and says so: each repair is a warning with its own rule name. A
repair never changes what a message says:

| rule                     | repair |
|--------------------------|--------|
| `repair-empty-string`    | `""` is dropped; an array or object it leaves empty goes with it |
| `repair-empty-array`     | `[]` is dropped |
| `repair-empty-object`    | `{}` is dropped |
| `repair-null`            | `null` is dropped, unless it is a placeholder in an array beside its `_name` twin |
| `repair-trimmed`         | blanks around identifier values and systems, coding systems and codes are cut |
| `repair-wrapped`         | one value where R4 says array becomes an array of one |
| `repair-unwrapped`       | an array of one where R4 says one value becomes that value |

Wrapping and unwrapping follow the R4 shape of the type, so they stop at elements R4 does not know; the checks refuse
those anyway.
"""

from dataclasses import dataclass
from itertools import zip_longest

from shared.fhir.definitions import Element, Shape, resource_shape, shape_for
from shared.fhir.findings import Findings
from shared.fhir.values import JsonObject, JsonValue, Path

_TRIMMED = frozenset({("Identifier", "value"), ("Identifier", "system"), ("Coding", "system")})


@dataclass(frozen=True, slots=True)
class Repaired:
    """A mended copy and what was mended."""

    message: JsonObject
    moved: dict[Path, tuple[int, ...]]
    """For each array of the copy that lost items: for each index in the copy, the index as sent."""

    def as_sent(self, path: Path) -> Path:
        """Where the sender wrote what is at `path` in the copy."""
        if not self.moved:
            return path
        sent: list[str | int] = []
        for depth, step in enumerate(path):
            indices = self.moved.get(path[:depth], ()) if isinstance(step, int) else ()
            sent.append(indices[step] if isinstance(step, int) and step < len(indices) else step)
        return tuple(sent)


def repair(message: JsonObject, findings: Findings) -> Repaired:
    """Mend a copy of `message`, which stays as it is. Repairing the copy again finds nothing more to mend."""
    mending = _Mending(findings)
    copy = mending.mend_object(message, resource_shape(message), "", (), ())
    return Repaired(copy, mending.moved)


class _Mending:
    """One walk over one message. `at` is the path as sent, `to` the path in the copy; None means nothing is left."""

    def __init__(self, findings: Findings) -> None:
        self.note = findings.add
        self.moved: dict[Path, tuple[int, ...]] = {}

    def mend_object(self, value: JsonObject, shape: Shape | None, type_name: str, at: Path, to: Path) -> JsonObject:
        copy: JsonObject = {}
        paired: set[str] = set()
        for name, member in value.items():
            if name in paired:
                continue
            element = shape.elements.get(name) if shape is not None else None
            mended: JsonValue
            if element is None:
                mended = self.mend(member, None, False, (*at, name), (*to, name))
            elif element.repeats and (twin := _twin(name)) in value and shape is not None and twin in shape.elements:
                paired.add(twin)
                copy |= self.twins(value, name.removeprefix("_"), shape, at, to)
                continue
            else:
                trims = element.type_name == "code" or (type_name, name) in _TRIMMED
                mend_it = self.repeating if element.repeats else self.single
                mended = mend_it(member, element, trims, (*at, name), (*to, name))
            if mended is not None:
                copy[name] = mended
        return copy

    def mend(self, value: JsonValue, element: Element | None, trims: bool, at: Path, to: Path) -> JsonValue:
        """One value of any JSON type, of which `element` says what it should be."""
        if isinstance(value, str):
            kept = value.strip() if trims else value
            if not kept:
                self.note("repair-empty-string", at)
                return None
            if kept != value:
                self.note("repair-trimmed", at)
            return kept
        if isinstance(value, dict):
            if not value:
                self.note("repair-empty-object", at)
                return None
            shape = shape_for(element, value) if element is not None else None
            return self.mend_object(value, shape, element.type_name if element is not None else "", at, to) or None
        if isinstance(value, list):
            # An array where no array can be is kept, mended within, for the checks to refuse.
            return self.mend_list(value, None, False, at, to) or None
        if value is None:
            self.note("repair-null", at)
        return value

    def mend_list(
        self, value: list[JsonValue], element: Element | None, trims: bool, at: Path, to: Path
    ) -> list[JsonValue]:
        if not value:
            self.note("repair-empty-array", at)
        copy: list[JsonValue] = []
        indices: list[int] = []
        for index, item in enumerate(value):
            mended = self.mend(item, element, trims, (*at, index), (*to, len(copy)))
            if mended is not None:
                copy.append(mended)
                indices.append(index)
        self.keep_track(to, indices, value)
        return copy

    def repeating(self, value: JsonValue, element: Element, trims: bool, at: Path, to: Path) -> JsonValue:
        if isinstance(value, list):
            return self.mend_list(value, element, trims, at, to) or None
        mended = self.mend(value, element, trims, at, (*to, 0))
        if mended is None:
            return None
        self.note_wrapped(at)
        return [mended]

    def single(self, value: JsonValue, element: Element, trims: bool, at: Path, to: Path) -> JsonValue:
        if not isinstance(value, list):
            return self.mend(value, element, trims, at, to)
        outside, self.moved = self.moved, {}
        copy = self.mend_list(value, element, trims, at, to)
        inside, self.moved = self.moved, outside
        if len(copy) != 1 or isinstance(copy[0], list):
            self.moved |= inside
            return copy or None
        self.note("repair-unwrapped", at)
        for path, indices in inside.items():
            if path != to:
                self.moved[*to, *path[len(to) + 1 :]] = indices
        return copy[0]

    def twins(self, value: JsonObject, name: str, shape: Shape, at: Path, to: Path) -> JsonObject:
        """An array of primitives beside the array of their extensions: what is at one index belongs together."""
        names = (name, "_" + name)
        elements = shape.elements
        sent: list[list[JsonValue]] = []
        for each in names:
            items = value[each]
            if items is None or items == []:
                self.mend(items, None, False, (*at, each), (*to, each))
                items = []
            elif not isinstance(items, list):
                self.note_wrapped((*at, each))
                items = [items]
            sent.append(items)
        kept: list[tuple[JsonValue, ...]] = []
        indices: list[int] = []
        for index, pair in enumerate(zip_longest(*sent)):
            mended = tuple(
                None
                if item is None
                else self.mend(
                    item, elements[each], elements[each].type_name == "code", (*at, each, index), (*to, each, len(kept))
                )
                for each, item in zip(names, pair, strict=True)
            )
            if any(each is not None for each in mended):
                kept.append(mended)
                indices.append(index)
            elif all(each is None for each in pair):
                self.note("repair-null", (*at, name, index))
        copy: JsonObject = {}
        for column, each in enumerate(names):
            mended_items = [
                pair[column] for pair, at_index in zip(kept, indices, strict=True) if at_index < len(sent[column])
            ]
            if mended_items:
                copy[each] = mended_items
                self.keep_track((*to, each), indices, value[each])
        return copy

    def keep_track(self, to: Path, indices: list[int], sent: JsonValue) -> None:
        if indices and indices[-1] >= len(indices) and isinstance(sent, list):
            self.moved[to] = tuple(indices)

    def note_wrapped(self, at: Path) -> None:
        self.note("repair-wrapped", at)


def _twin(name: str) -> str:
    return name[1:] if name.startswith("_") else "_" + name
