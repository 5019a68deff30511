"""The register as the hub asks it: by point read, remembered for a short while."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.messages.documents import Container
from shared.registry.entries import Entry, entry_of, version_of
from shared.registry.model import (
    MUNICIPALITY_DOCUMENT,
    SYSTEMS,
    Grant,
    Municipality,
    System,
    grant_id,
    is_orgnr,
    system_id,
)
from shared.registry.partner import PARTNER_DOCUMENT, PartnerProfile
from shared.registry.people import Access, access_id
from shared.registry.revoked import REVOKED_DOCUMENT, RevokedKeys

TRUSTED: Final = timedelta(seconds=5)
"""How long an entry is trusted, where a setting says nothing else: what is withdrawn works nowhere after ten seconds,
with as much again for the calls that had been let in."""
_REMEMBERED: Final = 4096
"""Entries kept: all of Norway's municipalities with ten systems each."""
_NONE_REVOKED: Final = RevokedKeys()


@dataclass(frozen=True, slots=True)
class _Kept:
    entry: Entry | None
    read_at: datetime
    version: int


class Register:
    """The entries of the container `registry`.

    An entry is trusted for `trusted` without another look, a missing one too: so long a withdrawn grant may still work,
    and a new one may not. Whether an entry holds at a moment (dates, stops) is not remembered: whoever gets it asks it.
    Raises Unreachable when it has to look and cannot, ValueError or KeyError for a document that cannot be read.
    """

    def __init__(self, container: Container, clock: Clock, trusted: timedelta = TRUSTED) -> None:
        self._container = container
        self._clock = clock
        self._trusted = trusted
        self._entries: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._looking: dict[tuple[str, str], asyncio.Task[Entry | None]] = {}

    async def municipality(self, orgnr: str) -> Municipality | None:
        """The municipality with this organisation number; None when it receives nothing here."""
        return await self._at(Municipality, orgnr, MUNICIPALITY_DOCUMENT)

    async def version(self, orgnr: str) -> int:
        """Which version of the municipality's entry `municipality` gives now; 0 when there is none."""
        await self.municipality(orgnr)
        kept = self._entries.get((orgnr, MUNICIPALITY_DOCUMENT))
        return kept.version if kept is not None else 0

    async def grant(self, orgnr: str, vkp_id: str) -> Grant | None:
        """What this municipality granted to this system; None when it granted nothing."""
        return await self._at(Grant, orgnr, grant_id(vkp_id))

    async def partner(self, orgnr: str) -> PartnerProfile | None:
        """This municipality's partner profile; None when it has none."""
        return await self._at(PartnerProfile, orgnr, PARTNER_DOCUMENT)

    async def access(self, orgnr: str, subject: str) -> Access | None:
        """What a person may do for this municipality (or as an operator, in `systems`); None when nothing."""
        return await self._at(Access, orgnr, access_id(subject))

    async def system(self, vkp_id: str) -> System:
        """What is registered of a vendor's system; one of which nothing was ever registered is like all others, one
        that was withdrawn is shut out."""
        return await self._at(System, SYSTEMS, system_id(vkp_id)) or System(vkp_id)

    async def revoked_keys(self) -> RevokedKeys:
        """The keys of issuers that must not count any longer."""
        return await self._at(RevokedKeys, SYSTEMS, REVOKED_DOCUMENT) or _NONE_REVOKED

    def forget(self, orgnr: str, id: str) -> None:
        """Look again next time: the entry of this document id has been changed from here."""
        self._entries.pop((orgnr, id), None)
        # What a look that is under way will find may be what was there before.
        self._looking.pop((orgnr, id), None)

    async def _at[T](self, kind: type[T], orgnr: str, id: str) -> T | None:
        if orgnr != SYSTEMS and not is_orgnr(orgnr):
            return None
        found = await self._look(orgnr, id)
        return found if isinstance(found, kind) else None

    async def _look(self, orgnr: str, id: str) -> Entry | None:
        key = (orgnr, id)
        entry = self._entries.get(key)
        if entry is not None and self._clock() - entry.read_at < self._trusted:
            self._entries.move_to_end(key)
            return entry.entry
        task = self._looking.get(key)
        if task is None:
            task = asyncio.create_task(self._read(key))
            self._looking[key] = task
            task.add_done_callback(lambda done: self._looked(key, done))
        # Many calls may wait for the same look; one that gives up must not take it from the others.
        return await asyncio.shield(task)

    async def _read(self, key: tuple[str, str]) -> Entry | None:
        orgnr, id = key
        # From before the look: what is read may have been changed while the answer was on its way.
        read_at = self._clock()
        document = await self._container.read(id, orgnr)
        entry = entry_of(document)
        if document is not None and entry is None and document["type"] == "system":
            # Nothing registered would open what being blocked had shut.
            entry = System(document["vkpId"], blocked=True)
        if self._looking.get(key) is asyncio.current_task():
            self._entries[key] = _Kept(entry, read_at, version_of(document))
            self._entries.move_to_end(key)
            while len(self._entries) > _REMEMBERED:
                self._entries.popitem(last=False)
        return entry

    def _looked(self, key: tuple[str, str], done: asyncio.Task[Entry | None]) -> None:
        if self._looking.get(key) is done:
            del self._looking[key]
