"""Single documents: read, create, replace, upsert, patch, delete. All rules of identity, etag and time to live."""

import base64
import secrets
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from sandbox.cosmos import charge, patching
from sandbox.cosmos.catalogue import Container, valid_ttl
from sandbox.cosmos.errors import (
    SUBSTATUS_PARTITION_KEY_MISMATCH,
    bad_request,
    conflict,
    not_found,
    precondition_failed,
    too_large,
    unique_key_conflict,
)
from sandbox.cosmos.sql.conditions import holds
from sandbox.cosmos.storage import Storage, savepoint
from sandbox.cosmos.terms import Terms
from sandbox.cosmos.values import Json, canonical, dump, member, read_back

MAX_BYTES: Final = 2 * 1024 * 1024
_FORBIDDEN: Final = frozenset("/\\?#")


class Outcome(NamedTuple):
    """What a request did: the status, the document's text (None: there is none to show), its etag, the charge."""

    status: int
    body: str | None
    etag: str | None
    charge: float


class Conditions(NamedTuple):
    """The headers If-Match and If-None-Match, as sent (etags keep their quotes)."""

    match: str | None = None
    none_match: str | None = None

    def check(self, etag: str | None) -> None:
        """Raises CosmosError (412). A document that is not there meets If-Match: an upsert then creates it."""
        if etag is None:
            return
        if self.match is not None and self.match not in ("*", etag):
            raise precondition_failed()
        if self.none_match is not None and self.none_match in ("*", etag):
            raise precondition_failed()


NO_CONDITIONS: Final = Conditions()


class _Known(NamedTuple):
    seq: int
    etag: str
    expires: float | None
    body: str


class Documents:
    """Reads from what is on disk; the writing methods work inside `Storage.write` on its connection."""

    def __init__(self, storage: Storage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock
        self._nonce = secrets.token_hex(2)

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock().timestamp()

    def read(
        self, db: sqlite3.Connection, container: Container, epk: str, name: str, none_match: str | None = None
    ) -> Outcome:
        """A point read. Raises CosmosError (404)."""
        row = db.execute(container.sql.read, (epk, _id(name))).fetchone()
        if row is None or (row[1] is not None and row[1] <= self.now()):
            raise not_found()
        if none_match is not None and none_match in ("*", row[0]):
            return Outcome(304, None, row[0], charge.REFUSED)
        return Outcome(200, row[2], row[0], charge.read(_size(row[2])))

    def create(self, db: sqlite3.Connection, container: Container, epk: str | None, document: Json) -> Outcome:
        """Raises CosmosError (400, 409, 413)."""
        checked, place, name = self._checked(container, epk, document)
        if self._known(db, container, place, name) is not None:
            raise conflict()
        return self._insert(db, container, place, checked)

    def upsert(
        self, db: sqlite3.Connection, container: Container, epk: str | None, document: Json, conditions: Conditions
    ) -> Outcome:
        """Create, or replace what is there. Raises CosmosError (400, 409, 412, 413)."""
        checked, place, name = self._checked(container, epk, document)
        known = self._known(db, container, place, name)
        if known is None:
            return self._insert(db, container, place, checked)
        conditions.check(known.etag)
        return self._update(db, container, place, checked, known, _terms(container, known))

    def replace(
        self,
        db: sqlite3.Connection,
        container: Container,
        epk: str | None,
        name: str,
        document: Json,
        conditions: Conditions,
    ) -> Outcome:
        """Raises CosmosError (400, 404, 409, 412, 413)."""
        checked, place, new_name = self._checked(container, epk, document)
        if new_name != name:
            raise bad_request("The id of a document cannot be changed by replacing it.")
        known = self._known(db, container, place, name)
        if known is None:
            raise not_found()
        conditions.check(known.etag)
        return self._update(db, container, place, checked, known, _terms(container, known))

    def patch(
        self,
        db: sqlite3.Connection,
        container: Container,
        epk: str,
        name: str,
        body: Json,
        conditions: Conditions,
    ) -> Outcome:
        """Raises CosmosError (400, 404, 409, 412, 413)."""
        known = self._known(db, container, epk, name)
        if known is None:
            raise not_found()
        conditions.check(known.etag)
        document = read_back(known.body)
        if not isinstance(document, dict) or not isinstance(body, dict | list):
            raise bad_request("The body of a patch must be an object with its operations.")
        condition = body.get("condition") if isinstance(body, dict) else None
        if condition is not None and not (isinstance(condition, str) and holds(condition, document)):
            raise precondition_failed()
        before = container.indexing.terms(document)
        operations = body.get("operations") if isinstance(body, dict) else body
        patching.apply(container, document, operations)
        _check_ttl(document)
        count = len(operations) if isinstance(operations, list) else 0
        return self._update(db, container, epk, document, known, before, count)

    def delete(
        self, db: sqlite3.Connection, container: Container, epk: str, name: str, conditions: Conditions
    ) -> Outcome:
        """Raises CosmosError (404, 412)."""
        known = self._known(db, container, epk, name)
        if known is None:
            raise not_found()
        conditions.check(known.etag)
        self._remove(db, container, known.seq)
        return Outcome(204, None, None, charge.delete(_size(known.body), len(_terms(container, known))))

    def expired(self, db: sqlite3.Connection, container: Container) -> bool:
        """Whether there is anything to purge."""
        return db.execute(container.sql.expired, (self.now(), 1)).fetchone() is not None

    def purge(self, db: sqlite3.Connection, container: Container, most: int) -> int:
        """Remove documents whose time is over, `most` at a time; nobody sees them any more. Returns how many went."""
        rows = db.execute(container.sql.expired, (self.now(), most)).fetchall()
        for (seq,) in rows:
            self._remove(db, container, seq)
        return len(rows)

    def _checked(self, container: Container, epk: str | None, document: Json) -> tuple[dict[str, Json], str, str]:
        if not isinstance(document, dict):
            raise bad_request("The input content is invalid: a document must be a JSON object.")
        name = _id(document.get("id"))
        _check_ttl(document)
        place = container.key.effective(container.key.read(document))
        if epk is not None and epk != place:
            raise bad_request(
                "PartitionKey extracted from document doesn't match the one specified in the header",
                SUBSTATUS_PARTITION_KEY_MISMATCH,
            )
        return document, place, name

    def _known(self, db: sqlite3.Connection, container: Container, epk: str, name: str) -> _Known | None:
        row = db.execute(container.sql.whole, (epk, _id(name))).fetchone()
        if row is None:
            return None
        known = _Known(*row)
        if known.expires is not None and known.expires <= self.now():
            self._remove(db, container, known.seq)
            return None
        return known

    def _remove(self, db: sqlite3.Connection, container: Container, seq: int) -> None:
        db.execute(container.sql.remove, (seq,))
        if container.unique_keys:
            db.execute(container.sql.release, (seq,))
        # A delete is a change too: without it the counter could stand still between two different states.
        self._storage.take_lsn()

    def _insert(self, db: sqlite3.Connection, container: Container, epk: str, document: dict[str, Json]) -> Outcome:
        lsn = self._storage.take_lsn()
        text, etag, ts, expires, size = self._sealed(container, document, lsn, lsn)
        row = (lsn, epk, document["id"], lsn, etag, ts, expires, text)
        outcome = Outcome(201, text, etag, charge.create(size, len(container.indexing.terms(document))))
        if not container.unique_keys:
            db.execute(container.sql.insert, row)
            return outcome
        with savepoint(db):
            self._keep_unique(db, container, epk, lsn, document)
            db.execute(container.sql.insert, row)
        return outcome

    def _update(
        self,
        db: sqlite3.Connection,
        container: Container,
        epk: str,
        document: dict[str, Json],
        known: _Known,
        before: Terms,
        patched: int = 0,
    ) -> Outcome:
        lsn = self._storage.take_lsn()
        text, etag, ts, expires, size = self._sealed(container, document, known.seq, lsn)
        row = (lsn, etag, ts, expires, text, known.seq)
        after = container.indexing.terms(document)
        gone, come = len(before - after), len(after - before)
        outcome = Outcome(200, text, etag, charge.patch(_size(known.body), size, gone, come, patched))
        if not container.unique_keys:
            db.execute(container.sql.update, row)
            return outcome
        with savepoint(db):
            self._keep_unique(db, container, epk, known.seq, document)
            db.execute(container.sql.update, row)
        return outcome

    def _sealed(
        self, container: Container, document: dict[str, Json], seq: int, lsn: int
    ) -> tuple[str, str, int, int | None, int]:
        """Add the system properties: the text to keep, its etag, time of change, time of expiry, size in bytes."""
        ts = int(self.now())
        etag = f'"{lsn:08x}-0000-{self._nonce}-0000-{ts:08x}0000"'
        rid = base64.b64encode(container.number.to_bytes(8, "big") + seq.to_bytes(8, "big"), altchars=b"+-").decode()
        document["_rid"] = rid
        document["_self"] = f"{container.self_link}docs/{rid}/"
        document["_etag"] = etag
        document["_attachments"] = "attachments/"
        document["_ts"] = ts
        text = dump(document)
        size = _size(text)
        if size > MAX_BYTES:
            raise too_large()
        return text, etag, ts, _expiry(container, document, ts), size

    def _keep_unique(
        self, db: sqlite3.Connection, container: Container, epk: str, seq: int, document: dict[str, Json]
    ) -> None:
        db.execute(container.sql.release, (seq,))
        for rule, paths in enumerate(container.unique_keys):
            value = "\n".join(canonical(member(document, path)) for path in paths)
            self._release_expired(db, container, epk, rule, value)
            try:
                db.execute(container.sql.claim, (epk, rule, value, seq))
            except sqlite3.IntegrityError:
                raise unique_key_conflict() from None

    def _release_expired(self, db: sqlite3.Connection, container: Container, epk: str, rule: int, value: str) -> None:
        row = db.execute(container.sql.lapsed, (epk, rule, value, self.now())).fetchone()
        if row is not None:
            self._remove(db, container, row[0])


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _terms(container: Container, known: _Known) -> Terms:
    if not container.indexing.any:
        return container.indexing.terms({})
    document = read_back(known.body)
    return container.indexing.terms(document) if isinstance(document, dict) else frozenset()


def _id(name: Json) -> str:
    if not isinstance(name, str) or not name or len(name) > 1023 or not _FORBIDDEN.isdisjoint(name):
        raise bad_request(
            "The input content is invalid because the required properties - 'id; ' - are missing or not valid."
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise bad_request("The id is not text that can be written as UTF-8.") from None
    return name


def _check_ttl(document: dict[str, Json]) -> None:
    ttl = document.get("ttl")
    if ttl is not None and not valid_ttl(ttl):
        raise bad_request("The input ttl is invalid. Ensure to provide a nonzero positive integer or -1.")


def _expiry(container: Container, document: dict[str, Json], ts: int) -> int | None:
    if container.default_ttl is None:
        return None
    ttl = document.get("ttl")
    seconds = ttl if isinstance(ttl, int) else container.default_ttl
    return ts + seconds if seconds > 0 else None
