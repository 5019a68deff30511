"""Is everything in the log that ought to be? The sequencer is not asked: the stores are, and then the log.

Finds what the change feed never gave, what a lost position left out and what was never sequenced. Beyond the longest
delay that is allowed a station without an entry is an alarm; it is then written all the same, late and to be seen.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import written
from shared.messages.documents import Document
from shared.trail.chain import chain_of, source_digest
from shared.trail.entries import Reading
from shared.trail.entry import Entry
from shared.trail.ports import AppendOnly
from shared.trail.writing import TrailWriter

LONGEST_DELAY: Final = timedelta(minutes=2)
"""How long after it happened a station must be in the log, unless the settings say otherwise."""
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Store:
    """A container of documents that tell of something, with the `type` of those that do."""

    name: str
    type: str
    container: AppendOnly
    reading: Reading


@dataclass(frozen=True, slots=True)
class Missing:
    """How many stations of a store had no entry in time, of how many that were looked at, and the oldest of them."""

    store: str
    count: int
    of: int
    oldest: datetime | None


async def reconcile(
    store: Store,
    log: AppendOnly,
    writer: TrailWriter,
    since: datetime,
    now: datetime,
    delay: timedelta = LONGEST_DELAY,
) -> Missing:
    """Look at documents changed since then for stations older than `delay` that have no entry, and write them.

    Raises Unreachable.
    """
    # Nearly all of them were recorded lately: those are read at once, and only what is not among them is asked for.
    lately = await _recorded(log, since)
    looked = 0
    open_questions: list[Entry] = []
    query = "SELECT * FROM c WHERE c.type = @type AND c._ts >= @since"
    async for page in store.container.pages(query, {"@type": store.type, "@since": int(since.timestamp())}):
        told = [entry for document in page for entry in due(store, document, now - delay)]
        looked += len(told)
        open_questions += [entry for entry in told if source_digest(entry.source) not in lately]
    late: list[Entry] = []
    for at in range(0, len(open_questions), _AT_ONCE):
        late += await _absent(writer, open_questions[at : at + _AT_ONCE])
    await writer.append(late)
    return Missing(store.name, len(late), looked, min((entry.occurred for entry in late), default=None))


async def _recorded(log: AppendOnly, since: datetime) -> frozenset[str]:
    pages = log.pages("SELECT c.source FROM c WHERE c.recorded >= @since", {"@since": written(since)})
    return frozenset([each["source"] async for page in pages for each in page])


def due(store: Store, document: Document, before: datetime) -> list[Entry]:
    """What a document tells of that happened by then; nothing of one that cannot be understood."""
    try:
        return [entry for entry in store.reading(document) if entry.occurred <= before]
    except (KeyError, TypeError, ValueError):
        return []


async def _absent(writer: TrailWriter, entries: list[Entry]) -> list[Entry]:
    chains: dict[str, list[Entry]] = {}
    for entry in entries:
        chains.setdefault(chain_of(entry.orgnr, entry.occurred), []).append(entry)
    absent: list[Entry] = []
    for chain, each in chains.items():
        known = await writer.known(chain, [source_digest(entry.source) for entry in each])
        absent += [entry for entry in each if source_digest(entry.source) not in known]
    return absent
