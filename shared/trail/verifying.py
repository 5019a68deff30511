"""Verification of the whole trail: what is kept against what was signed, and nothing that the log says of itself.

Runs under an identity of its own, with rights to read only. It trusts the public keys and the retention policies of its
settings, and no size, head or purge that only the log's own store tells of.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared.messages.documents import Document
from shared.trail import chain_check, checkpoint_check
from shared.trail.chain import HUB, chain_of, entry_hash, month_of, owner_of, source_digest
from shared.trail.chain_check import Checked, Signed
from shared.trail.checkpoint_check import CheckedCheckpoints
from shared.trail.checkpoints import ChainState
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.findings import Fault, Finding
from shared.trail.ports import AppendOnly
from shared.trail.purges import Lawful, Purge
from shared.trail.reconciling import LONGEST_DELAY, Store, due
from shared.trail.retention import Policy
from shared.trail.signing import TrustedKey

SILENCE: Final = timedelta(minutes=30)
"""The longest time between two checkpoints, unless the settings say otherwise."""

CHAINS: Final = "SELECT DISTINCT c.chain FROM c"

Progress = Callable[[str, int, int], None]
"""Told of each chain that was checked: its name, how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What verification goes by."""

    keys: Sequence[TrustedKey]
    policies: Sequence[Policy] = ()
    silence: timedelta = SILENCE
    always_on: bool = True
    """Whether the hub never stops. Else a time without checkpoints is one in which something was recorded without."""
    witnesses: Sequence[str] = ()


@dataclass(slots=True)
class Report:
    """What was found."""

    chains: int = 0
    entries: int = 0
    purged: int = 0
    unprotected: int = 0
    """Entries that are younger than the last checkpoint: they could still be changed without its being seen."""
    reconciled: int = 0
    """Stations in the hub's stores that were looked up in the log."""
    checkpoints: int = 0
    newest_checkpoint: datetime | None = None
    witness: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def entry(self, now: datetime, source: str) -> Entry:
        """The entry that tells of this verification."""
        return Entry(
            kind=Kind.VERIFICATION,
            outcome=Outcome.SUCCESS if self.holds else Outcome.MINOR_FAILURE,
            occurred=now,
            source=source,
            system="knutepunkt",
            details={
                "chains": str(self.chains), "entries": str(self.entries), "findings": str(len(self.findings)),
                "faults": "|".join(sorted({each.fault.value for each in self.findings})),
            },
        )  # fmt: skip


async def verify(
    trail: AppendOnly,
    kept: AppendOnly,
    trust: Trust,
    now: datetime,
    *,
    since: str = "",
    quick: bool = False,
    stores: Sequence[Store] = (),
    delay: timedelta = LONGEST_DELAY,
    progress: Progress = lambda *_: None,
) -> Report:
    """Verify everything, or the months from `since` (`2026-10`) on. Raises Unreachable.

    With `quick`, each chain is read from the last checkpoint that signed for it; what is older is then taken from the
    checkpoint and not looked at. What `stores` tell of must be in the log (not asked with `quick`).
    """
    signed = checkpoint_check.check(await _checkpoints(kept), trust.keys, now, trust.silence, trust.witnesses)
    report = Report(checkpoints=signed.count, newest_checkpoint=signed.newest, witness=signed.witness)
    there = {each["chain"] for each in await trail.query(CHAINS, {}, 1_000_000)}
    report.findings += signed.findings
    names = sorted(there | signed.signed.keys(), key=lambda name: (owner_of(name) != HUB, name))
    names = [name for name in names if _month(name) >= since or owner_of(name) == HUB]
    lawful = Lawful(await purges_told(trail, names), trust.policies)
    sources: set[str] = set()
    gone: set[str] = set()
    recorded: list[datetime] = []
    for done, name in enumerate(names, 1):
        told = signed.signed.get(name, [])
        start = told[-1].state if quick and told and name in there else None
        documents = await _chain(trail, name, 0 if start is None else start.size - 1)
        checked = _checked(name, documents, told, lawful, start)
        _add(report, checked)
        sources.update(str(each.get("source")) for each in documents)
        if checked.dropped:
            gone.add(name)
        recorded += checked.recorded if owner_of(name) == HUB or not signed.count else ()
        progress(name, done, len(names))
    report.findings += _stopped(signed, recorded, trust, now)
    if not quick:
        for store in stores:
            await _reconciled(
                report, store, sources, lambda name: _month(name) >= since and name not in gone, now - delay
            )
    return report


def _stopped(
    signed: CheckedCheckpoints, recorded: Sequence[datetime], trust: Trust, now: datetime
) -> Iterable[Finding]:
    """Times without checkpoints. The hub's own chain tells, by its heartbeats, whether the hub was at work in them;
    where there is no checkpoint, any entry does."""
    if not signed.count:
        if recorded and now - min(recorded) > trust.silence:
            yield Finding(Fault.CHECKPOINTS_ABSENT, month_of(now))
        return
    for begin, end in signed.gaps:
        if trust.always_on or any(begin < each < end - trust.silence for each in recorded):
            detail = f"{int((end - begin).total_seconds())} s from {begin.isoformat(timespec='seconds')}"
            yield Finding(Fault.CHECKPOINTS_STOPPED, month_of(begin), None, detail)


async def _reconciled(
    report: Report, store: Store, sources: set[str], asked: Callable[[str], bool], before: datetime
) -> None:
    """Find what a store tells of and the log does not."""
    missing: dict[str, int] = {}
    async for page in store.container.pages("SELECT * FROM c WHERE c.type = @type", {"@type": store.type}):
        for entry in [each for document in page for each in due(store, document, before)]:
            chain = chain_of(entry.orgnr, entry.occurred)
            if asked(chain):
                report.reconciled += 1
                if source_digest(entry.source) not in sources:
                    missing[chain] = missing.get(chain, 0) + 1
    for chain, count in sorted(missing.items()):
        report.findings.append(Finding(Fault.NEVER_WRITTEN, chain, None, f"{count} from {store.name}"))


async def purges_told(trail: AppendOnly, chains: Iterable[str]) -> list[Purge]:
    """The purges that entries of the hub's own chains tell of. What they allow, the policies must allow as well."""
    purges: list[Purge] = []
    for name in [each for each in chains if owner_of(each) == HUB]:
        text = "SELECT * FROM c WHERE c.chain = @chain AND c.kind = @kind"
        documents = await _all(trail, text, {"@chain": name, "@kind": Kind.RETENTION_PURGE.value})
        purges += chain_check.check(name, documents, (), Lawful((), ())).purges
    return purges


def _checked(
    name: str, documents: Sequence[Document], told: Sequence[Signed], lawful: Lawful, start: ChainState | None
) -> Checked:
    last = told[-1].state if told else None
    if last is not None and lawful.chain(name, last.size, last.tree.root().hex()):
        # What is left of it, after a purge that was interrupted, need not hold.
        return Checked(name, purged=last.size - len(documents), dropped=True)
    if start is not None:
        return _from_checkpoint(name, documents, told, lawful, start)
    if documents:
        return chain_check.check(name, documents, told, lawful)
    checked = Checked(name)
    if last is not None:
        checked.wrong(Fault.CHAIN_MISSING, None, f"{told[-1].where} signed for {last.size} entries")
    return checked


def _from_checkpoint(
    name: str, documents: Sequence[Document], told: Sequence[Signed], lawful: Lawful, start: ChainState
) -> Checked:
    """The last entry that was signed for must still be what it was; what follows it is checked as ever."""
    last = [each for each in documents if each["seq"] == start.size - 1]
    checked = chain_check.check(name, [each for each in documents if each not in last], told, lawful, start)
    if not last:
        checked.wrong(Fault.TAIL_REMOVED, start.size - 1, f"{told[-1].where} signed for {start.size} entries")
    elif any(entry_hash(str(each.get("header"))) != start.head for each in last):
        checked.wrong(Fault.CHAIN_REWRITTEN, start.size - 1, f"{told[-1].where} signed for another last entry")
    return checked


def _month(chain: str) -> str:
    return chain.partition(":")[2]


def _add(report: Report, checked: Checked) -> None:
    report.chains += 1
    report.entries += checked.size
    report.purged += checked.purged
    report.unprotected += checked.unprotected
    report.findings += checked.findings


async def _checkpoints(kept: AppendOnly) -> Iterable[Document]:
    return await _all(kept, "SELECT * FROM c", {})


async def _chain(trail: AppendOnly, chain: str, size: int) -> Sequence[Document]:
    text, parameters = "SELECT * FROM c WHERE c.chain = @chain", {"@chain": chain}
    if not size:
        return await _all(trail, text, parameters)
    return await _all(trail, f"{text} AND c.seq >= @size", {**parameters, "@size": size})


async def _all(container: AppendOnly, text: str, parameters: dict[str, Any]) -> Sequence[Document]:
    return [each async for page in container.pages(text, parameters) for each in page]
