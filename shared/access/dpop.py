"""DPoP at an API (RFC 9449 sections 4.3 and 7): whether a proof is for this call, with the key the token is bound to.

The checks are those of domain/helseid.md section 6, lines 14 to 18, in that order. That a proof is used once only needs
a memory shared by all instances: the port `ProofMemory`. No nonce is demanded: no client of HelseID's APIs expects one.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from shared.access.claims import seconds
from shared.access.compact import Compact, take_apart
from shared.access.jwks import PublicKey, SigningKey, public_key
from shared.access.refusals import ProofExpired, ProofMalformed, ProofMismatch, ProofReplayed, WrongProofKey
from shared.access.target import normalised
from shared.errors import TokenClaims, TokenMalformed

TYPE: Final = "dpop+jwt"

_REQUIRED: Final = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}
"""RFC 7638, 3.2: the members that make a key's thumbprint, in their order. Any other has no say in it."""


class ProofMemory(Protocol):
    """Remembers which proofs have been used, for all instances of the app together."""

    async def remember(self, key: str, until: datetime) -> bool:
        """Keep `key` until then (UTC); False when it was kept already. Atomic: of two calls, one gets True.

        Raises NotAvailable when it cannot be told: a call must not go on then.
        """


@dataclass(frozen=True, slots=True)
class ProofRules:
    """What this API demands of a proof."""

    past: timedelta = timedelta(seconds=15)
    """How old a proof may be. HelseID publishes no number; its samples' widest window is this one."""
    future: timedelta = timedelta(seconds=5)
    """How far in the future it may be made: the other clock may be ahead."""
    max_bytes: int = 8 * 1024
    max_id: int = 256
    """Longest `jti`."""

    def __post_init__(self) -> None:
        if self.past <= timedelta() or self.future < timedelta():
            raise ValueError("a proof must be good for some time")


@dataclass(frozen=True, slots=True)
class Call:
    """What a proof must be for."""

    method: str
    target: str
    """The call's address in its one form (`shared.access.target`)."""
    token: str = field(repr=False)
    """The access token exactly as received."""
    thumbprint: str = field(repr=False)
    """The key that the token is bound to."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds, if it has not been used before."""

    key: str
    """A hash of the proof's key and id: what to remember it by."""
    until: datetime
    """From then on it is too old anyway (UTC, by this instance's clock)."""


async def used_once(proof: Proof, memory: ProofMemory) -> None:
    """Use the proof up. Raises ProofReplayed when it was used before, NotAvailable when that cannot be told."""
    if not await memory.remember(proof.key, proof.until):
        raise ProofReplayed


def check_proof(text: str, call: Call, rules: ProofRules, now: datetime) -> Proof:
    """Check everything about a proof but whether it was used before, at the time `now` (UTC).

    Raises ProofMalformed, WrongProofKey, ProofMismatch or ProofExpired.
    """
    compact = _taken_apart(text, rules)
    public, algorithms = _key_in(compact.header)
    # Before the signature: a proof by another key says nothing about this token, however well it is signed.
    if not hmac.compare_digest(thumbprint(compact.header["jwk"]), call.thumbprint):
        raise WrongProofKey
    if not SigningKey("", algorithms, public).has_signed(compact.signed, compact.signature, compact.header["alg"]):
        raise ProofMalformed
    return _check_claims(compact.claims, call, rules, now)


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The RFC 7638 thumbprint (SHA-256) of a public key that `public_key` has read."""
    members = {name: jwk[name] for name in _REQUIRED[jwk["kty"]]}
    return _hash(json.dumps(members, separators=(",", ":")).encode("ascii"))


def token_hash(token: str) -> str:
    """The `ath` that belongs to a token (RFC 9449, 4.2)."""
    return _hash(token.encode("ascii"))


def _taken_apart(text: str, rules: ProofRules) -> Compact:
    try:
        return take_apart(text, rules.max_bytes)
    except TokenMalformed:
        raise ProofMalformed from None


def _key_in(header: dict[str, Any]) -> tuple[PublicKey, frozenset[str]]:
    kind, algorithm, jwk = header.get("typ"), header.get("alg"), header.get("jwk")
    if not isinstance(kind, str) or kind.lower() != TYPE or "crit" in header or "b64" in header:
        raise ProofMalformed
    if not isinstance(algorithm, str) or not isinstance(jwk, dict):
        raise ProofMalformed
    read = public_key(jwk)
    if read is None:
        raise ProofMalformed
    return read


def _check_claims(claims: dict[str, Any], call: Call, rules: ProofRules, now: datetime) -> Proof:
    jti, method, target, token = (claims.get(name) for name in ("jti", "htm", "htu", "ath"))
    if not isinstance(jti, str) or not 0 < len(jti) <= rules.max_id:
        raise ProofMalformed
    if not isinstance(method, str) or not isinstance(target, str) or not isinstance(token, str):
        raise ProofMalformed
    if method != call.method or normalised(target) != call.target:
        raise ProofMismatch
    if not token.isascii() or not hmac.compare_digest(token, token_hash(call.token)):
        raise ProofMismatch
    issued = _issued(claims.get("iat"))
    if not -rules.future.total_seconds() <= now.timestamp() - issued <= rules.past.total_seconds():
        raise ProofExpired
    # The hash also keeps what a client chose to put into its id out of the store.
    key = _hash(f"knutepunkt/proof/1\0{call.thumbprint}\0{jti}".encode("utf-8", "surrogatepass"))
    return Proof(key, datetime.fromtimestamp(issued, UTC) + rules.past)


def _issued(value: object) -> float:
    try:
        return seconds(value)
    except TokenClaims:
        raise ProofMalformed from None


def _hash(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode("ascii")
