"""Key pairs as JWK: made, read from their private form, and reduced to what may be published."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey

RSA_BITS: Final = 3072
"""The size of HelseID's own recorded signing key (domain/helseid.md section 2)."""
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its id and the one algorithm it is used with."""

    kid: str
    alg: str
    private: PrivateKey = field(repr=False)

    def private_jwk(self) -> dict[str, Any]:
        """The whole key, for a file that only its owner reads."""
        if isinstance(self.private, RSAPrivateKey):
            members = RSAAlgorithm.to_jwk(self.private, as_dict=True)
        else:
            members = ECAlgorithm.to_jwk(self.private, as_dict=True)
        return {**{k: v for k, v in members.items() if k != "key_ops"}, "kid": self.kid, "alg": self.alg, "use": "sig"}

    def public_jwk(self) -> dict[str, Any]:
        """What may be published."""
        return {name: value for name, value in self.private_jwk().items() if name not in _PRIVATE_MEMBERS}


def make(alg: Literal["RS256", "ES256"]) -> KeyPair:
    """A new key pair. RSA takes a few tenths of a second of processor time."""
    private: PrivateKey
    if alg == "RS256":
        private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        private = ec.generate_private_key(ec.SECP256R1())
    return KeyPair(thumbprint(private).hex().upper(), alg, private)


def thumbprint(key: PrivateKey) -> bytes:
    """Twenty bytes that name the key, shaped as HelseID's certificate thumbprints (there is no certificate here)."""
    published = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha1(published, usedforsecurity=False).digest()


def x5t(kid: str) -> str:
    """The same twenty bytes as base64url, as HelseID puts them beside `kid`."""
    return base64.urlsafe_b64encode(bytes.fromhex(kid)).rstrip(b"=").decode("ascii")


def from_private_jwk(jwk: Mapping[str, Any]) -> KeyPair:
    """A key pair from its private JWK. Raises ValueError when it is not one with `kid` and `alg`."""
    kid, alg = jwk.get("kid"), jwk.get("alg")
    if not isinstance(kid, str) or not isinstance(alg, str):
        raise ValueError("the private JWK lacks kid or alg")
    text = json.dumps(dict(jwk))
    private = RSAAlgorithm.from_jwk(text) if jwk.get("kty") == "RSA" else ECAlgorithm.from_jwk(text)
    if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey):
        raise ValueError("the JWK is not a private key")
    return KeyPair(kid, alg, private)
