"""Writing checkpoints: what has come to the chains since the last one is checked, and then signed for.

A chain that does not hold together is not signed for any further: it stays in the statement as it was, and the caller
is told. The trees go on from what the last checkpoint says, so that a checkpoint costs what is new and no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock, written
from shared.messages.documents import AlreadyThere, Document
from shared.trail import checkpoints
from shared.trail.chain import NOTHING_BEFORE, NotAnEntry, entry_hash, month_of, read_header
from shared.trail.checkpoints import ChainState, Checkpoint, Link
from shared.trail.merkle import Tree
from shared.trail.ports import AppendOnly
from shared.trail.signing import Signing, TrustedKey

_OVERLAP: Final = timedelta(hours=1)
"""Entries recorded so long before the last checkpoint are looked for again: a writer's clock may have been behind."""


class Broken(Exception):
    """A chain does not hold together; nothing more of it is signed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one round did: checkpoints written, and chains that were not signed for."""

    written: tuple[Link, ...]
    broken: tuple[str, ...]


class Sealer:
    """Writes checkpoints. One for a process; a second one elsewhere does no harm, its numbers collide."""

    def __init__(
        self, trail: AppendOnly, kept: AppendOnly, signer: Signing, clock: Clock, trusted: Sequence[TrustedKey] = ()
    ) -> None:
        """`trusted` are the keys that signed before this one: what they signed is gone on from too."""
        self._trail = trail
        self._kept = kept
        self._signer = signer
        self._trusted = tuple(trusted)
        self._clock = clock
        self._newest: dict[str, tuple[Checkpoint, Link]] = {}

    async def seal(self) -> Sealed:
        """Sign for every month in which something came, and for this month in any case. Raises Unreachable."""
        now = self._clock()
        links = await self._links()
        states: dict[str, dict[str, ChainState]] = {month_of(now): {}}
        broken: list[str] = []
        for chain in await self._stirred(await self._last_time(links)):
            series = chain.partition(":")[2]
            before = (await self._latest(series, links)).get(chain, ChainState(chain, Tree(), NOTHING_BEFORE))
            try:
                states.setdefault(series, {})[chain] = await self._onward(before)
            except Broken:
                broken.append(chain)
        done: list[Link] = []
        # The present month last: its checkpoint then names the new ones of the others.
        for series in sorted(states):
            link = await self._write(series, states[series], links, now)
            if link is not None:
                links[series] = link
                done.append(link)
        return Sealed(tuple(done), tuple(sorted(broken)))

    async def _links(self) -> dict[str, Link]:
        links: dict[str, Link] = {}
        for found in await self._kept.query("SELECT DISTINCT c.series FROM c", {}, 10_000):
            newest = await self._top(found["series"], "c.number, c.hash")
            if newest is not None and newest.keys() >= {"number", "hash"}:
                links[found["series"]] = Link(newest["number"], newest["hash"])
        return links

    async def _top(self, series: str, fields: str) -> Document | None:
        text = f"SELECT TOP 1 {fields} FROM c WHERE c.series = @series ORDER BY c.number DESC"  # noqa: S608 - ours
        found = await self._kept.query(text, {"@series": series}, 1)
        return found[0] if found else None

    async def _latest(self, series: str, links: Mapping[str, Link]) -> Mapping[str, ChainState]:
        if series not in links:
            return {}
        known = self._newest.get(series)
        if known is None or known[1] != links[series]:
            document = await self._top(series, "*")
            if document is None:
                return {}
            keys = (await self._signer.key(), *self._trusted)
            known = (checkpoints.read(document, keys), checkpoints.link_of(document))
            self._newest[series] = known
        return known[0].chains

    async def _last_time(self, links: Mapping[str, Link]) -> datetime | None:
        if not links:
            return None
        newest = max(links)
        await self._latest(newest, links)
        return self._newest[newest][0].time if newest in self._newest else None

    async def _stirred(self, since: datetime | None) -> list[str]:
        text, parameters = "SELECT DISTINCT c.chain FROM c", {}
        if since is not None:
            text, parameters = f"{text} WHERE c.recorded >= @since", {"@since": written(since - _OVERLAP)}
        return sorted({each["chain"] for each in await self._trail.query(text, parameters, 100_000)})

    async def _onward(self, before: ChainState) -> ChainState:
        text = "SELECT c.seq, c.header FROM c WHERE c.chain = @chain AND c.seq >= @size"
        parameters = {"@chain": before.chain, "@size": before.size}
        found = [each async for page in self._trail.pages(text, parameters) for each in page]
        return onward(before, found)

    async def _write(
        self, series: str, states: Mapping[str, ChainState], links: Mapping[str, Link], now: datetime
    ) -> Link | None:
        before = await self._latest(series, links)
        last = links.get(series)
        if all(before.get(chain) == state for chain, state in states.items()) and series != month_of(now):
            return None
        checkpoint = Checkpoint(
            series=series,
            number=0 if last is None else last.number + 1,
            time=now,
            previous=NOTHING_BEFORE if last is None else last.hash,
            chains={**before, **states},
            others={name: link for name, link in links.items() if name != series},
        )
        document = await checkpoints.sign(checkpoint, self._signer)
        try:
            await self._kept.create([document], series)
        except AlreadyThere:
            # Another one was faster; what it did not see is signed for next time.
            return None
        link = checkpoints.link_of(document)
        self._newest[series] = (checkpoint, link)
        return link


def onward(before: ChainState, entries: Iterable[Document]) -> ChainState:
    """The chain with these entries after it. Raises Broken when they do not follow."""
    head, tree = before.head, before.tree
    for entry in sorted(entries, key=lambda each: int(each["seq"])):
        try:
            header = read_header(entry["header"])
        except NotAnEntry:
            raise Broken(before.chain) from None
        if (header.chain, header.seq, header.previous) != (before.chain, tree.size, head):
            raise Broken(before.chain)
        head = entry_hash(entry["header"])
        tree = tree.with_leaves([bytes.fromhex(head)])
    return ChainState(before.chain, tree, head)
