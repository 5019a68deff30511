"""The register as those see it who change it: always read from the database, written with its history or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared import clock
from shared.messages.documents import AlreadyThere, ConditionFailed, Container, Document, NotThere
from shared.registry.changes import Change
from shared.registry.entries import HISTORY
from shared.registry.model import MUNICIPALITY_DOCUMENT

PAGE: Final = 50
MAX_PAGE: Final = 100
PERSON: Final = "person"
"""The `type` of the documents of people's accesses."""
_WHOLE: Final = 1000
"""Documents asked for at a time when a whole partition is read."""
LAST: Final = "~"
"""Sorts after every place in a history: those begin with a year."""

_BY_ID: Final = " ORDER BY c.id"
_OF_ONE_KIND: Final = """
SELECT * FROM c WHERE c.orgnr = @orgnr AND c.type = @kind AND c.id > @after
AND (NOT IS_DEFINED(c.withdrawn) OR c.withdrawn = false) ORDER BY c.id"""
_OF_ALL_KINDS: Final = """
SELECT * FROM c WHERE c.orgnr = @orgnr AND c.type != @history AND c.id > @after
AND (NOT IS_DEFINED(c.withdrawn) OR c.withdrawn = false) ORDER BY c.id"""
_ENDING: Final = f"{_OF_ONE_KIND.removesuffix(_BY_ID)} AND c.validUntil > @now AND c.validUntil <= @until{_BY_ID}"
_MUNICIPALITIES: Final = """
SELECT * FROM c WHERE c.id = @id AND c.orgnr > @after
AND (NOT IS_DEFINED(c.withdrawn) OR c.withdrawn = false) ORDER BY c.orgnr"""
_HISTORY: Final = """
SELECT * FROM c WHERE c.orgnr = @orgnr AND c.type = @kind AND c.place < @after ORDER BY c.place DESC"""
_HISTORY_OF: Final = """
SELECT * FROM c WHERE c.orgnr = @orgnr AND c.type = @kind AND c.of = @of AND c.place < @after ORDER BY c.place DESC"""


class Conflict(Exception):
    """Somebody else changed the entry after it was read. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list's documents, by id, and where to go on (None: that was all)."""

    documents: tuple[Document, ...]
    next: str | None


class Registry:
    """Reads and changes the container `registry`. Every method may raise Unreachable."""

    def __init__(self, container: Container) -> None:
        self._container = container

    async def read(self, orgnr: str, id: str) -> Document | None:
        """A document as it is now, withdrawn ones too; None when there never was one."""
        return await self._container.read(id, orgnr)

    async def write(self, change: Change, *more: Change) -> None:
        """Write a change; with others of the same partition all or none. Raises Conflict."""
        operations = tuple(each for one in (change, *more) for each in one.operations)
        try:
            await self._container.batch(operations, change.orgnr)
        except (ConditionFailed, AlreadyThere, NotThere):
            raise Conflict from None

    async def page(self, orgnr: str, kind: str, after: str = "", limit: int = PAGE) -> Page:
        """A municipality's entries of one kind, those that are there."""
        return await self._page(_OF_ONE_KIND, {"@orgnr": orgnr, "@kind": kind}, after, limit, "id")

    async def people(self, orgnr: str) -> tuple[Document, ...]:
        """Everybody's access there, also of those whose has lapsed."""
        found: list[Document] = []
        after: str | None = ""
        while after is not None:
            page = await self.page(orgnr, PERSON, after, _WHOLE)
            found += page.documents
            after = page.next
        return tuple(found)

    async def ending(self, orgnr: str, now: datetime, until: datetime, after: str = "", limit: int = PAGE) -> Page:
        """The accesses that have not lapsed yet and will have by then (UTC)."""
        wanted = {"@orgnr": orgnr, "@kind": PERSON, "@now": clock.written(now), "@until": clock.written(until)}
        return await self._page(_ENDING, wanted, after, limit, "id")

    async def municipalities(self, after: str = "", limit: int = PAGE) -> Page:
        """All municipalities, by their numbers."""
        return await self._page(_MUNICIPALITIES, {"@id": MUNICIPALITY_DOCUMENT}, after, limit, "orgnr")

    async def history(self, orgnr: str, after: str = "", limit: int = PAGE, of: str | None = None) -> Page:
        """What was changed in a partition (or of the one document with the id `of` in it), the latest first."""
        wanted = {"@orgnr": orgnr, "@kind": HISTORY}
        if of is None:
            return await self._page(_HISTORY, wanted, after or LAST, limit, "place")
        return await self._page(_HISTORY_OF, {**wanted, "@of": of}, after or LAST, limit, "place")

    async def everything(self, orgnr: str) -> tuple[Document, ...]:
        """All entries of a partition, those that are there."""
        found: list[Document] = []
        after: str | None = ""
        while after is not None:
            page = await self._page(_OF_ALL_KINDS, {"@orgnr": orgnr, "@history": HISTORY}, after, _WHOLE, "id")
            found += page.documents
            after = page.next
        return tuple(found)

    async def _page(self, text: str, parameters: dict[str, Any], after: str, limit: int, by: str) -> Page:
        found = await self._container.query(text, {**parameters, "@after": after}, limit + 1)
        return _cut(found, limit, by)


def _cut(found: Sequence[Document], limit: int, by: str) -> Page:
    shown = tuple(found[:limit])
    return Page(shown, shown[-1][by] if len(found) > limit else None)
