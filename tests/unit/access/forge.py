"""Tokens made by hand, so that the checks are tested without the stand-in that is built beside them."""

import base64
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.access.jwks import KeySet, read_jwks
from shared.access.tokens import TokenPolicy

ISSUER: Final = "https://helseid.stand-in.test"
AUDIENCE: Final = "nhn:vkp"
KID: Final = "0011223344556677889900AABBCCDDEEFF001122"
NOW: Final = datetime(2030, 3, 4, 12, 0, tzinfo=UTC)
AT: Final = int(NOW.timestamp())
POLICY: Final = TokenPolicy(issuer=ISSUER, audience=AUDIENCE)


@cache
def rsa_key(name: str = "own") -> rsa.RSAPrivateKey:
    """One key per name and test run; the name only tells them apart."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_jwk(name: str = "own", kid: str = KID, **more: Any) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(rsa_key(name).public_key(), as_dict=True), "kid": kid, "use": "sig"} | more


def ec_jwk(kid: str = "ec", **more: Any) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(ec_key().public_key(), as_dict=True), "kid": kid, "use": "sig"} | more


@cache
def key_set() -> KeySet:
    return read_jwks({"keys": [rsa_jwk(alg="RS256"), ec_jwk()]})


def claims(**changed: Any) -> dict[str, Any]:
    """A good token's claims; a change to None leaves the claim out."""
    usual: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "nbf": AT,
        "iat": AT,
        "exp": AT + 600,
        "jti": "0123456789ABCDEF0123456789ABCDEF",
        "scope": ["nhn:vkp/api/user/bundle.write"],
        "client_id": "5d0d9a52-0000-4000-8000-000000000001",
        "client_amr": "private_key_jwt",
        "nhn:vkp/client/claims/vkp-id": "trygghetsvakt-test",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def header(**changed: Any) -> dict[str, Any]:
    usual = {"alg": "RS256", "kid": KID, "typ": "at+jwt"}
    return {name: value for name, value in (usual | changed).items() if value is not None}


def token(payload: dict[str, Any] | bytes | None = None, head: dict[str, Any] | None = None, key: str = "own") -> str:
    """A token with any header and payload, signed RS256 whatever the header says."""
    body = payload if isinstance(payload, bytes) else json.dumps(claims() if payload is None else payload).encode()
    first = f"{b64(json.dumps(header() if head is None else head).encode())}.{b64(body)}"
    algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)
    return f"{first}.{b64(algorithm.sign(first.encode(), rsa_key(key)))}"


def es256_token() -> str:
    return jwt.encode(claims(), ec_key(), algorithm="ES256", headers={"kid": "ec", "typ": "at+jwt"})


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
