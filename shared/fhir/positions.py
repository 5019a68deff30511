"""Line and column of places in a JSON text, for people who look for a finding in their file.

Own code because what exists does not fit: `json-source-map` (1.0.5, December 2022) refuses a byte order mark and text
that is not JSON, keeps what stood within the first of two members of one name, and maps every value of a text of which
a few are asked for.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.fhir.values import Path

# Possessive, and the closing quote optional: one pass whatever the text.
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)
_BOM = "\ufeff"


@dataclass(slots=True)
class _Place:
    """A place that is asked for, or leads to one."""

    inside: dict[str | int, "_Place"] = field(default_factory=dict)
    at: int | None = None
    """Where it was met in the text."""

    def met(self, at: int) -> None:
        # A member written twice counts as last written, as it does for whoever reads the message.
        self.forget()
        self.at = at

    def forget(self) -> None:
        if self.at is not None:
            self.at = None
            for place in self.inside.values():
                place.forget()


@dataclass(slots=True)
class _Open:
    """An object or array whose end has not been met."""

    is_object: bool
    place: _Place | None
    index: int = 0
    """Of the item in an array that comes next or is being read."""
    awaits_name: bool = True
    member: _Place | None = None
    """Of the member of an object whose value comes next."""


def positions(text: str, paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Line and column, both from 1 and in characters, of each path in a text, as in an editor.

    A member is where its name begins, an item of an array where its value begins. What is not there is where the
    nearest thing around it is; in a text without any value that is the beginning. A byte order mark is not counted.
    Takes time in proportion to the text, and any text: in what is not JSON, places after the first fault are a guess.
    """
    text = text.removeprefix(_BOM)
    asked = list(paths)
    root = _Place()
    for path in asked:
        place = root
        for step in path:
            place = place.inside.setdefault(step, _Place())
    _meet(text, root)
    line_ends = [end.start() for end in re.finditer("\n", text)]
    return {path: _line_and_column(line_ends, _nearest(root, path)) for path in asked}


def _meet(text: str, root: _Place) -> None:
    """Read the text once and note where each place is."""
    around: list[_Open] = []
    for token in _TOKENS.finditer(text):
        first, at = text[token.start()], token.start()
        holder = around[-1] if around else None
        if first in "]}":
            del around[-1:]
        elif first == ",":
            if holder is not None:
                holder.index += 1
                holder.awaits_name = True
        elif first == '"' and holder is not None and holder.is_object and holder.awaits_name:
            holder.awaits_name = False
            holder.member = _inside(holder.place, _name(token.group()))
            if holder.member is not None:
                holder.member.met(at)
        elif first != ":":
            place = _value_place(root, holder, at)
            if first in "[{":
                around.append(_Open(first == "{", place))


def _value_place(root: _Place, holder: _Open | None, at: int) -> _Place | None:
    """The place of the value that begins here, if it is asked for."""
    if holder is None:
        if root.at is not None:
            return None  # a second value: not JSON
        root.met(at)
        return root
    if holder.is_object:
        return holder.member
    place = _inside(holder.place, holder.index)
    if place is not None:
        place.met(at)
    return place


def _inside(place: _Place | None, step: str | int) -> _Place | None:
    return place.inside.get(step) if place is not None else None


def _name(token: str) -> str:
    """A member's name as it is in a path; as written, where it cannot be read."""
    written = token.strip('"')
    if "\\" not in written:
        return written
    try:
        return str(json.loads(token, strict=False))
    except json.JSONDecodeError:
        return written


def _nearest(root: _Place, path: Path) -> int:
    place = root
    for step in path:
        if place.inside[step].at is None:
            break
        place = place.inside[step]
    return place.at or 0


def _line_and_column(line_ends: list[int], at: int) -> tuple[int, int]:
    line = bisect_left(line_ends, at)
    return line + 1, at - (line_ends[line - 1] + 1 if line else 0) + 1
