"""Appending to the chains: nothing is ever changed, and each source is written once.

Two writers of a chain collide in the document id, since both take the next number; the loser reads the head again. The
same source cannot be written twice into a chain either: `source` is a unique key of the container. So it does not
matter how often the sequencer reads the same station, or how many sequencers there are.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from shared.clock import Clock
from shared.messages.documents import AlreadyThere, Document, Unreachable
from shared.trail.chain import SALT_BYTES, Head, chain_of, genesis, head_of, seal, source_digest
from shared.trail.entry import Entry
from shared.trail.ports import AppendOnly

AT_ONCE: Final = 30
"""Entries in one batch, of the hundred that Cosmos takes (an entry is about 2 KB of the 2 MB).

Sealing and writing them down holds the event loop, and whoever calls this process meanwhile waits: 90 took 30 ms.
"""

_COLLISIONS: Final = 20
_REMEMBERED: Final = 50_000


class TrailWriter:
    """Writes entries at the ends of their chains. One for a process; belongs to one event loop."""

    def __init__(
        self,
        container: AppendOnly,
        clock: Clock,
        observer: str,
        salts: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._container = container
        self._clock = clock
        self._observer = observer
        self._salts = salts
        self._heads: dict[str, Head | None] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._written: OrderedDict[str, None] = OrderedDict()

    async def append(self, entries: Iterable[Entry]) -> int:
        """Write those that are not written yet. Returns how many were. Raises Unreachable."""
        chains: dict[str, dict[str, Entry]] = {}
        for entry in entries:
            digest = source_digest(entry.source)
            if digest not in self._written:
                chains.setdefault(chain_of(entry.orgnr, entry.occurred), {}).setdefault(digest, entry)
        written = 0
        for chain, fresh in chains.items():
            async with self._locks.setdefault(chain, asyncio.Lock()):
                waiting = list(fresh.values())
                for at in range(0, len(waiting), AT_ONCE):
                    written += await self._append(chain, waiting[at : at + AT_ONCE])
        return written

    async def _append(self, chain: str, entries: Sequence[Entry]) -> int:
        # A head that is remembered may be behind (somebody else wrote, or an answer was lost): then the batch collides.
        before = self._heads[chain] if chain in self._heads else await self._head(chain)
        for _ in range(_COLLISIONS):
            if not entries:
                return 0
            documents = self._sealed(chain, before, entries)
            try:
                await self._container.create(documents, chain)
            except AlreadyThere:
                before = await self._head(chain)
                entries = await self._unknown(chain, entries)
                continue
            self._heads[chain] = head_of(documents[-1])
            self._remember(source_digest(entry.source) for entry in entries)
            return len(entries)
        raise Unreachable("TRAIL_CONTENDED")

    def _sealed(self, chain: str, before: Head | None, entries: Sequence[Entry]) -> list[Document]:
        now = self._clock()
        documents: list[Document] = []
        for entry in entries if before is not None else (genesis(chain, now), *entries):
            documents.append(seal(chain, before, entry, now, self._observer, self._salts(SALT_BYTES)))
            before = head_of(documents[-1])
        return documents

    async def _head(self, chain: str) -> Head | None:
        found = await self._container.query(
            "SELECT TOP 1 c.seq, c.hash FROM c WHERE c.chain = @chain ORDER BY c.seq DESC", {"@chain": chain}, 1
        )
        return head_of(found[0]) if found else None

    async def _unknown(self, chain: str, entries: Sequence[Entry]) -> list[Entry]:
        known = await self.known(chain, [source_digest(entry.source) for entry in entries])
        self._remember(known)
        return [entry for entry in entries if source_digest(entry.source) not in known]

    async def known(self, chain: str, digests: Sequence[str]) -> frozenset[str]:
        """Which of these sources stand in the chain. Raises Unreachable."""
        names = {f"@s{at}": digest for at, digest in enumerate(digests)}
        if not names:
            return frozenset()
        found = await self._container.query(
            f"SELECT c.source FROM c WHERE c.chain = @chain AND c.source IN ({', '.join(names)})",  # noqa: S608 - names
            {"@chain": chain, **names},
            len(names),
        )
        return frozenset(each["source"] for each in found)

    def _remember(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._written[digest] = None
        while len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)
