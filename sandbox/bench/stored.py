"""Messages that are done with, in great number: what a hub has after months, written straight into its store.

One message that the hub really carried is copied, with its lines, under other names and two days older, so that its
documents are just what the hub keeps. Only while the Cosmos endpoint does not run.
"""

import asyncio
import base64
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from sandbox.bench.driving import Driver
from sandbox.cosmos.partition import PartitionKey
from sandbox.cosmos.statements import Statements
from sandbox.cosmos.values import read_back
from shared.messages.lanes import line_id
from shared.messages.partitions import KEY

_EACH_LANE: Final = 10
"""Messages of one patient."""
_OLDER: Final = timedelta(days=2)
_LANE, _CONTENT = 20, 26
"""Characters of a lane and of what follows it in an event's id (shared/messages/lanes.py)."""
_KEY: Final = PartitionKey(paths=((KEY,),), hierarchical=False)
_LINE: Final = "lane."
"""How the ids of outbound lines begin (`lanes.line_id`)."""
_CHECKS_S: Final = 65.0
_BUSY_S: Final = 0.3

type _Rows = Iterator[tuple[str, str, str, float | None]]


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written."""

    messages: int
    documents: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class _Kept:
    """A document of the message that is copied."""

    name: str
    expires: float | None
    body: str


@dataclass(frozen=True, slots=True)
class _Template:
    lane: str
    content: str
    day: str
    documents: tuple[_Kept, ...]


def fill(folder: Path, messages: int) -> Filled:
    """Store so many in the account whose data is in `folder`. Raises LookupError when it holds none to copy."""
    path = folder / "cosmos.sqlite3"
    before = path.stat().st_size
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -200000")
        (container,) = db.execute(
            "SELECT number FROM containers WHERE (database, id) = ('knutepunkt', 'messages')"
        ).fetchone()
        template = _template(db, container)
        db.execute("BEGIN")
        first = db.execute("SELECT value FROM counters WHERE name = 'lsn'").fetchone()[0] + 1
        done = _write(db, container, first, _copies(template, messages))
        db.execute("UPDATE counters SET value = ? WHERE name = 'lsn'", (first + done,))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Filled(messages, done, (path.stat().st_size - before) / 1e6)


async def settled(driver: Driver) -> None:
    """Wait until the hub has looked over its stores twice: the sandbox makes the indexes for that as they are missed.

    Azure has them from the beginning.
    """
    await asyncio.sleep(_CHECKS_S)
    busy = True
    while busy:
        before = driver.used()["cosmos"].cpu_s
        await asyncio.sleep(2)
        busy = driver.used()["cosmos"].cpu_s - before > _BUSY_S


def _template(db: sqlite3.Connection, container: int) -> _Template:
    for _, text in db.execute(Statements.of(container).scan, (0, 0)):
        event = read_back(text)
        if not isinstance(event, dict) or event["type"] != "event" or not event["receivers"]:
            continue
        receivers: Any = event["receivers"]
        lane, name = str(event["lane"]), str(event["id"])
        names = [name, f"{name}.payload", *(str(each["delivery"]) for each in receivers)]
        names += [line_id(str(each["lane"])) for each in receivers]
        documents = _kept(db, container, lane, names)
        waits = any('"pending":[]' not in kept.body for kept in documents if kept.name.startswith(_LINE))
        if len(documents) == len(names) and not waits:
            return _Template(lane, name.removeprefix(f"{lane}."), str(event["receivedAt"])[:10], documents)
    raise LookupError("no message that is done with")


def _kept(db: sqlite3.Connection, container: int, partition: str, names: Iterable[str]) -> tuple[_Kept, ...]:
    place, read = _KEY.effective((partition,)), Statements.of(container).read
    found = ((name, db.execute(read, (place, name)).fetchone()) for name in names)
    return tuple(_Kept(name, row[1], row[2]) for name, row in found if row is not None)


def _copies(template: _Template, messages: int) -> _Rows:
    # In the order of their places, so that the index on them grows at its end.
    lanes = -(-messages // _EACH_LANE)
    placed = sorted((_KEY.effective((_name("lane", number, _LANE),)), number) for number in range(lanes))
    older = (date.fromisoformat(template.day) - _OLDER).isoformat()
    dated = [_Kept(kept.name, kept.expires, kept.body.replace(template.day, older)) for kept in template.documents]
    lines = [kept for kept in dated if kept.name.startswith(_LINE)]
    own = [kept for kept in dated if not kept.name.startswith(_LINE)]
    for place, number in placed:
        lane = _name("lane", number, _LANE)
        for kept in lines:
            yield place, kept.name, _renamed(kept.body, template, lane, ""), kept.expires
        for message in range(number * _EACH_LANE, min(messages, (number + 1) * _EACH_LANE)):
            content = _name("content", message, _CONTENT)
            for kept in own:
                name = _renamed(kept.name, template, lane, content)
                yield place, name, _renamed(kept.body, template, lane, content), kept.expires


def _renamed(text: str, template: _Template, lane: str, content: str) -> str:
    renamed = text.replace(template.lane, lane)
    return renamed.replace(template.content, content) if content else renamed


def _name(kind: str, number: int, length: int) -> str:
    digest = hashlib.sha256(f"{kind} {number}".encode()).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:length]


def _write(db: sqlite3.Connection, container: int, first: int, rows: _Rows) -> int:
    # Their place in the change feed is its very beginning, which whoever reads it is long past.
    before = db.total_changes
    db.executemany(
        Statements.of(container).insert,
        ((first + at, place, name, 1, '"0"', 1, expires, body) for at, (place, name, body, expires) in enumerate(rows)),
    )
    return db.total_changes - before
