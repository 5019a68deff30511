"""The SQL that reads and writes one container's tables, made once for each container."""

from dataclasses import dataclass, fields
from typing import Final, Self

_TEMPLATES: Final = {
    "read": "SELECT etag, expires, body FROM docs_{n} WHERE epk = ? AND id = ?",
    "whole": "SELECT seq, etag, expires, body FROM docs_{n} WHERE epk = ? AND id = ?",
    "insert": "INSERT INTO docs_{n} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "update": "UPDATE docs_{n} SET lsn = ?, etag = ?, ts = ?, expires = ?, body = ? WHERE seq = ?",
    "remove": "DELETE FROM docs_{n} WHERE seq = ?",
    "expired": "SELECT seq FROM docs_{n} WHERE expires IS NOT NULL AND expires <= ? LIMIT ?",
    "claim": "INSERT INTO unique_{n} VALUES (?, ?, ?, ?)",
    "release": "DELETE FROM unique_{n} WHERE seq = ?",
    "lapsed": "SELECT d.seq FROM unique_{n} u JOIN docs_{n} d ON d.seq = u.seq"
    " WHERE u.epk = ? AND u.rule = ? AND u.value = ? AND d.expires <= ?",
    "changes": "SELECT lsn, body FROM docs_{n} INDEXED BY docs_{n}_lsn"
    " WHERE lsn > ? AND ts >= ? AND epk >= ? AND epk < ? AND (expires IS NULL OR expires > ?) ORDER BY lsn LIMIT ?",
    "scan": "SELECT seq, body FROM docs_{n} NOT INDEXED WHERE seq > ? AND (expires IS NULL OR expires > ?)",
    "scan_partition": "SELECT seq, body FROM docs_{n} NOT INDEXED WHERE seq > ? AND (expires IS NULL OR expires > ?)"
    " AND seq IN (SELECT seq FROM docs_{n} INDEXED BY docs_{n}_key WHERE epk = ?)",
    "scan_chosen": "SELECT seq, body FROM docs_{n} NOT INDEXED WHERE seq > ? AND (expires IS NULL OR expires > ?)"
    " AND seq IN (SELECT seq FROM docs_{n} INDEXED BY {index} WHERE {chosen})",
    "make_order": "CREATE INDEX IF NOT EXISTS docs_{n}_lsn ON docs_{n} (lsn)",
    "make_index": "CREATE INDEX IF NOT EXISTS {index} ON docs_{n} ({columns})",
    "size_of_partition": "SELECT count(*) FROM (SELECT 1 FROM docs_{n} WHERE epk = ? LIMIT ?)",
    "many": "SELECT count(*) FROM (SELECT 1 FROM docs_{n} LIMIT ?)",
}


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements, by what they do. Those with `{index}`, `{chosen}` or `{columns}` are filled in by their user."""

    read: str
    whole: str
    insert: str
    update: str
    remove: str
    expired: str
    claim: str
    release: str
    lapsed: str
    changes: str
    scan: str
    scan_partition: str
    scan_chosen: str
    make_order: str
    make_index: str
    size_of_partition: str
    many: str

    @classmethod
    def of(cls, number: int) -> Self:
        """The statements of container `number`."""
        return cls(**{field.name: _TEMPLATES[field.name].replace("{n}", str(number)) for field in fields(cls)})
