"""Lawful purging: what the policy in force allows is written into the log first, and taken away then.

Runs as a command under an identity of its own: the app's may neither change nor delete an entry. Of an entry whose time
is over, body, salt and what it is found by go, and the header stays, so that the chain still holds. A whole month goes
when the time of all families is over; its last signed checkpoint stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from shared.clock import Clock, written
from shared.messages.documents import Document
from shared.trail.chain import HUB, NotAnEntry, owner_of, read_header, shown
from shared.trail.checkpoints import ChainState
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.ports import AppendOnly
from shared.trail.purges import BODIES, CHAIN, Lawful, Purge
from shared.trail.retention import Policy
from shared.trail.verifying import CHAINS, purges_told
from shared.trail.writing import TrailWriter


class Purger(Protocol):
    """What only the purging identity may do. Each may raise Unreachable."""

    async def replace(self, document: Document) -> None:
        """Put a document in the place of the one with its id."""

    async def delete(self, id: str, chain: str) -> None:
        """Delete a document; nothing happens when there is none."""


@dataclass(frozen=True, slots=True)
class Purged:
    """What was taken away, or would be."""

    chain: str
    what: str
    count: int


async def purge(
    trail: AppendOnly,
    purger: Purger | None,
    writer: TrailWriter,
    policy: Policy,
    signed: dict[str, ChainState],
    clock: Clock,
    approver: str,
) -> list[Purged]:
    """Purge by this policy; without `purger`, only tell what would be. `signed`: each chain's newest signed state.

    Only what has been signed for is taken away. Raises Unreachable; what was done by then is written down.
    """
    now = clock()
    done: list[Purged] = []
    told = await purges_told(trail, sorted({each["chain"] for each in await trail.query(CHAINS, {}, 1_000_000)}))
    for chain, state in sorted(signed.items()):
        whole = Purge(CHAIN, chain, 0, state.size - 1, frozenset(policy.days), policy.id, now, state.tree.root().hex())
        found = await _documents(trail, chain, state.size)
        if found and owner_of(chain) != HUB and Lawful([whole], [policy]).chain(chain, state.size, whole.root):
            begun = any((each.chain, each.what, each.root) == (chain, CHAIN, whole.root) for each in told)
            if len(found) != state.size and not begun:
                # Something is missing that no purge explains: evidence is not taken away.
                continue
            done.append(Purged(chain, CHAIN, len(found)))
            if purger is not None:
                await writer.append([] if begun else [_entry(whole, now, approver)])
                for document in found:
                    await purger.delete(document["id"], chain)
            continue
        due = _due(chain, found, policy, now)
        if due is None:
            continue
        plan, documents = due
        done.append(Purged(chain, BODIES, len(documents)))
        if purger is not None:
            await writer.append([_entry(plan, now, approver)])
            for document in documents:
                await purger.replace(without_body(document))
    return done


def without_body(document: Document) -> Document:
    """What stays of an entry whose time is over."""
    gone = ("body", "salt", "find")
    kept = {name: value for name, value in document.items() if name not in gone and not name.startswith("_")}
    return {**kept, **shown(read_header(document["header"]), None)}


def _due(
    chain: str, found: Sequence[Document], policy: Policy, now: datetime
) -> tuple[Purge, Sequence[Document]] | None:
    plan = Purge(BODIES, chain, 0, len(found), frozenset(each.value for each in policy.days), policy.id, now)
    lawful = Lawful([plan], [policy])
    due = [each for each in found if "body" in each and _may_go(lawful, each)]
    if not due:
        return None
    return replace(plan, first=due[0]["seq"], last=due[-1]["seq"]), due


def _may_go(lawful: Lawful, document: Document) -> bool:
    try:
        return lawful.body(read_header(document["header"]))
    except NotAnEntry:
        return False


def _entry(plan: Purge, now: datetime, approver: str) -> Entry:
    return Entry(
        kind=Kind.RETENTION_PURGE,
        outcome=Outcome.SUCCESS,
        occurred=now,
        source=f"purge/{plan.what}/{plan.chain}/{plan.first}/{plan.last}/{written(now)}",
        system="knutepunkt",
        details={**plan.details(), "approver": approver},
    )


async def _documents(trail: AppendOnly, chain: str, size: int) -> list[Document]:
    text = "SELECT * FROM c WHERE c.chain = @chain AND c.seq < @size"
    pages = trail.pages(text, {"@chain": chain, "@size": size})
    return sorted([each async for page in pages for each in page], key=lambda each: int(each["seq"]))
