"""A token request made by hand (PyJWT, nothing of the sandbox's own), so that each part of it can be wrong."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import jwt
from multidict import CIMultiDict

from sandbox.helseid import jwk
from sandbox.helseid.client import assertion
from sandbox.helseid.server import HelseId

VENDOR: Final = "trygghetsvakt"


def key_file(part: HelseId, client_id: str = VENDOR) -> str:
    return part.registry.facts()[client_id]["keyFile"]


def pair(part: HelseId, client_id: str = VENDOR) -> jwk.KeyPair:
    return jwk.from_private_jwk(json.loads(Path(key_file(part, client_id)).read_text()))


def proof(part: HelseId, **claims: Any) -> str:
    return assertion(pair(part), VENDOR, part.issuer, datetime.now(UTC), **claims)


def proof_with_header(part: HelseId, **header: Any) -> str:
    """A good assertion under other header members; None leaves one out."""
    own = pair(part)
    claims = jwt.decode(proof(part), options={"verify_signature": False})
    return jwt.encode(claims, own.private, algorithm=own.alg, headers={"kid": own.kid, **header})


def form(part: HelseId, **changed: str | None) -> dict[str, str]:
    """A good request; a change to None leaves the parameter out."""
    usual: dict[str, str | None] = {
        "grant_type": "client_credentials",
        "client_id": VENDOR,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": proof(part),
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def public_jwk(own: jwk.KeyPair) -> dict[str, Any]:
    algorithm = jwt.get_algorithm_by_name(own.alg)
    return {k: v for k, v in json.loads(algorithm.to_jwk(own.private.public_key())).items() if k != "key_ops"}


def dpop_proof(
    part: HelseId, own: jwk.KeyPair | None = None, header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A good proof for the token endpoint; claims are added, replaced, or left out (None)."""
    own = own or pair(part)
    usual = {
        "jti": secrets.token_hex(16),
        "htm": "POST",
        "htu": f"{part.issuer}/connect/token",
        "iat": int(datetime.now(UTC).timestamp()),
    }
    said = {name: value for name, value in (usual | claims).items() if value is not None}
    headers = {"typ": "dpop+jwt", "jwk": public_jwk(own), **(header or {})}
    return jwt.encode(said, own.private, algorithm=own.alg, headers=headers)


async def nonce(http: aiohttp.ClientSession, part: HelseId) -> str:
    """A nonce, as a client gets one."""
    status, body, headers = await ask_for_all(http, part, form(part), [dpop_proof(part)])
    assert (status, body["error"]) == (400, "use_dpop_nonce")
    return headers["DPoP-Nonce"]


async def ask(
    http: aiohttp.ClientSession, part: HelseId, data: Any, proofs: Sequence[str] = ()
) -> tuple[int, dict[str, Any]]:
    status, body, _ = await ask_for_all(http, part, data, proofs)
    return status, body


async def ask_for_all(
    http: aiohttp.ClientSession, part: HelseId, data: Any, proofs: Sequence[str] = ()
) -> tuple[int, dict[str, Any], Mapping[str, str]]:
    headers = CIMultiDict(("DPoP", each) for each in proofs)
    async with http.post(f"{part.issuer}/connect/token", data=data, headers=headers) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        body: dict[str, Any] = await answer.json()
        # NHN's .NET client takes a nonce on any error as a challenge.
        assert ("DPoP-Nonce" in answer.headers) == (body.get("error") == "use_dpop_nonce")
        return answer.status, body, answer.headers


async def call(
    http: aiohttp.ClientSession, part: HelseId, method: str, path: str, json: Any = None, status: int | None = None
) -> Any:
    """Turn one of the stand-in's switches; the answer's JSON. Expects 200, 201 or 204 unless another is said."""
    async with http.request(method, f"{part.issuer}/_sandbox/{path}", json=json) as answer:
        text = await answer.text()
        assert answer.status == status if status else answer.status in (200, 201, 204), text
        return _json(text) if text else None


_json = json.loads
