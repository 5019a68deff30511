"""A Merkle tree over a chain's entries, as RFC 9162 (2.1) defines it: one hash that stands for all of them.

Kept as its frontier: the roots of the full subtrees from left to right. Adding a leaf and telling the root need no
more, so a tree of a million entries goes on from twenty hashes.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_LEAF = b"\x00"
_NODE = b"\x01"


@dataclass(frozen=True, slots=True)
class Tree:
    """The frontier of a tree with `size` leaves. Raises ValueError when the two do not fit."""

    size: int = 0
    frontier: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.frontier) != self.size.bit_count():
            raise ValueError("a tree's frontier has one hash for each bit of its size")

    def with_leaves(self, leaves: Iterable[bytes]) -> Self:
        """The tree with these leaves after its own."""
        size, frontier = self.size, list(self.frontier)
        for leaf in leaves:
            node = hashlib.sha256(_LEAF + leaf).digest()
            full = size
            while full & 1:
                node = _joined(frontier.pop(), node)
                full >>= 1
            frontier.append(node)
            size += 1
        return type(self)(size, tuple(frontier))

    def root(self) -> bytes:
        """The tree's head; for an empty tree the hash of nothing (RFC 9162, 2.1.1)."""
        if not self.frontier:
            return hashlib.sha256(b"").digest()
        *before, node = self.frontier
        for left in reversed(before):
            node = _joined(left, node)
        return node


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
