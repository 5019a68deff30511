"""The group commit: nothing is answered before it is on disk, and what comes together shares one fsync."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.cosmos.errors import CosmosError, conflict
from sandbox.cosmos.storage import Storage

Work = Callable[[sqlite3.Connection], object]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = Storage(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def outside(tmp_path: Path, storage: Storage) -> Iterator[sqlite3.Connection]:
    """Sees what is committed and nothing else."""
    connection = sqlite3.connect(tmp_path / "cosmos.sqlite3", isolation_level=None)
    yield connection
    connection.close()


def stored(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT id FROM databases ORDER BY number").fetchall()]


def insert(storage: Storage, name: str) -> Work:
    return lambda db: db.execute("INSERT INTO databases VALUES (?, ?, 0)", (name, storage.take_lsn()))


async def test_write_returns_only_when_others_can_see_it(storage: Storage, outside: sqlite3.Connection) -> None:
    for at in range(5):
        await storage.write(insert(storage, str(at)))
        assert len(stored(outside)) == at + 1


async def test_refusal_that_rests_on_an_open_write_waits_for_it_too(
    storage: Storage, outside: sqlite3.Connection
) -> None:
    def refuse(db: sqlite3.Connection) -> None:
        if stored(db):
            raise conflict()

    async def refused() -> list[str]:
        with pytest.raises(CosmosError):
            await storage.write(refuse)
        return stored(outside)

    _, seen = await asyncio.gather(storage.write(insert(storage, "first")), refused())
    assert seen == ["first"]


async def test_writes_that_come_together_share_a_commit(storage: Storage, outside: sqlite3.Connection) -> None:
    done: list[str] = []
    storage._writer.set_trace_callback(done.append)
    await asyncio.gather(*(storage.write(insert(storage, str(at))) for at in range(20)))
    assert done.count("COMMIT") == 1
    assert len(stored(outside)) == 20


async def test_disk_that_refuses_a_commit_fails_every_write_in_it_and_no_later_one(
    storage: Storage, outside: sqlite3.Connection
) -> None:
    await storage.write(insert(storage, "before"))
    lsn = storage.lsn
    writes = [storage.write(insert(storage, str(at))) for at in range(3)]
    # A transaction that is gone by the time of its commit is what SQLite leaves of a full disk.
    writes.append(storage.write(lambda db: db.execute("ROLLBACK")))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [result.status for result in results if isinstance(result, CosmosError)] == [503] * 4
    assert (stored(outside), storage.lsn) == (["before"], lsn)
    await storage.write(insert(storage, "after"))
    assert stored(outside) == ["before", "after"]


async def test_disk_that_is_full_is_503(storage: Storage) -> None:
    pages = storage.reader.execute("PRAGMA page_count").fetchone()[0]
    storage._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(CosmosError) as caught:
        await storage.write(insert(storage, "x" * 100_000))
    assert caught.value.status == 503


async def test_log_is_copied_into_the_database_beside_the_work(storage: Storage, tmp_path: Path) -> None:
    log = tmp_path / "cosmos.sqlite3-wal"
    for at in range(400):
        await storage.write(insert(storage, f"{at}-{'x' * 100_000}"))
    await storage.settle()
    assert log.stat().st_size < 400 * 100_000


async def test_counter_goes_on_after_a_start(storage: Storage, tmp_path: Path) -> None:
    await storage.write(insert(storage, "a"))
    again = Storage(tmp_path)
    try:
        assert again.lsn >= storage.lsn
        await again.write(lambda db: again.take_lsn())
        assert again.lsn > storage.lsn
    finally:
        again.close()
