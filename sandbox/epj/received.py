"""What the journal has received: kept durably before anything is answered, once per idempotency key.

SQLite in WAL mode with synchronous=FULL, written by one thread. What waits while a commit runs goes into the next one
together, so that many calls share a disk flush.
"""

import asyncio
import hashlib
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS received (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  idempotency_key TEXT NOT NULL UNIQUE,
  orgnr TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  received_at TEXT NOT NULL,
  traceparent TEXT,
  correlation_id TEXT,
  content_type TEXT,
  path TEXT NOT NULL DEFAULT '',
  calls INTEGER NOT NULL DEFAULT 1,
  body BLOB NOT NULL
)
"""
_FACTS: Final = (
    "seq, idempotency_key, sha256, length(body), resource_type, orgnr, received_at, calls, traceparent,"
    " correlation_id, content_type, path"
)
_GROUP: Final = 256

Outcome = Literal["stored", "repeated", "conflict"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call's message and what came with it."""

    idempotency_key: str
    orgnr: str
    resource_type: str
    body: bytes = field(repr=False)
    received_at: datetime
    """UTC."""
    traceparent: str | None = None
    correlation_id: str | None = None
    content_type: str | None = None
    path: str = ""
    """The receiver's, as it was called."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery: its number in the journal, and the type it was first stored under."""

    outcome: Outcome
    seq: int
    resource_type: str


@dataclass(slots=True)
class _Job:
    delivery: Delivery
    answer: asyncio.Future[Taken]


class Received:
    """The journal's inbox. Reads and writes may be called from one event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write, name="epj-journal", daemon=True)

    async def take(self, delivery: Delivery) -> Taken:
        """Store a delivery, or recognise it by its key; durable when this returns. Raises sqlite3.Error."""
        answer: asyncio.Future[Taken] = self._loop.create_future()
        self._jobs.put(_Job(delivery, answer))
        return await answer

    async def facts(self, since: int = 0) -> list[dict[str, Any]]:
        """The facts of everything received after number `since`, in the order received."""
        return await asyncio.to_thread(self._facts_since, since)

    async def body(self, idempotency_key: str) -> bytes | None:
        """The bytes stored under this key, or None."""
        return await asyncio.to_thread(self._body, "idempotency_key = ?", (idempotency_key,))

    async def body_at(self, seq: int, orgnr: str) -> bytes | None:
        """The bytes stored under this number for this municipality, or None."""
        return await asyncio.to_thread(self._body, "seq = ? AND orgnr = ?", (seq, orgnr))

    def _facts_since(self, since: int) -> list[dict[str, Any]]:
        connection = self._connect()
        try:
            rows = connection.execute(f"SELECT {_FACTS} FROM received WHERE seq > ? ORDER BY seq", (since,)).fetchall()  # noqa: S608 - constants
        finally:
            connection.close()
        return [_named(row) for row in rows]

    def _body(self, where: str, values: tuple[Any, ...]) -> bytes | None:
        connection = self._connect()
        try:
            row = connection.execute(f"SELECT body FROM received WHERE {where}", values).fetchone()  # noqa: S608 - constants
        finally:
            connection.close()
        return None if row is None else bytes(row[0])

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=10)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def open(self) -> None:
        """Make the table where there is none, and start writing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect()
        connection.execute(_SCHEMA)
        if "path" not in [row[1] for row in connection.execute("PRAGMA table_info(received)")]:
            # A journal of an earlier version.
            connection.execute("ALTER TABLE received ADD COLUMN path TEXT NOT NULL DEFAULT ''")
        connection.close()
        self._thread.start()

    def close(self) -> None:
        """Write what waits, then stop."""
        self._jobs.put(None)
        self._thread.join()

    def _write(self) -> None:
        connection = self._connect()
        ending = False
        while not ending:
            jobs: list[_Job] = []
            job = self._jobs.get()
            while job is not None:
                jobs.append(job)
                if len(jobs) >= _GROUP or self._jobs.empty():
                    break
                job = self._jobs.get()
            ending = job is None
            if jobs:
                self._commit(connection, jobs)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, jobs: list[_Job]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [_store(connection, job.delivery) for job in jobs]
            connection.execute("COMMIT")
        except (sqlite3.Error, ValueError) as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._loop.call_soon_threadsafe(_fail, jobs, error)
            return
        self._loop.call_soon_threadsafe(_answer, jobs, results)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Received]:
    """The inbox in this file, closed when done."""
    received = Received(path)
    await asyncio.to_thread(received.open)
    try:
        yield received
    finally:
        await asyncio.to_thread(received.close)


def _store(connection: sqlite3.Connection, delivery: Delivery) -> Taken:
    digest = hashlib.sha256(delivery.body).hexdigest()
    known = connection.execute(
        "SELECT seq, resource_type, sha256, orgnr FROM received WHERE idempotency_key = ?", (delivery.idempotency_key,)
    ).fetchone()
    if known is not None:
        seq, resource_type, stored_digest, orgnr = known
        if (stored_digest, orgnr) != (digest, delivery.orgnr):
            return Taken("conflict", seq, resource_type)
        connection.execute("UPDATE received SET calls = calls + 1 WHERE seq = ?", (seq,))
        return Taken("repeated", seq, resource_type)
    cursor = connection.execute(
        "INSERT INTO received (idempotency_key, orgnr, resource_type, sha256, received_at, traceparent, correlation_id,"
        " content_type, path, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            delivery.idempotency_key,
            delivery.orgnr,
            delivery.resource_type,
            digest,
            timestamp(delivery.received_at),
            delivery.traceparent,
            delivery.correlation_id,
            delivery.content_type,
            delivery.path,
            delivery.body,
        ),
    )
    return Taken("stored", int(cursor.lastrowid or 0), delivery.resource_type)


def timestamp(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _named(row: tuple[Any, ...]) -> dict[str, Any]:
    names = (
        "seq",
        "idempotencyKey",
        "sha256",
        "bytes",
        "resourceType",
        "orgnr",
        "receivedAt",
        "calls",
        "traceparent",
        "correlationId",
        "contentType",
        "path",
    )
    return dict(zip(names, row, strict=True))


def _answer(jobs: list[_Job], results: list[Taken]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if not job.answer.done():
            job.answer.set_result(result)


def _fail(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(error)
