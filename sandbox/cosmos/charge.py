"""Request charges: what Cosmos DB would ask for an operation, by the figures that its makers publish.

Source: Microsoft Learn, "Understand request units consumption in Azure Cosmos DB", edition of 2026-04-21
(https://learn.microsoft.com/azure/cosmos-db/understand-request-unit-consumption): the table by size of the document,
and the examples of create, replace, patch, delete and feeds, from which the constants below are taken. That page calls
its figures illustrative: the service changes them as it becomes cheaper, and only its own answers are the bill.

Assumed here, because nothing is published:
- The size is that of the document's JSON text with its system properties (the service keeps a binary form of it, which
  is smaller); between two rows of the table charges grow in a straight line; below 1 KB everything costs as 1 KB does.
- `id` and `_ts`, which are always indexed, are in the price by size, as in the page's examples.
- A batch costs what its operations cost; what is refused (404, 409, 412) costs a read of 1 KB, a batch that fails
  `REFUSED_BATCH` and a bit for each of its operations.
- A query costs `QUERY_*` for itself and, for each document it returns, what reading it would cost. Here the documents
  that were looked at in vain are nearly free, because in Azure the index tells which they are.
- One region, and consistency by session: strong and bounded staleness would double all reads.

Where the page disagrees with itself (a read of 100 KB: "about 10" in the text, 7.7 by the table), the table counts.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

_KB: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
_READ: Final = (1.00, 1.04, 1.14, 1.33, 1.67, 2.19, 4.76, 9.95, 20.28, 40.95, 145.90, 291.80)
_WRITE: Final = (4.95, 6.29, 6.67, 7.04, 9.52, 11.23, 22.67, 48.19, 98.29, 184.57, 625.00, 1250.00)
"""RU by size of the document in KB: the page's table."""

_TERM: Final = 0.2
"""One entry of the index put in or taken out."""
_PATCHED: Final = 0.4
"""One operation of a patch, beside what the replacement of the document costs."""
_LOOKED_AT: Final = 0.025
QUERY_PARTITION: Final = 2.3
QUERY_CONTAINER: Final = 2.8
REFUSED: Final = 1.0
REFUSED_BATCH: Final = 1.0
REFUSED_OPERATION: Final = 0.1
METADATA: Final = 1.0
"""Anything about databases and containers."""


def read(size: int) -> float:
    """A point read of a document of `size` bytes."""
    return round(_by_size(_READ, size), 2)


def create(size: int, terms: int) -> float:
    """A new document of `size` bytes with so many terms in the index."""
    return round(_by_size(_WRITE, size) + _TERM * terms, 2)


def replace(before: int, after: int, gone: int, come: int) -> float:
    """A document's new version: the sizes (bytes) of both, and how many index terms went and came with it."""
    return round(_by_size(_WRITE, before) + _by_size(_WRITE, after) + _TERM * (gone + come), 2)


def patch(before: int, after: int, gone: int, come: int, operations: int) -> float:
    """As a replacement, and something for each of the patch's operations."""
    return round(replace(before, after, gone, come) + _PATCHED * operations, 2)


def delete(size: int, terms: int) -> float:
    """A delete costs what the create cost."""
    return create(size, terms)


def query(examined: int, returned: int, size: int, *, partition: bool) -> float:
    """A page of a query: documents looked at, those returned and their size (bytes), and whether in one partition."""
    base = QUERY_PARTITION if partition else QUERY_CONTAINER
    return round(base + _LOOKED_AT * max(0, examined - returned) + _many(returned, size), 2)


def changes(returned: int, size: int) -> float:
    """A page of the change feed with so many documents of `size` bytes in all: as reading each of them."""
    return round(max(REFUSED, _many(returned, size)), 2)


def failed_batch(operations: int) -> float:
    """A batch that was refused."""
    return round(REFUSED_BATCH + REFUSED_OPERATION * operations, 2)


def _many(count: int, size: int) -> float:
    return count * _by_size(_READ, size // count) if count else 0.0


def _by_size(table: Sequence[float], size: int) -> float:
    kilobytes = size / 1024
    at = bisect_left(_KB, kilobytes)
    if at == 0:
        return table[0]
    # Beyond the table's end (a document is at most 2 MB, its text may be a bit longer) the last line goes on.
    at = min(at, len(_KB) - 1)
    share = (kilobytes - _KB[at - 1]) / (_KB[at] - _KB[at - 1])
    return table[at - 1] + share * (table[at] - table[at - 1])
