"""Putting work into the middle of a line: where it belongs by the order of acceptance, not at the end (P4).

What was set aside or withdrawn was accepted before all that has joined its line since, so it goes to the front, behind
those that were accepted before it. Who is being tried at that moment stays where they are: that has begun.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cmp_to_key
from itertools import batched
from typing import Final

from shared import clock
from shared.messages import owning, worklist
from shared.messages.documents import AlreadyThere, Change, ConditionFailed, Container, Create, Document, Patch
from shared.messages.lanes import Lane, line_id
from shared.messages.urgency import Urgency
from shared.messages.worklist import OUTBOUND, Joined

_CHANGES: Final = 10
"""In one patch (Azure Cosmos DB service quotas)."""

type Rank = tuple[int, str]
"""The order in a line: a place in the order of acceptance (0: not known), then when it was received."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """Work, and before which of those seen in the line it goes (their number: behind them all)."""

    at: int
    work: Document


async def join(
    container: Container, keep: Sequence[Create], work: Document, lane: Lane, due: datetime
) -> Joined | None:
    """Keep documents and put their work into its lane's line where it belongs; None when there never was a line."""
    while True:
        line = await container.read(line_id(lane), lane)
        if line is None:
            return None
        leads = plan(line, (work,))[0].at == 0
        try:
            await container.batch((*keep, *patches(line, (work,), due)), lane)
        except AlreadyThere:
            return Joined.AGAIN
        except ConditionFailed:
            continue
        return Joined.FIRST if leads else Joined.BEHIND


def plan(line: Document, works: Sequence[Document]) -> tuple[Insertion, ...]:
    """Where each work (with its `place`) goes, in the order in which they will stand."""
    seen = [(place, work["receivedAt"]) for place, work in zip(worklist.places(line), line["pending"], strict=True)]
    first = 1 if seen and _may_be_tried(line) else 0
    ordered = sorted(works, key=lambda work: in_order(_rank(work)))
    insertions = [Insertion(_at(seen, first, _rank(work)), work) for work in ordered]
    # However the line is out of order itself, they are put in from the front to the back.
    return tuple(sorted(insertions, key=lambda each: each.at))


def _compared(one: Rank, other: Rank) -> int:
    return _before(other, one) - _before(one, other)


in_order = cmp_to_key(_compared)
"""The key by which ranks are sorted in the order of acceptance."""


def _may_be_tried(line: Document) -> bool:
    return line["type"] == OUTBOUND and bool(line["trying"] or line["taken"] or owning.owner(line))


def _at(seen: Sequence[Rank], first: int, rank: Rank) -> int:
    # Behind the last of those before it, not before the first of those after it: where the line is out of order (one
    # was being tried), nobody is put before somebody who was accepted earlier.
    return max((at + 1 for at, each in enumerate(seen) if _before(each, rank)), default=first)


def _before(one: Rank, other: Rank) -> bool:
    # What had no receiver when it was accepted has no place in this receiver's order.
    return one < other if one[0] and other[0] else one[1] < other[1]


def _rank(work: Document) -> Rank:
    return work["place"], work["receivedAt"]


def patches(line: Document, works: Sequence[Document], due: datetime, unblocks: str = "") -> tuple[Patch, ...]:
    """The changes to a line that put these works into it, for one batch; in it, the first carries the conditions.

    `due`: when the line must be looked at, unless whoever stands first has a next step already. `unblocks`: the id of
    the work that blocks the line, if its coming back is what the line waits for.
    """
    insertions = plan(line, works)
    changes = [Change("incr", "/waiting", len(works))]
    prompts = sum(work["urgency"] == Urgency.PROMPT for work in works)
    if prompts:
        changes.append(Change("incr", "/prompts", prompts))
    leads = insertions[0].at == 0
    if leads:
        changes += _new_head(line, insertions[0].work)
    elif prompts and "waitUntil" in line:
        # Whoever stands before an alarm is tried at once, by the alarm's schedule.
        changes += [Change("set", "/waitUntil", None), Change("set", "/waits", 0)]
    if leads or prompts or unblocks:
        changes.append(Change("set", "/due", clock.written(due)))
    if unblocks:
        # Nobody was its owner while it was blocked, whatever it says.
        changes += [Change("set", "/blocked", None), *(() if leads else (Change("set", "/owner", None),))]
    conditions = _unchanged(line, insertions)
    if unblocks:
        conditions.append(f"c.blocked = '{unblocks}'")
    added = [Change("add", f"/pending/{each.at + before}", each.work) for before, each in enumerate(insertions)]
    id = line["id"]
    return (
        Patch(id, tuple(changes), f"FROM c WHERE {' AND '.join(conditions)}" if conditions else None),
        *(Patch(id, tuple(some)) for some in batched(added, _CHANGES, strict=False)),
    )


def _new_head(line: Document, work: Document) -> list[Change]:
    changes = [Change("set", "/since", work["receivedAt"])]
    if "tries" not in line:
        return changes
    if line["pending"]:
        # Whoever was first takes its tries along: they are numbered, and no number comes twice.
        tried = line["pending"][0]["tried"] + line["tries"]
        changes.append(Change("set", "/pending/0/tried", tried))
    return [
        *changes, Change("set", "/tries", 0), Change("set", "/waits", 0), Change("set", "/waitUntil", None),
        Change("set", "/owner", None),
    ]  # fmt: skip


def _unchanged(line: Document, insertions: Sequence[Insertion]) -> list[str]:
    """That those between whom something is put still stand there, and that nobody is tried who would be put back."""
    pending = line["pending"]
    conditions = []
    for at in sorted({each.at for each in insertions}):
        if at > 0:
            conditions.append(worklist.stands(at - 1, pending[at - 1]))
        elif "tries" in line:
            conditions.append(f"c.trying = null AND c.tries = {line['tries']}")
        conditions.append(worklist.stands(at, pending[at]) if at < len(pending) else f"ARRAY_LENGTH(c.pending) = {at}")
    return conditions
