"""Are the checkpoints all there, signed, in order and in time? Decides from their stored documents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from shared.messages.documents import Document
from shared.trail import checkpoints
from shared.trail.chain import NOTHING_BEFORE
from shared.trail.chain_check import CLOCKS_APART, Signed
from shared.trail.checkpoints import Checkpoint, Link, NotACheckpoint
from shared.trail.findings import Fault, Finding
from shared.trail.signing import TrustedKey


@dataclass(slots=True)
class CheckedCheckpoints:
    """The checkpoints, checked: what those that hold say of each chain, oldest first."""

    signed: dict[str, list[Signed]] = field(default_factory=dict)
    links: dict[tuple[str, int], str] = field(default_factory=dict)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Times between two checkpoints, and since the last, that are longer than is allowed."""
    count: int = 0
    newest: datetime | None = None
    witness: str = ""
    """The newest checkpoint as somebody outside may keep it: `2026-11:12:HASH`."""
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, fault: Fault, series: str, number: int | None = None, detail: str = "") -> None:
        """Note a finding."""
        self.findings.append(Finding(fault, series, number, detail))


def check(
    documents: Iterable[Document],
    keys: Sequence[TrustedKey],
    now: datetime,
    silence: timedelta,
    witnesses: Sequence[str] = (),
) -> CheckedCheckpoints:
    """Check all checkpoints. `silence` is the longest time that may pass between two of them, and since the last."""
    checked = CheckedCheckpoints()
    read: list[tuple[Checkpoint, Link]] = []
    for document in documents:
        place = str(document.get("series")), document.get("number")
        try:
            checkpoint = checkpoints.read(document, keys)
        except NotACheckpoint as error:
            number = place[1] if isinstance(place[1], int) else None
            checked.wrong(Fault.CHECKPOINT_INVALID, place[0], number, str(error))
            continue
        read.append((checkpoint, checkpoints.link_of(document)))
    read.sort(key=lambda each: (each[0].series, each[0].number))
    _series(checked, read)
    _others(checked, read)
    checked.gaps = _gaps(sorted(each.time for each, _ in read), now, silence)
    _take(checked, read)
    _witnessed(checked, witnesses)
    return checked


def _series(checked: CheckedCheckpoints, read: Sequence[tuple[Checkpoint, Link]]) -> None:
    before: tuple[Checkpoint, Link] | None = None
    for checkpoint, link in read:
        if before is not None and before[0].series != checkpoint.series:
            before = None
        expected = 0 if before is None else before[0].number + 1
        if checkpoint.number != expected:
            detail = f"{checkpoint.number - expected} before number {checkpoint.number}"
            checked.wrong(Fault.CHECKPOINT_MISSING, checkpoint.series, expected, detail)
        elif checkpoint.previous != (NOTHING_BEFORE if before is None else before[1].hash):
            checked.wrong(Fault.CHECKPOINT_LINK, checkpoint.series, checkpoint.number)
        if before is not None:
            _compared(checked, before[0], checkpoint)
        checked.links[checkpoint.series, checkpoint.number] = link.hash
        before = (checkpoint, link)


def _compared(checked: CheckedCheckpoints, before: Checkpoint, after: Checkpoint) -> None:
    if after.time < before.time - CLOCKS_APART:
        checked.wrong(Fault.CHECKPOINT_BACKDATED, after.series, after.number, "before the one that it follows")
    for name, state in before.chains.items():
        now = after.chains.get(name)
        if now is None or now.size < state.size:
            checked.wrong(
                Fault.CHECKPOINT_LINK, name, after.number, f"{after.series}: the chain is shorter than before"
            )


def _others(checked: CheckedCheckpoints, read: Sequence[tuple[Checkpoint, Link]]) -> None:
    missing: set[tuple[str, int]] = set()
    for checkpoint, _ in read:
        for series, link in checkpoint.others.items():
            found = checked.links.get((series, link.number))
            if found is None:
                missing.add((series, link.number))
            elif found != link.hash:
                checked.wrong(Fault.CHECKPOINT_LINK, series, link.number, f"{checkpoint.series} knows another one")
    for series, number in sorted(missing):
        checked.wrong(Fault.CHECKPOINT_MISSING, series, number, "another month's checkpoint names it")


def _gaps(times: Sequence[datetime], now: datetime, silence: timedelta) -> list[tuple[datetime, datetime]]:
    return [(earlier, later) for earlier, later in pairwise([*times, now]) if later - earlier > silence]


def _take(checked: CheckedCheckpoints, read: Sequence[tuple[Checkpoint, Link]]) -> None:
    checked.count = len(read)
    for checkpoint, _ in read:
        where = f"checkpoint {checkpoint.series}:{checkpoint.number}"
        for name, state in checkpoint.chains.items():
            told = checked.signed.setdefault(name, [])
            # A chain that stands still is in every checkpoint of its month; once is enough.
            if not told or told[-1].state != state:
                told.append(Signed(state, checkpoint.time, where))
    if read:
        newest, link = max(read, key=lambda each: (each[0].time, each[0].series))
        checked.newest = newest.time
        checked.witness = f"{newest.series}:{newest.number}:{link.hash}"


def _witnessed(checked: CheckedCheckpoints, witnesses: Sequence[str]) -> None:
    for witness in witnesses:
        series, _, rest = witness.partition(":")
        number, _, digest = rest.partition(":")
        if not number.isdecimal() or checked.links.get((series, int(number))) != digest:
            checked.wrong(Fault.WITNESS, series, None, witness)
