"""The change feed, latest version: every document in the order of its latest change. Deletes do not show."""

import calendar
import email.utils
import re
import sqlite3
from dataclasses import dataclass
from typing import Final

from sandbox.cosmos import charge
from sandbox.cosmos.catalogue import Container
from sandbox.cosmos.errors import bad_request, not_supported
from sandbox.cosmos.partition import Range

DEFAULT_PAGE: Final = 1000
PAGE_BYTES: Final = 4 * 1024 * 1024
EVERYTHING: Final = Range("", "~")


@dataclass(frozen=True, slots=True)
class From:
    """Where a reader goes on: after change number `lsn`, and not before `ts` (seconds since 1970)."""

    lsn: int
    ts: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """One page: documents as text, the token to go on with, the charge."""

    documents: list[str]
    token: str
    charge: float


def start(headers: dict[str, str], newest: int) -> From:
    """Read where to go on from the headers of a request. Raises CosmosError (400)."""
    if headers.get("a-im", "").strip().lower() != "incremental feed":
        raise not_supported("change feed in the mode 'all versions and deletes'")
    after = headers.get("if-none-match", "").strip()
    if after == "*":
        return From(newest)
    if after:
        match = re.fullmatch(r'"?(\d{1,18})"?', after)
        if match is None:
            raise bad_request("The change feed's continuation is not one of this endpoint.")
        return From(int(match[1]))
    since = headers.get("if-modified-since")
    if since is None:
        return From(0)
    parsed = email.utils.parsedate(since)
    if parsed is None:
        raise bad_request("The header If-Modified-Since is not a date.")
    return From(0, calendar.timegm(parsed))


def read(
    db: sqlite3.Connection, container: Container, area: Range, since: From, newest: int, now: float, most: int
) -> Changes:
    """A page of changes in `area`; `newest` is the last change that is on disk."""
    values = (since.lsn, since.ts, area.low, area.high, now, most)
    found: list[str] = []
    size, last = 0, since.lsn
    for lsn, body in db.execute(container.sql.changes, values):
        if found and size + len(body) > PAGE_BYTES:
            break
        size += len(body)
        last = lsn
        found.append(f'{body[:-1]},"_lsn":{lsn}}}')
    else:
        if len(found) < most:
            last = max(newest, since.lsn)
    return Changes(found, f'"{last}"', charge.changes(len(found), size))
