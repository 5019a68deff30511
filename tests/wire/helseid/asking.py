"""A token request made by hand, so that each part of it can be wrong."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import aiohttp
import jwt

from sandbox.helseid import jwk
from sandbox.helseid.client import assertion
from sandbox.helseid.server import HelseId

VENDOR: Final = "trygghetsvakt"


def key_file(part: HelseId, client_id: str = VENDOR) -> str:
    return part.registry.facts()[client_id]["keyFile"]


def pair(part: HelseId, client_id: str = VENDOR) -> jwk.KeyPair:
    return _read(Path(key_file(part, client_id)).read_text())


@cache
def _read(text: str) -> jwk.KeyPair:
    # Reading an RSA key checks its primes, which takes longer than the rest of a request.
    return jwk.from_private_jwk(json.loads(text))


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


async def ask(
    http: aiohttp.ClientSession, part: HelseId, data: Any, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    async with http.post(f"{part.issuer}/connect/token", data=data, headers=headers) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        body: dict[str, Any] = await answer.json()
        return answer.status, body
