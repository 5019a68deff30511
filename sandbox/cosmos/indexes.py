"""Indexes that make themselves: Cosmos DB indexes every path, SQLite only what it is told to.

When the same paths have been searched over a whole container of some size twice, an index on them is made; it is kept
in the file. A container gets at most sixteen. The order of changes is an index of its own, made when a container's
change feed is first read: every write pays for it, and most containers have no such reader.
"""

import sqlite3
from collections import Counter
from typing import Final

from sandbox.cosmos.catalogue import Container
from sandbox.cosmos.pushdown import Condition, Path, column
from sandbox.cosmos.storage import Storage

MOST: Final = 16
WORTHWHILE: Final = 500
"""Documents in a container below which a scan is quick enough."""

type Signature = tuple[Path, ...]


class Indexes:
    """What indexes there are, and which searches ask for one."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._asked: Counter[tuple[int, Signature]] = Counter()
        self._made: set[str] = {
            name
            for (name,) in storage.reader.execute(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'path!_%' ESCAPE '!'"
            )
        }
        self._ordered: set[int] = set()

    async def order_changes(self, container: Container) -> None:
        """The container's change feed is about to be read."""
        if container.number not in self._ordered:
            await self._storage.write(lambda db: db.execute(container.sql.make_order))
            self._ordered.add(container.number)

    def fitting(self, container: Container, found: list[Condition]) -> tuple[str, list[Condition]] | None:
        """The index to use, by its quoted name, and the conditions that it decides."""
        chosen = chosen_for(found)
        name = _name(container, _signature(chosen))
        return (f'"{name}"', chosen) if chosen and name in self._made else None

    async def asked(self, container: Container, found: list[Condition]) -> None:
        """A search over the whole container had these conditions and no index; make one when it is worth it."""
        signature = _signature(chosen_for(found))
        if not signature:
            return
        self._asked[container.number, signature] += 1
        name = _name(container, signature)
        prefix = _name(container, ())
        if (
            self._asked[container.number, signature] < 2
            or name in self._made
            or sum(made.startswith(prefix) for made in self._made) >= MOST
            or not self._is_large(container)
        ):
            return
        columns = ", ".join(map(column, signature))
        statement = container.sql.make_index.replace("{index}", f'"{name}"').replace("{columns}", columns)
        await self._storage.write(lambda db: db.execute(statement))
        self._made.add(name)

    def forget(self, container: Container) -> None:
        """The container is gone, and its indexes with it."""
        self._ordered.discard(container.number)
        self._made = {name for name in self._made if not name.startswith(_name(container, ()))}

    def _is_large(self, container: Container) -> bool:
        row: sqlite3.Row = self._storage.reader.execute(container.sql.many, (WORTHWHILE,)).fetchone()
        return bool(row[0] >= WORTHWHILE)


def chosen_for(found: list[Condition]) -> list[Condition]:
    """The conditions an index would decide: all equalities, then one range."""
    equal = {condition.path: condition for condition in reversed(found) if condition.equality}
    ordered = [equal[path] for path in sorted(equal)]
    ranges = [condition for condition in found if not condition.equality and condition.path not in equal]
    of_first = [condition for condition in ranges if condition.path == ranges[0].path] if ranges else []
    return [*ordered, *of_first]


def _signature(chosen: list[Condition]) -> Signature:
    return tuple(dict.fromkeys(condition.path for condition in chosen))


def _name(container: Container, signature: Signature) -> str:
    return f"path_{container.number}_{'+'.join('.'.join(path) for path in signature)}"
