"""The broker's memory on disk: one SQLite file, written in groups.

Changes are only noted while the broker works; `commit` writes the state that everything changed has come to, in one
transaction with one synchronisation to disk. Nothing may be told to a client before the commit that holds it. A group
that only says which messages are handed out is not synchronised: it survives the process, which is when it matters, and
after a loss of power a delivery is not counted.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sandbox.servicebus import message as messages
from sandbox.servicebus.message import Message

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
  key INTEGER PRIMARY KEY, queue TEXT NOT NULL, sequence INTEGER NOT NULL, state INTEGER NOT NULL,
  delivery_count INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, ttl INTEGER, expires_at INTEGER, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS in_flight (key INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS sequence (queue TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session_state (
  queue TEXT, id TEXT, state BLOB NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (queue, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
  queue TEXT, message_id TEXT, at INTEGER NOT NULL, PRIMARY KEY (queue, message_id)) WITHOUT ROWID;
"""
_INSERT = "INSERT OR REPLACE INTO message VALUES (?,?,?,?,?,?,?,?,?)"
_UPDATE = "UPDATE message SET queue=?, state=?, delivery_count=?, expires_at=? WHERE key=?"


class Kept(NamedTuple):
    """A message as the disk had it. `in_flight`: it was locked when the process died."""

    queue: str
    message: Message
    in_flight: bool


class Storage:
    """A journal (see context.Journal) that commits to a file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "servicebus.db", isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=2000;" + _SCHEMA)
        self._synchronised = False
        self._last_key = int(self._db.execute("SELECT coalesce(max(key), 0) FROM message").fetchone()[0])
        self._changed: dict[int, tuple[str, Message]] = {}
        self._gone: dict[int, Message] = {}
        self._sessions: dict[tuple[str, str], tuple[bytes | None, int]] = {}
        self._sequences: dict[str, int] = {}
        self._seen: dict[tuple[str, str], int | None] = {}
        self.commits = 0

    # Noting

    def next_key(self) -> int:
        self._last_key += 1
        return self._last_key

    def changed(self, queue: str, message: Message) -> None:
        self._changed[message.key] = (queue, message)

    def gone(self, message: Message) -> None:
        self._changed.pop(message.key, None)
        if message.stored is not None:
            self._gone[message.key] = message

    def session_state(self, queue: str, session_id: str, state: bytes | None, updated: int) -> None:
        self._sessions[queue, session_id] = (state, updated)

    def last_sequence(self, queue: str, sequence: int) -> None:
        self._sequences[queue] = sequence

    def seen(self, queue: str, message_id: str, at: int) -> None:
        self._seen[queue, message_id] = at

    def forget_seen(self, queue: str, message_id: str) -> None:
        self._seen[queue, message_id] = None

    # Writing

    def commit(self) -> None:
        """Make everything noted durable. Raises sqlite3.Error; then nothing of it may be told to anyone."""
        if not (self._changed or self._gone or self._sessions or self._sequences or self._seen):
            return
        inserts: list[tuple[object, ...]] = []
        updates: list[tuple[object, ...]] = []
        taken: list[tuple[int]] = []
        given: list[tuple[int]] = [(key,) for key, message in self._gone.items() if message.locked_on_disk]
        for key, (queue, message) in self._changed.items():
            stored = (queue, message.state, message.delivery_count, message.expires_at)
            if message.stored is None or message.content_changed:
                inserts.append((
                    key, queue, message.sequence, message.state, message.delivery_count, message.enqueued_at,
                    message.ttl, message.expires_at, message.sent.raw,
                ))  # fmt: skip
            elif message.stored != stored:
                updates.append((*stored, key))
            message.stored, message.content_changed = stored, False
            locked = message.token is not None
            if locked != message.locked_on_disk:
                (taken if locked else given).append((key,))
                message.locked_on_disk = locked
        self._synchronise(bool(inserts or updates or self._gone or self._sessions or self._sequences or self._seen))
        db = self._db
        db.execute("BEGIN")
        if inserts:
            db.executemany(_INSERT, inserts)
        if updates:
            db.executemany(_UPDATE, updates)
        if self._gone:
            db.executemany("DELETE FROM message WHERE key=?", [(key,) for key in self._gone])
        if taken:
            db.executemany("INSERT OR IGNORE INTO in_flight VALUES (?)", taken)
        if given:
            db.executemany("DELETE FROM in_flight WHERE key=?", given)
        self._write_rest()
        db.execute("COMMIT")
        self.commits += 1
        for noted in (self._changed, self._gone, self._sessions, self._sequences, self._seen):
            noted.clear()

    def _write_rest(self) -> None:
        db = self._db
        for queue, last in self._sequences.items():
            db.execute("INSERT OR REPLACE INTO sequence VALUES (?,?)", (queue, last))
        for (queue, session_id), (state, updated) in self._sessions.items():
            if state is None:
                db.execute("DELETE FROM session_state WHERE queue=? AND id=?", (queue, session_id))
            else:
                db.execute("INSERT OR REPLACE INTO session_state VALUES (?,?,?,?)", (queue, session_id, state, updated))
        for (queue, message_id), at in self._seen.items():
            if at is None:
                db.execute("DELETE FROM seen WHERE queue=? AND message_id=?", (queue, message_id))
            else:
                db.execute("INSERT OR REPLACE INTO seen VALUES (?,?,?)", (queue, message_id, at))

    def _synchronise(self, wanted: bool) -> None:
        if wanted != self._synchronised:
            self._db.execute(f"PRAGMA synchronous={'FULL' if wanted else 'NORMAL'}")
            self._synchronised = wanted

    # Reading back

    def kept(self) -> Iterator[Kept]:
        """Every message on disk, in the order they came."""
        rows = self._db.execute(
            "SELECT m.key, queue, sequence, state, delivery_count, enqueued_at, ttl, expires_at, raw, f.key"
            " FROM message m LEFT JOIN in_flight f ON f.key = m.key ORDER BY m.key"
        )
        for key, queue, sequence, state, count, enqueued_at, ttl, expires_at, raw, in_flight in rows:
            yield Kept(
                queue,
                Message(
                    key, sequence, messages.read(raw), state, enqueued_at, expires_at, ttl, count,
                    stored=(queue, state, count, expires_at), locked_on_disk=in_flight is not None,
                ),
                in_flight is not None,
            )  # fmt: skip

    def sequences(self) -> dict[str, int]:
        """The last sequence number given in each queue."""
        return dict(self._db.execute("SELECT queue, last FROM sequence"))

    def session_states(self) -> list[tuple[str, str, bytes, int]]:
        """Queue, session, state and when it was set (milliseconds since 1970)."""
        return self._db.execute("SELECT queue, id, state, updated FROM session_state").fetchall()

    def seen_ids(self) -> list[tuple[str, str, int]]:
        """Queue, message id and when it came (milliseconds since 1970), oldest first."""
        return self._db.execute("SELECT queue, message_id, at FROM seen ORDER BY at").fetchall()

    def close(self) -> None:
        """Let go of the file. What is not committed is lost."""
        self._db.close()
