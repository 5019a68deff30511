"""Searching the log: by message, by patient, by caller, by period; newest first, in pages.

A cursor says in which chain and before which number to go on. It holds nothing else and gives no right: every page is
asked for within the chains that the reader may see.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.clock import written
from shared.messages.documents import Document
from shared.trail.chain import is_chain, month_of
from shared.trail.entry import Kind, opaque
from shared.trail.ports import AppendOnly

PAGE: Final = 50
MOST: Final = 200
_CHAINS_A_PAGE: Final = 24
"""Chains that one call looks through; a search for something rare goes on with the cursor."""
_LONGEST_CURSOR: Final = 120
_END: Final = 10**10


class NotACursor(Exception):
    """The text is no cursor that this hub gave."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a search goes on."""

    chain: str
    before: int

    def text(self) -> str:
        """As callers carry it."""
        return base64.urlsafe_b64encode(json.dumps([self.chain, self.before]).encode()).decode("ascii").rstrip("=")


def cursor_from(text: str) -> Cursor:
    """The cursor behind its text. Raises NotACursor."""
    if not 0 < len(text) <= _LONGEST_CURSOR or not text.isascii():
        raise NotACursor
    try:
        raw = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise NotACursor from None
    match raw:
        case [str(chain), int(before)] if is_chain(chain) and 0 <= before <= _END and not isinstance(raw[1], bool):
            return Cursor(chain, before)
        case _:
            raise NotACursor


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: all of it. Empty: whatever it is."""

    owner: str
    """Whose chains: an orgnr, or `hub`."""
    message: str = ""
    patients: tuple[str, ...] | None = None
    """Pseudonyms of the patient, under every version of the key; None: any patient or none."""
    caller: str = ""
    """A system, or a person's subject."""
    kinds: frozenset[Kind] = frozenset(Kind)
    since: datetime | None = None
    """Recorded then or later."""
    until: datetime | None = None
    """Recorded before that."""
    count: int = PAGE


@dataclass(frozen=True, slots=True)
class Found:
    """A page: entries, newest first, and where to go on; None: that was all."""

    documents: tuple[Document, ...]
    cursor: Cursor | None


async def search(trail: AppendOnly, wanted: Wanted, after: Cursor | None = None) -> Found:
    """One page. Raises Unreachable, and NotACursor for a cursor into somebody else's chains."""
    if after is not None and after.chain.partition(":")[0] != wanted.owner:
        raise NotACursor
    found: list[Document] = []
    chains = await _chains(trail, wanted, after)
    for looked, chain in enumerate(chains):
        before = after.before if after is not None and chain == after.chain else _END
        if looked >= _CHAINS_A_PAGE:
            return Found(tuple(found), Cursor(chain, before))
        room = wanted.count - len(found)
        text, parameters = query(wanted, chain, before, room + 1)
        page = await trail.query(text, parameters, room + 1)
        found += page[:room]
        if len(page) > room:
            return Found(tuple(found), Cursor(chain, page[room]["seq"] + 1))
    return Found(tuple(found), None)


async def _chains(trail: AppendOnly, wanted: Wanted, after: Cursor | None) -> Sequence[str]:
    text = "SELECT DISTINCT c.chain FROM c WHERE STARTSWITH(c.chain, @owner)"
    names = [each["chain"] for each in await trail.query(text, {"@owner": f"{wanted.owner}:"}, 10_000)]
    # What is recorded in a month may have happened in an earlier one, but not in a later one.
    last = f"{wanted.owner}:{month_of(wanted.until)}" if wanted.until is not None else None
    return sorted(
        (name for name in names if (last is None or name <= last) and (after is None or name <= after.chain)),
        reverse=True,
    )


def query(wanted: Wanted, chain: str, before: int, count: int) -> tuple[str, dict[str, Any]]:
    """The query for one chain. Nothing that a caller says is in its text, only in its parameters."""
    conditions = ["c.chain = @chain", "c.seq < @before"]
    parameters: dict[str, Any] = {"@chain": chain, "@before": before}
    if wanted.message:
        conditions.append("c.find.message = @message")
        parameters["@message"] = wanted.message
    if wanted.patients is not None:
        names = [f"@patient{at}" for at in range(len(wanted.patients))]
        conditions.append(f"c.find.patient IN ({', '.join(names)})" if names else "false")
        parameters |= dict(zip(names, wanted.patients, strict=True))
    if wanted.caller:
        conditions.append("(c.find.system = @caller OR c.find.person = @caller)")
        parameters["@caller"] = opaque(wanted.caller)
    if wanted.kinds != frozenset(Kind):
        names = [f"@kind{at}" for at in range(len(wanted.kinds))]
        conditions.append(f"c.kind IN ({', '.join(names)})" if names else "false")
        parameters |= dict(zip(names, sorted(wanted.kinds), strict=True))
    if wanted.since is not None:
        conditions.append("c.recorded >= @since")
        parameters["@since"] = written(wanted.since)
    if wanted.until is not None:
        conditions.append("c.recorded < @until")
        parameters["@until"] = written(wanted.until)
    where = " AND ".join(conditions)
    return f"SELECT TOP {int(count)} * FROM c WHERE {where} ORDER BY c.seq DESC", parameters  # noqa: S608 - see above
