"""Compact JWS (RFC 7515): read, checked against a key, and put together, with PyJWT's algorithms alone.

The stand-in shares no token code with the hub: a mistake made on one side must not be hidden by the same mistake on the
other. `assemble` writes exactly what it is given, so that every fault can be made.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from jwt.algorithms import Algorithm, ECAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError, PyJWTError

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey
PublicKey = RSAPublicKey | EllipticCurvePublicKey

Alg = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]

RSA_ALGS: Final[tuple[Alg, ...]] = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
CURVE_OF: Final[Mapping[Alg, str]] = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
NINE: Final[tuple[Alg, ...]] = (*RSA_ALGS, *CURVE_OF)
"""What HelseID's metadata lists as `dpop_signing_alg_values_supported`: never `none`, never HS*."""
MIN_RSA_BITS: Final = 2048
MAX_CHARS: Final = 32 * 1024

_ALGORITHMS: Final[Mapping[str, Algorithm]] = {name: jwt.PyJWS().get_algorithm_by_name(name) for name in NINE}


class Unreadable(ValueError):
    """A text that is no compact JWS with a JSON object as header and as claims."""


@dataclass(frozen=True, slots=True)
class Jws:
    """A signed token, read but not trusted."""

    text: str = field(repr=False)
    header: dict[str, Any] = field(repr=False)
    claims: dict[str, Any] = field(repr=False)


def read(text: str) -> Jws:
    """Header and claims, unverified. Raises Unreadable, also for a critical header (PyJWT understands none here)."""
    if len(text) > MAX_CHARS:
        raise Unreadable
    try:
        header = jwt.get_unverified_header(text)
        claims = jwt.decode(text, options={"verify_signature": False})
    except (PyJWTError, ValueError, RecursionError):
        raise Unreadable from None
    return Jws(text, header, claims)


def public_key(jwk: Mapping[str, Any], alg: object) -> PublicKey | None:
    """The public key in a JWK when it fits one of the nine algorithms; else None (also for a private key)."""
    try:
        if alg in RSA_ALGS and jwk.get("kty") == "RSA":
            rsa = RSAAlgorithm.from_jwk(dict(jwk))
            return rsa if isinstance(rsa, RSAPublicKey) and rsa.key_size >= MIN_RSA_BITS else None
        fitting = {crv for name, crv in CURVE_OF.items() if name == alg}
        if jwk.get("kty") == "EC" and jwk.get("crv") in fitting:
            curve = ECAlgorithm.from_jwk(dict(jwk))
            return curve if isinstance(curve, EllipticCurvePublicKey) else None
    except (InvalidKeyError, ValueError, TypeError, KeyError):
        return None
    return None


def is_signed_by(token: Jws, jwk: Mapping[str, Any]) -> bool:
    """Whether the token's signature is by this key with the algorithm that the token states."""
    alg = token.header.get("alg")
    key = public_key(jwk, alg)
    if key is None:
        return False
    start, _, signature = token.text.rpartition(".")
    try:
        return bool(_ALGORITHMS[str(alg)].verify(start.encode(), key, _decoded(signature)))
    except ValueError:
        return False


def assemble(header: Mapping[str, Any], payload: Mapping[str, Any] | bytes, key: PrivateKey | bytes, alg: str) -> str:
    """A token with exactly this header and payload, signed with `alg`: one of the nine, HS256 (key: bytes) or none."""
    body = payload if isinstance(payload, bytes) else _json(payload)
    start = f"{encoded(_json(header))}.{encoded(body)}"
    return f"{start}.{encoded(_signature(start.encode(), key, alg))}"


def encoded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def with_broken_signature(token: str) -> str:
    """The same token with one bit of its signature turned."""
    start, _, signature = token.rpartition(".")
    raw = bytearray(_decoded(signature))
    raw[0] ^= 1
    return f"{start}.{encoded(bytes(raw))}"


def _signature(start: bytes, key: PrivateKey | bytes, alg: str) -> bytes:
    if alg == "none":
        return b""
    if isinstance(key, bytes):
        # By hand: PyJWT rightly refuses a public key as shared secret, which is one of the attacks to be made.
        return hmac.digest(key, start, "sha256")
    signature: bytes = _ALGORITHMS[alg].sign(start, key)
    return signature


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(value), separators=(",", ":")).encode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
