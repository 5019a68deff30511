"""Checkpoints: signed statements of how long every chain was at a time, and what stood in it.

A chain by itself cannot show that its tail was cut off, or that somebody with enough rights wrote all of it anew. So at
short intervals the sizes and Merkle roots of a month's chains are signed, and kept where whoever runs the log cannot
change them. Each checkpoint names all chains of its month, the one before it, and the newest of every other month:
nothing can be left out without its being seen.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature

from shared import clock
from shared.messages.documents import Document
from shared.trail.chain import canonical, is_chain
from shared.trail.merkle import Tree
from shared.trail.signing import Signing, TrustedKey

VERSION: Final = 1

_PREFIX: Final = b"knutepunkt/trail/checkpoint/1\0"


class NotACheckpoint(Exception):
    """A document is no checkpoint that this hub could have signed; the message says why."""


@dataclass(frozen=True, slots=True)
class ChainState:
    """How long a chain is, its Merkle tree and the hash of its last entry."""

    chain: str
    tree: Tree
    head: str

    @property
    def size(self) -> int:
        """Entries in it."""
        return self.tree.size


@dataclass(frozen=True, slots=True)
class Link:
    """A checkpoint as others refer to it: its number in its series, and the hash of what it says."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed. A series is a month; numbers have no gaps and begin at 0."""

    series: str
    number: int
    time: datetime
    previous: str
    chains: Mapping[str, ChainState]
    others: Mapping[str, Link]
    """The newest checkpoint of every other series."""


def statement(checkpoint: Checkpoint, key: TrustedKey) -> str:
    """What is signed, as text."""
    return canonical(
        {
            "v": VERSION,
            "alg": key.algorithm,
            "kid": key.kid,
            "series": checkpoint.series,
            "number": checkpoint.number,
            "time": clock.written(checkpoint.time),
            "previous": checkpoint.previous,
            "chains": [_state(checkpoint.chains[name]) for name in sorted(checkpoint.chains)],
            "others": {name: [link.number, link.hash] for name, link in checkpoint.others.items()},
        }
    )


def _state(state: ChainState) -> dict[str, Any]:
    return {
        "chain": state.chain,
        "size": state.size,
        "root": state.tree.root().hex(),
        "head": state.head,
        "frontier": [base64.b64encode(each).decode("ascii") for each in state.tree.frontier],
    }


def document_id(series: str, number: int) -> str:
    """Two that write the same number collide."""
    return f"{series}:{number:08d}"


async def sign(checkpoint: Checkpoint, signer: Signing) -> Document:
    """The document to keep. Raises Unreachable."""
    text = statement(checkpoint, await signer.key())
    return signed(checkpoint, text, await signer.sign(message(text)))


def message(text: str) -> bytes:
    """What is signed of a statement: with a prefix of its own, so that it can be taken for nothing else."""
    return _PREFIX + text.encode()


def signed(checkpoint: Checkpoint, text: str, signature: bytes) -> Document:
    """The document of a statement and the signature over it."""
    return {
        "id": document_id(checkpoint.series, checkpoint.number),
        "series": checkpoint.series,
        "number": checkpoint.number,
        "type": "checkpoint",
        "hash": statement_hash(text),
        "statement": text,
        "signature": base64.b64encode(signature).decode("ascii"),
    }


def statement_hash(text: str) -> str:
    """The hash of what a checkpoint says."""
    return hashlib.sha256(message(text)).hexdigest()


def link_of(document: Document) -> Link:
    """How others refer to this checkpoint."""
    return Link(document["number"], statement_hash(str(document["statement"])))


def read(document: Document, keys: Iterable[TrustedKey]) -> Checkpoint:
    """The checkpoint behind a stored document, its signature checked.

    Raises NotACheckpoint for one whose key is unknown or was out of use, whose algorithm is not the key's, whose
    signature does not hold, or that says something impossible.
    """
    try:
        text = document["statement"]
        raw = json.loads(text)
        signature = base64.b64decode(document["signature"], validate=True)
        if raw["v"] != VERSION:
            raise NotACheckpoint("its form is not one that this hub signs")
        time = clock.read(raw["time"])
        key = next((each for each in keys if each.kid == raw["kid"]), None)
        if key is None:
            raise NotACheckpoint("signed with a key that is not trusted")
        if raw["alg"] != key.algorithm:
            raise NotACheckpoint("its algorithm is not the key's")
        if key.until is not None and time > key.until:
            raise NotACheckpoint("signed with a key after it was retired")
        key.verify(signature, message(text))
        checkpoint = Checkpoint(
            series=raw["series"],
            number=raw["number"],
            time=time,
            previous=raw["previous"],
            chains={each["chain"]: _read_state(each) for each in raw["chains"]},
            others={name: Link(*link) for name, link in raw["others"].items()},
        )
    except InvalidSignature:
        raise NotACheckpoint("the signature does not hold") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotACheckpoint("it cannot be read") from None
    if (checkpoint.series, checkpoint.number) != (document.get("series"), document.get("number")):
        raise NotACheckpoint("it stands in another place than it was signed for")
    return checkpoint


def _read_state(raw: Mapping[str, Any]) -> ChainState:
    tree = Tree(raw["size"], tuple(base64.b64decode(each, validate=True) for each in raw["frontier"]))
    if not is_chain(raw["chain"]) or tree.root().hex() != raw["root"]:
        raise ValueError("a chain's root is not the one of its frontier")
    return ChainState(raw["chain"], tree, raw["head"])
