"""What of a message has been told: the book that keeps a note from losing anything.

Templates read a message through `Node`s. Reading words with `told` is a promise to show them and is written down in
the `Ledger`; `raw` only looks. When a template is done, whatever is neither told nor left out with a reason is found
by walking the message (shared/journal/leftovers.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.fhir.values import JsonObject, JsonValue, Path
from shared.journal.model import Omission
from shared.journal.sendertext import Cleaner


@dataclass(slots=True)
class Ledger:
    """The paths that are told or left out; a path stands for all below it."""

    cleaner: Cleaner
    told: set[Path] = field(default_factory=set)
    left_out: dict[Path, Omission] = field(default_factory=dict)

    def settled(self, path: Path) -> bool:
        """Whether this very path, with all below it, has been told or left out."""
        return path in self.told or path in self.left_out

    def opened(self) -> frozenset[Path]:
        """Every path below which something has been told or left out."""
        return frozenset(path[:size] for path in (*self.told, *self.left_out) for size in range(len(path)))


@dataclass(frozen=True, slots=True)
class Node:
    """An object in the message, with its place and the book."""

    value: JsonObject
    path: Path
    ledger: Ledger

    @property
    def kind(self) -> str:
        """The resource type, or nothing for a data type."""
        return self.raw("resourceType") or ""

    def peek(self, name: str) -> JsonValue:
        """The member as it is, without a promise."""
        return self.value.get(name)

    def raw(self, name: str) -> str | None:
        """The member when it is a string with something in it, without a promise."""
        value = self.value.get(name)
        return value if isinstance(value, str) and value.strip() else None

    def told(self, name: str) -> str | None:
        """The member's words on one line, cleaned; the caller shows them. None when nothing is left to show."""
        value = self.raw(name)
        if value is None:
            return None
        line = self.ledger.cleaner.line(value)
        self.mark(name)
        return line or None

    def told_value(self, name: str) -> JsonValue:
        """The member as it is; the caller shows it."""
        if name in self.value:
            self.mark(name)
        return self.value.get(name)

    def one(self, name: str) -> "Node | None":
        """The member when it is an object, or the first object of a list."""
        return next(iter(self.each(name)), None)

    def each(self, name: str) -> "list[Node]":
        """The objects under a name, whether the sender wrote one or a list."""
        value = self.value.get(name)
        if isinstance(value, dict):
            return [Node(value, (*self.path, name), self.ledger)]
        if isinstance(value, list):
            path = (*self.path, name)
            return [Node(item, (*path, n), self.ledger) for n, item in enumerate(value) if isinstance(item, dict)]
        return []

    def mark(self, *names: str) -> None:
        """Write down that these members are told; without names, that the whole object is."""
        if not names:
            self.ledger.told.add(self.path)
        for name in names:
            self.ledger.told.add((*self.path, name))

    def drop(self, why: Omission, name: str) -> None:
        """A member that was read is not shown after all, and why."""
        if name not in self.value:
            return
        self.ledger.told.discard((*self.path, name))
        self.ledger.left_out.setdefault((*self.path, name), why)

    def leave(self, why: Omission, *names: str) -> None:
        """Write down that these members are left out; without names, that the whole object is."""
        for path in [(*self.path, name) for name in names if name in self.value] or [self.path][: not names]:
            self.ledger.left_out.setdefault(path, why)


def extension(node: Node, *tails: str) -> Iterator[Node]:
    """The extensions whose url ends in one of these; the editions and the hosts of VKP's urls vary."""
    for each in node.each("extension"):
        url = (each.raw("url") or "").lower()
        if any(url == tail or url.rpartition("/")[2].startswith(tail) for tail in tails):
            yield each
