"""The register as the hub asks it: by point read, remembered for a short while."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.messages.documents import Container, Document
from shared.registry.model import (
    MUNICIPALITY_DOCUMENT,
    SYSTEMS,
    Grant,
    Municipality,
    System,
    grant_from,
    grant_id,
    is_orgnr,
    municipality_from,
    system_from,
    system_id,
)

_REMEMBERED: Final = 4096
"""Entries kept: all of Norway's municipalities with ten systems each."""


@dataclass(frozen=True, slots=True)
class _Entry:
    document: Document | None
    read_at: datetime


class Register:
    """Municipalities and grants in the container `registry`.

    An entry is trusted for `trusted` without another look, a missing one too: so long a withdrawn grant may still work,
    and a new one may not. Raises Unreachable when it has to look and cannot.
    """

    def __init__(self, container: Container, clock: Clock, trusted: timedelta) -> None:
        self._container = container
        self._clock = clock
        self._trusted = trusted
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._looking: dict[tuple[str, str], asyncio.Task[Document | None]] = {}

    async def municipality(self, orgnr: str) -> Municipality | None:
        """The municipality with this organisation number; None when it receives nothing here."""
        if not is_orgnr(orgnr):
            return None
        return _made(municipality_from, await self._look(orgnr, MUNICIPALITY_DOCUMENT))

    async def grant(self, orgnr: str, vkp_id: str) -> Grant | None:
        """What this municipality granted to this system; None when it granted nothing."""
        if not is_orgnr(orgnr):
            return None
        return _made(grant_from, await self._look(orgnr, grant_id(vkp_id)))

    async def system(self, vkp_id: str) -> System:
        """What is registered of a vendor's system; one of which nothing is registered is like all others."""
        return _made(system_from, await self._look(SYSTEMS, system_id(vkp_id))) or System(vkp_id)

    async def _look(self, orgnr: str, id: str) -> Document | None:
        key = (orgnr, id)
        entry = self._entries.get(key)
        if entry is not None and self._clock() - entry.read_at < self._trusted:
            self._entries.move_to_end(key)
            return entry.document
        task = self._looking.get(key)
        if task is None:
            task = asyncio.create_task(self._read(key))
            self._looking[key] = task
            task.add_done_callback(lambda _: self._looking.pop(key, None))
        # Many calls may wait for the same look; one that gives up must not take it from the others.
        return await asyncio.shield(task)

    async def _read(self, key: tuple[str, str]) -> Document | None:
        orgnr, id = key
        # From before the look: what is read may have been changed while the answer was on its way.
        read_at = self._clock()
        document = await self._container.read(id, orgnr)
        self._entries[key] = _Entry(document, read_at)
        self._entries.move_to_end(key)
        while len(self._entries) > _REMEMBERED:
            self._entries.popitem(last=False)
        return document


def _made[T](make: Callable[[Document], T], document: Document | None) -> T | None:
    return None if document is None else make(document)
