"""What is signed, and what is not believed."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.messages.documents import Document
from shared.trail import checkpoints
from shared.trail.chain import canonical
from shared.trail.checkpoints import ChainState, Checkpoint, Link, NotACheckpoint, read, statement
from shared.trail.merkle import Tree
from shared.trail.signing import ED25519, ES256, NotAKey, Signer, TrustedKey

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SIGNER = Signer.of(b"s" * 32)
STATE = ChainState("310000019:2026-11", Tree().with_leaves([b"a", b"b", b"c"]), "ab" * 32)
CHECKPOINT = Checkpoint("2026-11", 3, T0, "cd" * 32, {STATE.chain: STATE}, {"2026-10": Link(7, "ef" * 32)})


def signed(**changes: Any) -> Document:
    """A checkpoint with something else in it, validly signed by somebody who has the key."""
    text = canonical({**json.loads(statement(CHECKPOINT, SIGNER.public())), **changes})
    return checkpoints.signed(CHECKPOINT, text, SIGNER.private.sign(b"knutepunkt/trail/checkpoint/1\0" + text.encode()))


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


CURVE_KEY = ec.derive_private_key(0x5EED, ec.SECP256R1())
POINT = CURVE_KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def by_curve(text: str) -> bytes:
    """A signature as Key Vault gives it: r and s side by side."""
    r, s = decode_dss_signature(CURVE_KEY.sign(checkpoints.message(text), ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def test_what_is_signed_by_es256_is_read_as_it_was() -> None:
    key = TrustedKey(POINT)
    text = statement(CHECKPOINT, key)
    assert (key.algorithm, json.loads(text)["alg"]) == (ES256, ES256)
    assert read(checkpoints.signed(CHECKPOINT, text, by_curve(text)), (SIGNER.public(), key)) == CHECKPOINT
    for other in (by_curve(text + " "), by_curve(text)[:-1], bytes(64), SIGNER.private.sign(checkpoints.message(text))):
        with pytest.raises(NotACheckpoint, match="does not hold"):
            read(checkpoints.signed(CHECKPOINT, text, other), (key,))


def test_the_algorithm_is_the_keys_whatever_the_checkpoint_says_of_itself() -> None:
    for key, alg in ((TrustedKey(POINT), ED25519), (SIGNER.public(), ES256)):
        text = canonical({**json.loads(statement(CHECKPOINT, key)), "alg": alg})
        for signature in (by_curve(text), SIGNER.private.sign(checkpoints.message(text))):
            with pytest.raises(NotACheckpoint, match="algorithm"):
                read(checkpoints.signed(CHECKPOINT, text, signature), (key,))


@pytest.mark.parametrize("raw", [b"", b"x" * 31, b"\x04" * 65, b"\x02" + bytes(32), POINT + b"x"])
def test_what_is_no_public_key_is_not_trusted(raw: bytes) -> None:
    with pytest.raises(NotAKey):
        TrustedKey(raw)
