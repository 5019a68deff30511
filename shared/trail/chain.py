"""How entries hang together: header, salted commitment to the body, hash, and the next header that names the hash.

A chain is one municipality's entries of one month; it begins with a genesis entry and is numbered without gaps. The
header holds no personal data and stays for ever; the body can be taken away lawfully, with its salt, and the chain
still holds. What is hashed are the stored bytes themselves, so that no later change of how JSON is written can change a
hash. Every hash has a prefix of its own, so that none can be taken for another (RFC 9162, 2.1.1).
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from shared import clock
from shared.messages.documents import Document
from shared.trail.entry import Entry, Kind, Outcome

ALGORITHM: Final = "SHA-256"
CANON_VERSION: Final = 1
"""Sorted names, no white space, ASCII: how header and body are written today."""
HUB: Final = "hub"
"""Stands in the place of an orgnr for what belongs to no municipality."""
NOTHING_BEFORE: Final = "0" * 64
SALT_BYTES: Final = 32

_ENTRY: Final = b"knutepunkt/trail/entry/1\0"
_BODY: Final = b"knutepunkt/trail/body/1\0"
_SOURCE: Final = b"knutepunkt/trail/source/1\0"
_CHAIN: Final = re.compile(rf"(?:[0-9]{{9}}|{HUB}):[0-9]{{4}}-(?:0[1-9]|1[0-2])")
_DIGITS: Final = 10


class NotAnEntry(Exception):
    """A stored document is not what this module writes; the message says what is wrong and shows no value."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Header:
    """What stays of an entry for ever."""

    chain: str
    seq: int
    kind: Kind
    outcome: Outcome
    occurred: datetime
    recorded: datetime
    source: str
    """Digest of the entry's source."""
    observer: str
    """The part of the hub that wrote it, with version and deployment."""
    previous: str
    commitment: str


def chain_of(orgnr: str, occurred: datetime) -> str:
    """The chain for what happened at that time in that municipality (empty: in the hub)."""
    return f"{orgnr or HUB}:{month_of(occurred)}"


def month_of(moment: datetime) -> str:
    """`2026-11`, in UTC."""
    return clock.written(moment)[:7]


def owner_of(chain: str) -> str:
    """Whose chain it is: an orgnr, or HUB."""
    return chain.partition(":")[0]


def is_chain(text: str) -> bool:
    """Whether a text has the form of a chain's name."""
    return _CHAIN.fullmatch(text) is not None


def document_id(chain: str, seq: int) -> str:
    """The entry's document id: two writers of the same number collide."""
    return f"{chain}:{seq:0{_DIGITS}d}"


def source_digest(source: str) -> str:
    """What an entry's header says of its source: enough to know it again, and nothing to learn from."""
    return hashlib.sha256(_SOURCE + source.encode()).hexdigest()[:40]


def canonical(value: object) -> str:
    """JSON in one way only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def entry_hash(header: str) -> str:
    """The hash of a header as it is stored."""
    return hashlib.sha256(_ENTRY + header.encode()).hexdigest()


def commitment(salt: bytes, body: str) -> str:
    """What a header says of its body."""
    return hashlib.sha256(_BODY + salt + body.encode()).hexdigest()


def genesis(chain: str, now: datetime) -> Entry:
    """The entry that begins a chain."""
    owner = owner_of(chain)
    return Entry(
        kind=Kind.GENESIS, outcome=Outcome.SUCCESS, occurred=now, source=f"genesis/{chain}",
        orgnr="" if owner == HUB else owner,
    )  # fmt: skip


def seal(chain: str, before: Head | None, entry: Entry, recorded: datetime, observer: str, salt: bytes) -> Document:
    """The document of an entry that follows `before` in the chain."""
    body = canonical(entry.body())
    seq = 0 if before is None else before.seq + 1
    header = canonical(
        {
            "alg": ALGORITHM,
            "canonVersion": CANON_VERSION,
            "chain": chain,
            "seq": seq,
            "kind": entry.kind.value,
            "family": entry.kind.family.value,
            "outcome": entry.outcome.value,
            "occurred": clock.written(entry.occurred),
            "recorded": clock.written(recorded),
            "source": source_digest(entry.source),
            "observer": observer,
            "prevHash": NOTHING_BEFORE if before is None else before.hash,
            "bodyCommitment": commitment(salt, body),
        }
    )
    return {
        "id": document_id(chain, seq),
        "chain": chain,
        "seq": seq,
        "type": "entry",
        "header": header,
        "hash": entry_hash(header),
        "body": body,
        "salt": base64.b64encode(salt).decode("ascii"),
        **shown(read_header(header), json.loads(body)),
    }


def shown(header: Header, body: dict[str, Any] | None) -> Document:
    """What of an entry can be searched for. Copies: verification compares them with what is hashed."""
    found: Document = {
        "source": header.source,
        "kind": header.kind.value,
        "recorded": clock.written(header.recorded),
    }
    if body is not None:
        person = body.get("person", {})
        names = ("message", "patient", "system")
        found["find"] = {key: body[key] for key in names if key in body}
        if person:
            found["find"]["person"] = person["subject"]
    return found


def head_of(document: Document) -> Head:
    """The head that this entry would be."""
    return Head(document["seq"], document["hash"])


def read_header(text: str) -> Header:
    """The header behind its stored text. Raises NotAnEntry."""
    try:
        raw = json.loads(text)
        if (raw["alg"], raw["canonVersion"]) != (ALGORITHM, CANON_VERSION):
            raise NotAnEntry("algorithm or form is not one that this hub writes")
        header = Header(
            chain=raw["chain"],
            seq=raw["seq"],
            kind=Kind(raw["kind"]),
            outcome=Outcome(raw["outcome"]),
            occurred=clock.read(raw["occurred"]),
            recorded=clock.read(raw["recorded"]),
            source=raw["source"],
            observer=raw["observer"],
            previous=raw["prevHash"],
            commitment=raw["bodyCommitment"],
        )
    except (KeyError, TypeError, ValueError):
        raise NotAnEntry("the header cannot be read") from None
    if not isinstance(header.chain, str) or type(header.seq) is not int:
        raise NotAnEntry("the header cannot be read")
    return header


def read_body(document: Document) -> dict[str, Any] | None:
    """The body of a stored entry; None when it was taken away. Raises NotAnEntry."""
    text = document.get("body")
    if text is None:
        return None
    try:
        body = json.loads(text)
    except (TypeError, ValueError):
        raise NotAnEntry("the body cannot be read") from None
    if not isinstance(body, dict):
        raise NotAnEntry("the body cannot be read")
    return body


def read_salt(document: Document) -> bytes:
    """The salt of a stored entry. Raises NotAnEntry."""
    try:
        return base64.b64decode(document["salt"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise NotAnEntry("the salt cannot be read") from None


def intact(document: Document) -> bool:
    """Whether an entry's header and body are those that were hashed. Where it stands is verification's to judge."""
    try:
        header = read_header(document["header"])
        body = read_body(document)
        whole = body is None or commitment(read_salt(document), document["body"]) == header.commitment
    except (NotAnEntry, KeyError):
        return False
    return whole and document.get("hash") == entry_hash(document["header"])


def month_ends(chain: str) -> datetime:
    """The first moment after the chain's month, in UTC."""
    year, month = (int(part) for part in chain.partition(":")[2].split("-"))
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
