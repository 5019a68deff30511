"""A HelseID client as a vendor writes it: discovery, a signed assertion, a DPoP proof when asked for, a token.

Talks to the sandbox's HelseID only: its keys mean nothing to the real one.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from sandbox.helseid import dpop as proofs
from sandbox.helseid import jwk
from sandbox.helseid.files import read_json
from sandbox.helseid.hosts import refuse_real_host
from sandbox.helseid.jose import assemble
from sandbox.helseid.names import ACCESS_TOKEN, ASSERTION_TYP, ASSERTION_TYPE, DISCOVERY, EXCHANGE

ASSERTION_LIFETIME_S: Final = 30
TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


class TokenRefused(Exception):
    """HelseID did not give a token: its error and description, or the status when it gave neither."""

    def __init__(self, error: str, description: str, nonce: str | None = None) -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.error = error
        self.description = description
        self.nonce = nonce
        """The nonce that the next proof must carry, if that was what was missing."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A token, how many seconds it lives, the scopes it has, and those that the organisation has not accepted."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: tuple[str, ...]
    token_type: str
    rejected_scope: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What is asked for."""

    scope: str | None = None
    """Space-separated names; None: all the client has."""
    dpop: bool = False
    """Whether the token is to be bound to the client's key."""
    details: Any = None
    """`assertion_details`: the organisations to speak for (one object, or a list)."""
    resource: str | None = None
    """The API the token is for, when the scopes are of several."""
    subject_token: str | None = field(default=None, repr=False)
    """A token to exchange (RFC 8693); None: client_credentials."""


async def read_pair(key_file: Path | str) -> jwk.KeyPair:
    """The client's key. Raises OSError, or ValueError when the file holds none."""
    return jwk.from_private_jwk(await asyncio.to_thread(read_json, Path(key_file)))


async def fetch_token(
    issuer: str, client_id: str, key_file: Path | str, scope: str | None = None, *, dpop: bool = False
) -> TokenAnswer:
    """Fetch a token by client_credentials and private_key_jwt. No scope (space-separated names): all the client has.

    Raises TokenRefused, OSError or ValueError for the key file, NotAStandIn (a ValueError) for a real HelseID's
    address, aiohttp.ClientError or TimeoutError when HelseID cannot be reached.
    """
    pair = await read_pair(key_file)
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        return await request_token(session, issuer, client_id, pair, TokenRequest(scope, dpop))


async def request_token(
    session: aiohttp.ClientSession, issuer: str, client_id: str, pair: jwk.KeyPair, request: TokenRequest
) -> TokenAnswer:
    """Ask for a token over this session. Raises what `fetch_token` raises."""
    refuse_real_host(issuer)
    discovered = await _object(session.get(issuer + DISCOVERY))
    endpoint, audience = str(discovered["token_endpoint"]), str(discovered["issuer"])
    refuse_real_host(endpoint)

    async def attempt(nonce: str | None) -> dict[str, Any]:
        # Each attempt has an assertion and a proof of its own, as NHN's .NET library does it.
        now = datetime.now(UTC)
        form = _form(client_id, pair, audience, request, now)
        proof = {"DPoP": proofs.proof(pair, "POST", endpoint, now, nonce=nonce)} if request.dpop else {}
        return await _object(session.post(endpoint, data=form, headers=proof, allow_redirects=False))

    try:
        answer = await attempt(None)
    except TokenRefused as refused:
        if refused.error != "use_dpop_nonce" or refused.nonce is None:
            raise
        answer = await attempt(refused.nonce)
    return TokenAnswer(
        access_token=str(answer["access_token"]),
        expires_in=int(answer["expires_in"]),
        scope=tuple(str(answer["scope"]).split()),
        token_type=str(answer["token_type"]),
        rejected_scope=tuple(str(answer.get("rejected_scope", "")).split()),
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
    return assemble({"alg": pair.alg, "typ": ASSERTION_TYP, "kid": pair.kid}, usual | claims, pair.private, pair.alg)


def _form(client_id: str, pair: jwk.KeyPair, audience: str, request: TokenRequest, now: datetime) -> dict[str, str]:
    details = {} if request.details is None else {"assertion_details": request.details}
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(pair, client_id, audience, now, **details),
    }
    if request.subject_token is not None:
        form |= {
            "grant_type": EXCHANGE,
            "subject_token": request.subject_token,
            "subject_token_type": ACCESS_TOKEN,
        }
    return form | {
        name: value for name, value in (("scope", request.scope), ("resource", request.resource)) if value is not None
    }


async def _object(call: Any) -> dict[str, Any]:
    async with call as answer:
        body = await answer.read()
        status = int(answer.status)
        nonce = answer.headers.get("DPoP-Nonce")
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if status == 200 and isinstance(value, dict):
        return value
    error = value if isinstance(value, dict) else {}
    raise TokenRefused(str(error.get("error", f"status {status}")), str(error.get("error_description", "")), nonce)
