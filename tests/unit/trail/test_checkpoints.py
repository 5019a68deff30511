"""What is signed, and what is not believed."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.messages.documents import Document
from shared.trail.chain import canonical
from shared.trail.checkpoints import ChainState, Checkpoint, Link, NotACheckpoint, Signer, read, sign
from shared.trail.merkle import Tree

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SIGNER = Signer.of(b"s" * 32)
STATE = ChainState("310000019:2026-11", Tree().with_leaves([b"a", b"b", b"c"]), "ab" * 32)
CHECKPOINT = Checkpoint("2026-11", 3, T0, "cd" * 32, {STATE.chain: STATE}, {"2026-10": Link(7, "ef" * 32)})


def signed(**changes: Any) -> Document:
    """A checkpoint with something else in it, validly signed by somebody who has the key."""
    document = sign(CHECKPOINT, SIGNER)
    text = canonical({**json.loads(document["statement"]), **changes})
    signature = SIGNER.private.sign(b"knutepunkt/trail/checkpoint/1\0" + text.encode())
    return {**document, "statement": text, "signature": base64.b64encode(signature).decode()}


def test_what_is_signed_is_read_as_it_was() -> None:
    assert read(signed(), (SIGNER.public(),)) == CHECKPOINT


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"}, {"v": 2}, {"kid": "0" * 16}, {"number": 4}, {"series": "2026-12"}, {"time": "now"},
        {"chains": [{"chain": STATE.chain, "size": 3, "root": "00" * 32, "head": "", "frontier": []}]},
        {"chains": None}, {"others": []},
    ],
)  # fmt: skip
def test_a_statement_that_cannot_be_is_not_believed_though_it_is_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(NotACheckpoint):
        read(signed(**changes), (SIGNER.public(),))


@pytest.mark.parametrize("change", [{"root": "00" * 32}, {"size": 4}, {"chain": "x"}, {"frontier": []}])
def test_a_chain_whose_root_is_not_that_of_its_frontier_is_not_believed(change: dict[str, Any]) -> None:
    (chain,) = json.loads(signed()["statement"])["chains"]
    with pytest.raises(NotACheckpoint):
        read(signed(chains=[{**chain, **change}]), (SIGNER.public(),))


def test_nobody_elses_signature_counts() -> None:
    with pytest.raises(NotACheckpoint, match="not trusted"):
        read(signed(), (Signer.of(b"x" * 32).public(),))
    with pytest.raises(NotACheckpoint, match="does not hold"):
        read({**signed(), "signature": base64.b64encode(bytes(64)).decode()}, (SIGNER.public(),))
