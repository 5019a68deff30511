"""Key pairs as JWK: made, read from their private form, reduced to what may be published, and named."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from sandbox.helseid.jose import CURVE_OF, RSA_ALGS, Alg, PrivateKey, encoded

RSA_BITS: Final = 3072
"""The size of HelseID's own recorded signing key (domain/helseid.md section 2)."""
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Final = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
_THUMBPRINT_MEMBERS: Final = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its id and the one algorithm it is used with."""

    kid: str
    alg: Alg
    private: PrivateKey = field(repr=False)

    def private_jwk(self) -> dict[str, Any]:
        """The whole key, for a file that only its owner reads."""
        return {**_members(self.private), "kid": self.kid, "alg": self.alg, "use": "sig"}

    def public_jwk(self) -> dict[str, Any]:
        """What may be published."""
        return {name: value for name, value in self.private_jwk().items() if name not in PRIVATE_MEMBERS}

    def proof_jwk(self) -> dict[str, Any]:
        """The public key as a DPoP proof carries it: its own members only."""
        return {name: value for name, value in _members(self.private).items() if name not in PRIVATE_MEMBERS}


def make(alg: Alg, *, bits: int = RSA_BITS, kid: str | None = None) -> KeyPair:
    """A new key pair. RSA takes a few tenths of a second of processor time."""
    private: PrivateKey
    if alg in _CURVES:
        private = ec.generate_private_key(_CURVES[alg])
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return KeyPair(kid or certificate_thumbprint(private).hex().upper(), alg, private)


def certificate_thumbprint(key: PrivateKey) -> bytes:
    """Twenty bytes that name the key, shaped as HelseID's certificate thumbprints (there is no certificate here)."""
    published = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha1(published, usedforsecurity=False).digest()


def x5t(kid: str) -> str:
    """The same twenty bytes as base64url, as HelseID puts them beside `kid`. ValueError for another kind of id."""
    return encoded(bytes.fromhex(kid))


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The RFC 7638 SHA-256 thumbprint: over the members that make the key, whatever else stands in the JWK.

    Raises ValueError for a key that is neither RSA nor EC, or lacks a member.
    """
    names = _THUMBPRINT_MEMBERS.get(str(jwk.get("kty")))
    if names is None or not all(isinstance(jwk.get(name), str) for name in names):
        raise ValueError("neither an RSA nor an EC key")
    text = json.dumps({name: jwk[name] for name in names}, separators=(",", ":"), sort_keys=True)
    return encoded(hashlib.sha256(text.encode()).digest())


def from_private_jwk(jwk: Mapping[str, Any]) -> KeyPair:
    """A key pair from its private JWK. Without `alg`: RS256 or the curve's own; without `kid`: its thumbprint.

    Raises ValueError when it is no private RSA or EC key, or the algorithm does not fit.
    """
    private = _private(json.dumps(dict(jwk)), is_rsa=jwk.get("kty") == "RSA")
    fitting = _fitting(private)
    stated, kid = jwk.get("alg", fitting[0]), jwk.get("kid")
    alg = next((each for each in fitting if each == stated), None)
    if alg is None:
        raise ValueError("the algorithm does not fit the key")
    return KeyPair(kid if isinstance(kid, str) else thumbprint(_members(private)), alg, private)


@lru_cache(maxsize=64)
def _private(text: str, *, is_rsa: bool) -> PrivateKey:
    # Remembered: reading an RSA key checks its primes, which takes longer than all else that is done with it here.
    try:
        private = RSAAlgorithm.from_jwk(text) if is_rsa else ECAlgorithm.from_jwk(text)
    except (InvalidKeyError, TypeError) as error:
        raise ValueError("the JWK is not an RSA or EC key") from error
    if not isinstance(private, PrivateKey):
        raise ValueError("the JWK is not a private key")
    return private


def _fitting(private: PrivateKey) -> tuple[Alg, ...]:
    if isinstance(private, RSAPrivateKey):
        return RSA_ALGS
    curve = _members(private).get("crv")
    fitting = tuple(alg for alg, name in CURVE_OF.items() if name == curve)
    if not fitting:
        raise ValueError("the key's curve is not one of HelseID's")
    return fitting


def _members(private: PrivateKey) -> dict[str, Any]:
    if isinstance(private, RSAPrivateKey):
        members = RSAAlgorithm.to_jwk(private, as_dict=True)
    else:
        members = ECAlgorithm.to_jwk(private, as_dict=True)
    return {name: value for name, value in members.items() if name != "key_ops"}
