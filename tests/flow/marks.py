"""Marked values and the places they must not come to: what a canary run sends and where it looks."""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from shared.messages.model import payload_from


def forms(mark: str) -> frozenset[bytes]:
    """How a mark could be written: as it is, encoded, or as an unkeyed digest, which anyone can make of a number."""
    plain = mark.encode()
    found = {
        plain,
        mark.encode("utf-16-le"),
        quote(mark).encode(),
        json.dumps(mark)[1:-1].encode(),
        plain.hex().encode(),
    }
    for before in range(3):
        # In base64 the same bytes look different at each of three places; the ends depend on what is beside them.
        coded = base64.b64encode(b"\0" * before + plain)
        inner = coded[{0: 0, 1: 2, 2: 3}[before] : -4]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5):
        found |= {digest(plain).hexdigest().encode(), base64.b64encode(digest(plain).digest()).rstrip(b"=")}
    return frozenset(found)


def seen(text: bytes, marks: Mapping[str, str]) -> set[str]:
    """The names of the marks that are in a text, in whatever form."""
    lower = text.lower()
    return {name for name, mark in marks.items() if any(form in text or form.lower() in lower for form in forms(mark))}


def rows(database: Path) -> Iterator[tuple[str, bytes]]:
    """Every row of every table of an SQLite file, with a name for it. Payload documents come unpacked."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - names out of the file itself
                yield _named(table, row)


def _named(table: str, row: tuple[object, ...]) -> tuple[str, bytes]:
    for cell in row:
        if isinstance(cell, str) and '"encoding":"zlib+base64"' in cell.replace(": ", ":"):
            document = json.loads(cell)
            return f"payload {document['id']}", payload_from(document)
    return table, b" ".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
