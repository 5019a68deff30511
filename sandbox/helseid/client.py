"""A HelseID client as a vendor writes it: discovery, a signed assertion, a token. Works against any HelseID."""

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import jwt

from sandbox.helseid import jwk
from sandbox.helseid.assertion import ASSERTION_TYPE, TYP
from sandbox.helseid.files import read_json
from sandbox.helseid.metadata import DISCOVERY

ASSERTION_LIFETIME_S: Final = 30
TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


class TokenRefused(Exception):
    """HelseID did not give a token: its error and description, or the status when it gave neither."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A token, how many seconds it lives, and the scopes it has."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: tuple[str, ...]
    token_type: str


async def fetch_token(issuer: str, client_id: str, key_file: Path | str, scope: str | None = None) -> TokenAnswer:
    """Fetch a token by client_credentials and private_key_jwt. No scope (space-separated names): all the client has.

    Raises TokenRefused, OSError or ValueError for the key file, aiohttp.ClientError or TimeoutError when HelseID cannot
    be reached.
    """
    pair = jwk.from_private_jwk(await asyncio.to_thread(read_json, Path(key_file)))
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        discovered = await _object(session.get(issuer + DISCOVERY))
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(pair, client_id, str(discovered["issuer"]), datetime.now(UTC)),
        }
        if scope:
            form["scope"] = scope
        answer = await _object(session.post(str(discovered["token_endpoint"]), data=form))
    return TokenAnswer(
        access_token=str(answer["access_token"]),
        expires_in=int(answer["expires_in"]),
        scope=tuple(str(answer["scope"]).split()),
        token_type=str(answer["token_type"]),
    )


def assertion(pair: jwk.KeyPair, client_id: str, audience: str, now: datetime, **claims: Any) -> str:
    """A client assertion made at the time `now` (UTC); further claims are added or replace the usual ones."""
    at = int(now.timestamp())
    usual: dict[str, Any] = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": at,
        "nbf": at,
        "exp": at + ASSERTION_LIFETIME_S,
        "jti": secrets.token_urlsafe(24),
    }
    return jwt.encode(usual | claims, pair.private, algorithm=pair.alg, headers={"typ": TYP, "kid": pair.kid})


async def _object(call: Any) -> dict[str, Any]:
    async with call as answer:
        body = await answer.read()
        status = int(answer.status)
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if status == 200 and isinstance(value, dict):
        return value
    error = value if isinstance(value, dict) else {}
    raise TokenRefused(str(error.get("error", f"status {status}")), str(error.get("error_description", "")))
