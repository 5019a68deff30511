"""Is a chain what it was? Decides from its stored documents and from what checkpoints say of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.messages.documents import Document
from shared.trail.chain import (
    NOTHING_BEFORE,
    Header,
    NotAnEntry,
    commitment,
    document_id,
    entry_hash,
    read_body,
    read_header,
    read_salt,
    shown,
)
from shared.trail.checkpoints import ChainState
from shared.trail.entry import Kind
from shared.trail.findings import Fault, Finding
from shared.trail.merkle import Tree
from shared.trail.purges import Lawful, Purge, purge_from

CLOCKS_APART: Final = timedelta(seconds=5)
"""Two writers' clocks may differ so much before it counts as a clock set back."""
_MANY: Final = 20
"""Findings of one kind in one chain that are told one by one."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a checkpoint says of a chain: at that time it was so long, and had this root."""

    state: ChainState
    time: datetime
    where: str


@dataclass(slots=True)
class Checked:
    """A chain, checked."""

    chain: str
    size: int = 0
    purged: int = 0
    unprotected: int = 0
    """Entries that no checkpoint signs for yet."""
    recorded: Sequence[datetime] = ()
    """When its entries were recorded, in their order."""
    dropped: bool = False
    """Taken away lawfully, as a whole."""
    findings: list[Finding] = field(default_factory=list)
    purges: list[Purge] = field(default_factory=list)

    def wrong(self, fault: Fault, seq: int | None = None, detail: str = "") -> None:
        """Note a finding."""
        self.findings.append(Finding(fault, self.chain, seq, detail))


def check(
    chain: str,
    documents: Sequence[Document],
    signed: Sequence[Signed],
    lawful: Lawful,
    start: ChainState | None = None,
) -> Checked:
    """Check a chain from its genesis, or from the state that a checkpoint vouches for (`start`).

    With `start`, `documents` are those numbered from there on, and only checkpoints of that size or longer count.
    """
    checked = Checked(chain)
    headers = sorted(_readable(checked, documents), key=lambda each: each.header.seq)
    walk = _walked(checked, headers, start, {each.state.size for each in signed})
    for entry in headers:
        _check_body(checked, entry, lawful)
    checked.size = walk.size
    checked.recorded = walk.recorded
    _compared(checked, signed, walk, 0 if start is None else start.size)
    checked.findings = list(_bounded(checked))
    return checked


@dataclass(frozen=True, slots=True)
class _Read:
    document: Document
    header: Header
    hash: str


def _readable(checked: Checked, documents: Iterable[Document]) -> Iterable[_Read]:
    for document in documents:
        seq = document.get("seq") if isinstance(document.get("seq"), int) else None
        try:
            header = read_header(document["header"])
        except (NotAnEntry, KeyError) as error:
            checked.wrong(Fault.ENTRY_UNREADABLE, seq, str(error) if isinstance(error, NotAnEntry) else "no header")
            continue
        hashed = entry_hash(document["header"])
        if document.get("hash") != hashed:
            checked.wrong(Fault.HEADER_EDITED, header.seq)
        place = (document.get("id"), document.get("chain"), document.get("seq"))
        if place != (document_id(header.chain, header.seq), header.chain, header.seq) or header.chain != checked.chain:
            checked.wrong(Fault.ENTRY_MOVED, seq, f"its header says {header.chain} number {header.seq}")
            if header.chain != checked.chain:
                continue
        yield _Read(document, header, hashed)


@dataclass(frozen=True, slots=True)
class _Walk:
    size: int
    """One more than the last number."""
    roots: Mapping[int, str]
    """At the sizes that were asked for, as far as nothing is missing."""
    recorded: Sequence[datetime]


def _walked(checked: Checked, entries: Sequence[_Read], start: ChainState | None, wanted: set[int]) -> _Walk:
    tree = Tree() if start is None else start.tree
    previous = NOTHING_BEFORE if start is None else start.head
    roots = {tree.size: tree.root().hex()} if tree.size in wanted else {}
    recorded: list[datetime] = []
    seq, whole = tree.size, True
    for entry in entries:
        header = entry.header
        if header.seq < seq:
            checked.wrong(Fault.ENTRY_DUPLICATE, header.seq)
            continue
        if header.seq > seq:
            checked.wrong(Fault.ENTRY_MISSING, seq, f"{header.seq - seq} before number {header.seq}")
            whole = False
        elif header.previous != previous:
            checked.wrong(Fault.LINK_BROKEN, header.seq)
        if (header.seq == 0) != (header.kind is Kind.GENESIS):
            checked.wrong(Fault.LINK_BROKEN, header.seq, "a chain begins with its genesis, and has only one")
        if recorded and header.recorded < recorded[-1] - CLOCKS_APART:
            checked.wrong(Fault.CLOCK_BACK, header.seq)
        recorded.append(header.recorded)
        previous, seq = entry.hash, header.seq + 1
        if whole:
            tree = tree.with_leaves([bytes.fromhex(entry.hash)])
            if tree.size in wanted:
                roots[tree.size] = tree.root().hex()
    return _Walk(seq, roots, recorded)


def _check_body(checked: Checked, entry: _Read, lawful: Lawful) -> None:
    header, document = entry.header, entry.document
    try:
        body = read_body(document)
        if body is None:
            _check_purged(checked, entry, lawful)
        elif commitment(read_salt(document), document["body"]) != header.commitment:
            checked.wrong(Fault.BODY_EDITED, header.seq)
            return
    except NotAnEntry as error:
        checked.wrong(Fault.BODY_EDITED, header.seq, str(error))
        return
    copies = {name: document.get(name) for name in ("source", "kind", "recorded", "find") if name in document}
    if copies != shown(header, body):
        checked.wrong(Fault.INDEX_EDITED, header.seq)
    if body is not None and header.kind is Kind.RETENTION_PURGE:
        purge = purge_from(header, body)
        if purge is not None:
            checked.purges.append(purge)


def _check_purged(checked: Checked, entry: _Read, lawful: Lawful) -> None:
    checked.purged += 1
    if not lawful.body(entry.header):
        checked.wrong(Fault.PURGE_UNLAWFUL, entry.header.seq, "the body is gone")
    elif "salt" in entry.document:
        checked.wrong(Fault.PURGE_UNLAWFUL, entry.header.seq, "the body is gone and its salt is not")


def _compared(checked: Checked, signed: Sequence[Signed], walk: _Walk, begin: int) -> None:
    longest = 0
    for each in signed:
        size = each.state.size
        longest = max(longest, size)
        if size > walk.size:
            checked.wrong(Fault.TAIL_REMOVED, walk.size, f"{each.where} signed for {size} entries")
        elif size in walk.roots and walk.roots[size] != each.state.tree.root().hex():
            checked.wrong(Fault.CHAIN_REWRITTEN, None, f"{each.where} signed for other content of {size} entries")
            continue
        newest = size - begin - 1
        if 0 <= newest < len(walk.recorded) and walk.recorded[newest] > each.time + CLOCKS_APART:
            checked.wrong(Fault.CHECKPOINT_BACKDATED, size - 1, each.where)
    checked.unprotected = max(0, walk.size - longest)


def _bounded(checked: Checked) -> Iterable[Finding]:
    counts: dict[Fault, int] = {}
    for finding in checked.findings:
        counts[finding.fault] = counts.get(finding.fault, 0) + 1
        if counts[finding.fault] <= _MANY:
            yield finding
    for fault, count in counts.items():
        if count > _MANY:
            yield Finding(fault, checked.chain, None, f"{count - _MANY} more of these")
