"""Request charges. ESTIMATES for operators to look at, not what Azure would bill.

Rules of thumb they rest on (https://learn.microsoft.com/azure/cosmos-db/request-units and the capacity calculator): a
point read of 1 KB costs 1 RU and one of 100 KB about 10; a create of 1 KB with everything indexed about 5.5 RU, a
replace about twice that, a delete about 5.5; a query at least 2.3 to 2.8 RU and more with what it has to look at and to
return. What the service really charges depends on the index policy, consistency and the number of partitions.
"""


def _kilobytes(size: int) -> float:
    return max(1.0, size / 1024)


def read(size: int) -> float:
    """A point read of `size` bytes."""
    return round(1 + 0.09 * (_kilobytes(size) - 1), 2)


def create(size: int) -> float:
    """A new document of `size` bytes."""
    return round(5.5 + 0.5 * (_kilobytes(size) - 1), 2)


def replace(size: int) -> float:
    """A new version of a document, `size` bytes long: the old index entries go, new ones come."""
    return round(10.3 + 0.7 * (_kilobytes(size) - 1), 2)


def delete() -> float:
    """A delete."""
    return 5.5


def query(examined: int, returned: int, partition: bool) -> float:
    """A page of a query that looked at `examined` documents and returns `returned` bytes."""
    return round((2.3 if partition else 2.8) + 0.025 * examined + 0.09 * returned / 1024, 2)


def changes(returned: int) -> float:
    """A page of the change feed."""
    return round(1 + 0.09 * returned / 1024, 2)


METADATA = 1.0
"""Anything about databases and containers."""
