"""Where the sender wrote what stands in a repaired copy.

A repair can shift the items of an array, make an array of one or undo it, or put a member elsewhere. What is noted here
is tied to the copy's own objects and arrays, so nothing is kept for what a repair left alone, and a path is translated
by walking it once through the copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.fhir.values import JsonObject, JsonValue, Path

type Container = JsonObject | list[JsonValue]


@dataclass(frozen=True, slots=True)
class _Origin:
    """What is special about one object or array of the copy."""

    container: Container
    """Kept so that its id stays its own."""
    indices: Sequence[int] | None = None
    """Of an array that lost items: for each index in the copy, the index as sent."""
    wrapped: bool = False
    """Whether an array was one value as sent, without an array around it."""
    lifted: Mapping[str, int] | None = None
    """Of an object: members that were an array as sent, and the index of the item that is now the value."""
    placed: Mapping[str, Path] | None = None
    """Of an object: members that were sent somewhere else, and where, from the top of the message."""


class Origins:
    """Collected while a copy is made; afterwards asked about paths."""

    def __init__(self) -> None:
        self._of: dict[int, _Origin] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def items_left(self, copy: list[JsonValue], indices: Sequence[int]) -> None:
        """`copy` holds only these items of the array as sent."""
        self._of[id(copy)] = _Origin(copy, indices=indices)

    def wrapped(self, copy: list[JsonValue]) -> None:
        """`copy` is an array made around one value."""
        self._of[id(copy)] = _Origin(copy, wrapped=True)

    def lifted(self, copy: JsonObject, members: Mapping[str, int]) -> None:
        """These members of `copy` were taken out of arrays, where they had these indices."""
        self._of[id(copy)] = _Origin(copy, lifted=members)

    def placed(self, copy: JsonObject, name: str, sent: Path) -> None:
        """The member `name` of `copy` was sent at this path, from the top of the message."""
        was = self._of.get(id(copy))
        places = {**(was.placed or {}), name: sent} if was is not None else {name: sent}
        self._of[id(copy)] = _Origin(copy, lifted=was.lifted if was is not None else None, placed=places)

    def inherit[Kind: Container](self, copy: Kind, was: Kind) -> Kind:
        """`copy` stands in the place of `was`, item by item or member by member. Returns it."""
        if (origin := self._of.get(id(was))) is not None:
            self._of[id(copy)] = _Origin(copy, origin.indices, origin.wrapped, origin.lifted, origin.placed)
        return copy

    def index_as_sent(self, copy: list[JsonValue], index: int) -> int:
        """The index as sent of an item of `copy`."""
        origin = self._of.get(id(copy))
        return origin.indices[index] if origin is not None and origin.indices is not None else index

    def as_sent(self, copy: JsonValue, path: Path, top: Path = ()) -> Path:
        """Where the sender wrote what is at `path` below `copy`, which was sent at `top`.

        The path need not exist to its end: what is missing is missing at the same place of the message as sent.
        """
        if not self._of:
            return (*top, *path)
        sent: list[str | int] = list(top)
        here: JsonValue = copy
        for step in path:
            origin = self._of.get(id(here))
            if origin is None:
                sent.append(step)
            elif isinstance(step, int):
                if not origin.wrapped:
                    known = origin.indices is not None and step < len(origin.indices)
                    sent.append(origin.indices[step] if known and origin.indices is not None else step)
            elif origin.placed is not None and step in origin.placed:
                sent[:] = origin.placed[step]
            else:
                sent.append(step)
                if origin.lifted is not None and step in origin.lifted:
                    sent.append(origin.lifted[step])
            here = _inside(here, step)
        return tuple(sent)


def _inside(here: JsonValue, step: str | int) -> JsonValue:
    if isinstance(here, dict) and isinstance(step, str):
        return here.get(step)
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return here[step]
    return None
