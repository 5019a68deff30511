"""Copies of the checkpoints where nobody can change or delete them, not even who may do everything in their database.

Copied in order and each once; what could not be copied comes with the next round. A copy is never read back to go on
from it: verification holds the newest copy of every month against what the database has, as it does with any witness.
"""

import json
from typing import Any, Final, Protocol

from shared.messages.documents import Document
from shared.trail.chain import canonical
from shared.trail.checkpoints import link_of
from shared.trail.ports import AppendOnly

AT_ONCE: Final = 100
"""Checkpoints of a month that are copied in one round: after a long outage the rest comes with the next."""

_FIELDS: Final = ("id", "series", "number", "type", "hash", "statement", "signature")


class Copies(Protocol):
    """Storage that keeps what is put there: time-based immutability (WORM). Every method may raise Unreachable."""

    async def series(self) -> list[str]:
        """The months that have copies."""

    async def newest(self, series: str) -> int | None:
        """The greatest number that a month has a copy of."""

    async def keep(self, series: str, number: int, text: str) -> None:
        """Put it there; nothing happens when there is one."""

    async def read(self, series: str, number: int) -> str:
        """A copy."""


class Copier:
    """Brings the copies up to date. One for a process; a second one elsewhere does no harm."""

    def __init__(self, kept: AppendOnly, copies: Copies) -> None:
        self._kept = kept
        self._copies = copies
        self._next: dict[str, int] = {}

    async def copy(self) -> int:
        """Copy what is new. Returns how many there were. Raises Unreachable; what was copied by then stays."""
        count = 0
        for found in await self._kept.query("SELECT DISTINCT c.series FROM c", {}, 10_000):
            for document in await self._new(found["series"]):
                series, number = document["series"], document["number"]
                await self._copies.keep(series, number, _text(document))
                self._next[series] = number + 1
                count += 1
        return count

    async def _new(self, series: str) -> list[Document]:
        if series not in self._next:
            newest = await self._copies.newest(series)
            self._next[series] = 0 if newest is None else newest + 1
        text = "SELECT * FROM c WHERE c.series = @series AND c.number >= @next ORDER BY c.number"
        return list(await self._kept.query(text, {"@series": series, "@next": self._next[series]}, AT_ONCE))


async def witnesses(copies: Copies) -> tuple[str, ...]:
    """What the copies say was signed: the newest of every month, as `verify` takes it from a witness.

    One that cannot be read contradicts whatever there is. Raises Unreachable.
    """
    told: list[str] = []
    for series in await copies.series():
        newest = await copies.newest(series)
        if newest is not None:
            told.append(f"{series}:{newest}:{_hash(await copies.read(series, newest))}")
    return tuple(told)


def _text(document: Document) -> str:
    return canonical({name: document[name] for name in _FIELDS if name in document})


def _hash(text: str) -> str:
    try:
        document: dict[str, Any] = json.loads(text)
        return link_of(document).hash
    except (ValueError, KeyError, TypeError):
        return "unreadable"
