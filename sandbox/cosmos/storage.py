"""The SQLite file: its tables, its connections, and the group commit.

Everything runs on the event loop's thread; only large reads use a thread and a connection of their own. A write is
carried out at once in the open transaction and answered when that transaction is on disk: all writes (and refusals,
which may rest on what others wrote a moment before) that arrive in the same turn of the loop share one commit, and so
one fsync. While the disk is slow, more requests wait in the sockets and the next commit takes more of them.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sandbox.cosmos.errors import CosmosError

_log = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS databases (id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, ts INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS containers (
    number INTEGER PRIMARY KEY AUTOINCREMENT, database TEXT NOT NULL, id TEXT NOT NULL,
    definition TEXT NOT NULL, UNIQUE (database, id));
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO counters VALUES ('lsn', 0);
"""

# One set of tables for each container, with no more indexes than must be: each is a page more in every commit. `seq` is
# the document's place in the order of creation and stays for its life, `lsn` the place of its latest change; both come
# from one counter that never goes back, also when documents are gone.
_CONTAINER_SCHEMA: Final = """
CREATE TABLE docs_{n} (
    seq INTEGER PRIMARY KEY, epk TEXT NOT NULL, id TEXT NOT NULL, lsn INTEGER NOT NULL, etag TEXT NOT NULL,
    ts INTEGER NOT NULL, expires INTEGER, body TEXT NOT NULL);
CREATE UNIQUE INDEX docs_{n}_key ON docs_{n} (epk, id);
CREATE INDEX docs_{n}_expires ON docs_{n} (expires) WHERE expires IS NOT NULL;
CREATE TABLE unique_{n} (
    epk TEXT NOT NULL, rule INTEGER NOT NULL, value TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (epk, rule, value)) WITHOUT ROWID;
CREATE INDEX unique_{n}_seq ON unique_{n} (seq);
"""

_RESERVED: Final = 1000
"""Numbers the counter is ahead on disk, so that not every commit has to write it; a start goes on after them."""

_CHECKPOINT_PAGES: Final = 2000
"""Size of the write-ahead log (in pages of 4 KB) from which it is copied into the database, beside the work."""


class Storage:
    """The open file. `write` is the only way to change it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "cosmos.sqlite3"
        self._writer = self._connect()
        self._writer.executescript(_SCHEMA)
        self.reader = self._connect()
        self._idle: list[sqlite3.Connection] = []
        self.lsn = int(self.reader.execute("SELECT value FROM counters WHERE name = 'lsn'").fetchone()[0])
        """The last change that is on disk."""
        self._next = self._reserved = self.lsn
        self._open = False
        self._waiting: list[asyncio.Future[None]] = []
        self._checkpoint: asyncio.Task[None] | None = None
        self._rest_to_copy = False
        self._commits = 0
        self._closed = False

    def close(self) -> None:
        """Close all connections; what was acknowledged is on disk already."""
        self._closed = True
        for connection in (self._writer, self.reader, *self._idle):
            connection.close()

    async def settle(self) -> None:
        """Wait for what runs beside the work; to be called before `close`."""
        if self._checkpoint is not None:
            await self._checkpoint

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=10
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA cache_size = -8000")
        return connection

    @contextmanager
    def borrowed(self) -> Iterator[sqlite3.Connection]:
        """A connection for one long read, in another thread."""
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            yield connection
        finally:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)

    def take_lsn(self) -> int:
        """The next number in the order of changes. Only within `write`."""
        self._next += 1
        return self._next

    async def write[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out `work` in the open transaction and wait until it is on disk.

        `work` must check before it changes anything, or use `savepoint`: what it did stays even when it raises. Raises
        what `work` raises, and CosmosError (503) when the disk refuses.
        """
        loop = asyncio.get_running_loop()
        if not self._open:
            self._writer.execute("BEGIN IMMEDIATE")
            self._open = True
            loop.call_soon(self._finish)
        try:
            result = work(self._writer)
        except CosmosError:
            await self._on_disk(loop)
            raise
        except sqlite3.Error as error:
            _log.error("the disk refused a write: %s", error)
            raise _not_stored() from None
        await self._on_disk(loop)
        return result

    def _on_disk(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        # One for each caller: one that goes away must not cancel the commit of the others.
        commit: asyncio.Future[None] = loop.create_future()
        self._waiting.append(commit)
        return commit

    def _finish(self) -> None:
        self._open = False
        waiting, self._waiting = self._waiting, []
        try:
            reserved = self._reserved
            if self._next > reserved:
                reserved = self._next + _RESERVED
                self._writer.execute("UPDATE counters SET value = ? WHERE name = 'lsn'", (reserved,))
            self._writer.execute("COMMIT")
            self._reserved = reserved
        except sqlite3.Error as error:
            _log.error("the disk refused a commit: %s", error)
            self._next = self.lsn
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            for one in waiting:
                if not one.done():
                    one.set_exception(_not_stored())
            return
        self.lsn = self._next
        for one in waiting:
            if not one.done():
                one.set_result(None)
        self._commits += 1
        if self._rest_to_copy:
            self._copy_rest()
        elif self._commits % 64 == 0 and self._checkpoint is None and self._log_pages() > _CHECKPOINT_PAGES:
            self._checkpoint = asyncio.get_running_loop().create_task(self._copy_log())

    def _log_pages(self) -> int:
        try:
            return Path(f"{self._path}-wal").stat().st_size // 4096
        except FileNotFoundError:
            return 0

    async def _copy_log(self) -> None:
        # Most of the log is copied beside the work; what came in meanwhile is little, and when that is copied too the
        # next write begins the log anew.
        try:
            with self.borrowed() as connection:
                await asyncio.to_thread(connection.execute, "PRAGMA wal_checkpoint(PASSIVE)")
            self._rest_to_copy = True
            if not self._open:
                self._copy_rest()
        finally:
            self._checkpoint = None

    def _copy_rest(self) -> None:
        self._rest_to_copy = False
        self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _not_stored() -> CosmosError:
    return CosmosError(503, "ServiceUnavailable", "The write could not be stored.")


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing of what is done inside, within the open transaction."""
    connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO part")
        connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part")


def create_tables(connection: sqlite3.Connection, number: int) -> None:
    """The tables of a new container."""
    for statement in _CONTAINER_SCHEMA.format(n=number).split(";\n"):
        if statement.strip():
            connection.execute(statement)


def drop_tables(connection: sqlite3.Connection, number: int) -> None:
    """Remove a container's documents."""
    for table in ("docs", "unique"):
        connection.execute(f"DROP TABLE {table}_{number:d}")
