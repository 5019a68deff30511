"""The issuer's published signing keys, read from a JWKS document (RFC 7517) into a fixed set.

Only public keys for signatures are taken up, and each only for the algorithms that fit it. Whatever else stands in the
document (encryption keys, unknown kinds, keys that are too small) is left out, not an error: an issuer may publish more
than this API uses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

PublicKey = RSAPublicKey | EllipticCurvePublicKey

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
_MAX_RSA_EXPONENT: Final = 2**32
"""Larger numbers are no safer, and checking a signature with them takes long: a caller chooses its proofs' keys."""
RSA_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVE_ALGORITHM: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
ASYMMETRIC: Final = RSA_ALGORITHMS | frozenset(CURVE_ALGORITHM.values())
"""The nine algorithms of HelseID's profile (helseid.md section 2). Never `none`, never HS*."""

PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""What a public key never has (RFC 7518, 6.2.2, 6.3.2 and 6.4)."""

# PyJWT's own reading of a whole token costs twice what the signature does, and `compact` reads more strictly already.
_ALGORITHMS: Final = {name: jwt.PyJWS().get_algorithm_by_name(name) for name in ASYMMETRIC}


class JwksError(Exception):
    """The document holds no key that can verify a signature."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key and the algorithms it may be used with."""

    kid: str
    algorithms: frozenset[str]
    public: PublicKey = field(repr=False)

    def has_signed(self, signed: bytes, signature: bytes, algorithm: str) -> bool:
        """Whether the signature over these bytes is by this key with this algorithm."""
        if algorithm not in self.algorithms:
            return False
        return bool(_ALGORITHMS[algorithm].verify(signed, self.public, signature))


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys by key id."""

    keys: Mapping[str, SigningKey]

    def find(self, kid: str) -> SigningKey | None:
        """The key with this id, or None."""
        return self.keys.get(kid)


def read_jwks(document: object, issuer: str = "") -> KeySet:
    """The usable keys of a parsed JWKS document. Two different keys under one id: neither is used.

    `issuer`: whose keys are wanted; one that says it is another issuer's is not taken up (Entra ID's documents can hold
    such: "Signing key issuer validation" in Microsoft's documentation).

    Raises JwksError when the document is not a JWKS or none of its keys can be used.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise JwksError("not a JWKS document")
    found: dict[str, SigningKey] = {}
    doubtful: set[str] = set()
    for entry in entries:
        key = read_key(entry) if isinstance(entry, dict) and _is_of(entry.get("issuer"), issuer) else None
        if key is None:
            continue
        if key.kid in found and found[key.kid].public != key.public:
            doubtful.add(key.kid)
        found[key.kid] = key
    usable = {kid: key for kid, key in found.items() if kid not in doubtful}
    if not usable:
        raise JwksError("no usable signing key in the JWKS document")
    return KeySet(MappingProxyType(usable))


def _is_of(stated: object, issuer: str) -> bool:
    if stated is None or not issuer:
        return True
    if not isinstance(stated, str):
        return False
    # A key for all tenants: their ids stand in its place.
    return re.fullmatch("[0-9a-f-]{36}".join(map(re.escape, stated.split("{tenantid}"))), issuer) is not None


def read_key(entry: Mapping[str, Any]) -> SigningKey | None:
    """One JWK as a signing key, or None when it is not one that this API can use."""
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid or entry.get("use", "sig") != "sig":
        return None
    read = public_key(entry)
    if read is None:
        return None
    public, fitting = read
    stated = entry.get("alg")
    algorithms = fitting if stated is None else frozenset(name for name in fitting if name == stated)
    return SigningKey(kid, algorithms, public) if algorithms else None


def public_key(entry: Mapping[str, Any]) -> tuple[PublicKey, frozenset[str]] | None:
    """The public key in a JWK and the algorithms of its kind; None for what is no such key, or not only public."""
    if not PRIVATE_MEMBERS.isdisjoint(entry):
        return None
    kind, curve = entry.get("kty"), entry.get("crv")
    try:
        if kind == "RSA":
            key = RSAAlgorithm.from_jwk(dict(entry))
            return (key, RSA_ALGORITHMS) if isinstance(key, RSAPublicKey) and _is_bounded(key) else None
        if kind == "EC" and isinstance(curve, str) and curve in CURVE_ALGORITHM:
            point = ECAlgorithm.from_jwk(dict(entry))
            return (point, frozenset({CURVE_ALGORITHM[curve]})) if isinstance(point, EllipticCurvePublicKey) else None
    except (InvalidKeyError, ValueError, TypeError, KeyError):
        return None
    return None


def _is_bounded(key: RSAPublicKey) -> bool:
    return MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS and key.public_numbers().e < _MAX_RSA_EXPONENT
