"""Tokens and proofs made by hand, so that the checks are tested without the stand-in that is built beside them."""

import base64
import hashlib
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


URL: Final = "https://hub.example/epj/r4/310000019/bundle"


def jkt(jwk: dict[str, Any] | None = None) -> str:
    """RFC 7638, of the key that proofs are made with unless another is given."""
    key = proof_jwk() if jwk is None else jwk
    members = {
        name: key[name] for name in sorted({"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}[key["kty"]])
    }
    return b64(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def proof_jwk() -> dict[str, Any]:
    key: dict[str, Any] = ECAlgorithm.to_jwk(proof_key().public_key(), as_dict=True)
    return key


@cache
def proof_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def bound_token(**changed: Any) -> str:
    """A good token, bound to the key that proofs are made with."""
    return token(claims(**({"cnf": {"jkt": jkt()}} | changed)))


def proof_claims(access_token: str, **changed: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "jti": "a proof's own id",
        "htm": "POST",
        "htu": URL,
        "iat": AT,
        "ath": b64(hashlib.sha256(access_token.encode()).digest()),
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def proof_header(**changed: Any) -> dict[str, Any]:
    usual = {"typ": "dpop+jwt", "alg": "ES256", "jwk": proof_jwk()}
    return {name: value for name, value in (usual | changed).items() if value is not None}


def signed_proof(
    payload: dict[str, Any] | bytes, head: dict[str, Any] | None = None, key: ec.EllipticCurvePrivateKey | None = None
) -> str:
    """A proof with any header and payload, signed ES256 whatever the header says."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    first = f"{b64(json.dumps(proof_header() if head is None else head).encode())}.{b64(body)}"
    return f"{first}.{b64(ECAlgorithm(ECAlgorithm.SHA256).sign(first.encode(), key or proof_key()))}"


def proof(access_token: str, **changed: Any) -> str:
    return signed_proof(proof_claims(access_token, **changed))


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
