"""Access tokens for a receiver: fetched once for all who wait, kept until they are about to end, renewed on demand."""

import asyncio
import json
import re
import uuid
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote_plus

import aiohttp
import jwt

from shared.clock import Clock
from shared.delivery.addresses import scheme
from shared.delivery.exchange import FORBIDDEN, why
from shared.delivery.secrets import MALFORMED, Oauth2, Unusable

REFUSED: Final = "REC_TOKEN_REFUSED"
UNREACHABLE: Final = "REC_TOKEN_UNREACHABLE"

_PATIENCE_S: Final = 10.0
_MOST: Final = 64 * 1024
_USUAL_LIFE_S: Final = 300
"""Seconds, where the token service does not say (RFC 6749 5.1 only recommends that it does)."""
_LONGEST_LIFE_S: Final = 24 * 3600
_MARGIN: Final = timedelta(seconds=60)
"""How long before its end a token is renewed, at the most: one must not end on its way."""
_YOUNG: Final = timedelta(seconds=30)
"""For how long a new token that was never accepted is not renewed again: a receiver that refuses everything must not
cost a token for each message."""
_ASSERTION_S: Final = 60
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}")
"""RFC 6750 2.1; longer than any header may be otherwise."""


class NoToken(Exception):
    """The token service gave none."""

    def __init__(self, code: str, status: int = 0) -> None:
        super().__init__(code, status)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the time (UTC) it is good for."""

    text: str = field(repr=False)
    fetched: datetime
    ends: datetime


type Fetch = Callable[[], Awaitable[Token]]
"""Asks the token service. Raises NoToken or Unusable."""


class Tokens:
    """The token of one client at one receiver."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token: Token | None = None
        self._worked = False
        self._fetching: asyncio.Task[Token] | None = None

    async def get(self) -> Token:
        """A token that is good now. Raises NoToken or Unusable."""
        token, now = self._token, self._clock()
        if token is not None and now < token.ends - min(_MARGIN, (token.ends - token.fetched) / 5):
            return token
        try:
            return await self._new()
        except NoToken:
            if token is not None and self._clock() < token.ends:
                return token
            raise

    async def renewed(self, refused: Token) -> Token | None:
        """Another token than the one that was refused; None when another would fare no better.

        Raises NoToken or Unusable.
        """
        token = self._token
        if token is not None and token is not refused:
            return token
        if not self._worked and token is not None and self._clock() - token.fetched < _YOUNG:
            return None
        return await self._new()

    def accepted(self, token: Token) -> None:
        """The receiver has let this token in."""
        self._worked = self._worked or token is self._token

    async def close(self) -> None:
        """Stop asking."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    async def _new(self) -> Token:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._ask())
            self._fetching.add_done_callback(_seen)
        # Shielded: who gives up waiting must not take the token from the others who wait for it.
        return await asyncio.shield(self._fetching)

    async def _ask(self) -> Token:
        try:
            token = await self._fetch()
            self._token, self._worked = token, False
            return token
        finally:
            self._fetching = None


def _seen(task: asyncio.Task[Token]) -> None:
    """Whoever waited may have given up; then nobody is left to be told that it failed."""
    if not task.cancelled():
        task.exception()


async def fetch(session: aiohttp.ClientSession, client: Oauth2, clock: Clock) -> Token:
    """Ask the token service for a token (RFC 6749 4.4). Raises NoToken; Unusable for a key that is none."""
    if not scheme(client.token_url):
        raise NoToken(FORBIDDEN)
    now = clock()
    form, headers = _shown(client, now)
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),
            session.post(client.token_url, data=form, headers=headers, allow_redirects=False) as response,
        ):
            status = response.status
            body = await _whole(response) if status == 200 else b""
    except (aiohttp.ClientError, OSError) as error:
        # An address that the hub must not send to is nothing that the token service has done.
        code = why(error).code
        raise NoToken(code if code == FORBIDDEN else UNREACHABLE) from None
    if status != 200:
        raise NoToken(UNREACHABLE if status >= 500 or status == 429 else REFUSED, status)
    return _token(body, now)


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST:
            raise NoToken(REFUSED, response.status)
    return body


def _token(body: bytes, now: datetime) -> Token:
    try:
        answer = json.loads(body)
        text, kind, life = answer["access_token"], answer["token_type"], answer.get("expires_in", _USUAL_LIFE_S)
        # Some write the number as a text.
        seconds = min(max(int(life), 1), _LONGEST_LIFE_S)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise NoToken(REFUSED, 200) from None
    if not isinstance(text, str) or _TOKEN.fullmatch(text) is None:
        raise NoToken(REFUSED, 200)
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise NoToken(REFUSED, 200)
    return Token(text, now, now + timedelta(seconds=seconds))


def _shown(client: Oauth2, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the headers by which the client asks and shows who it is."""
    form = {"grant_type": "client_credentials"}
    headers = {"Accept": "application/json"}
    if client.scope:
        form["scope"] = client.scope
    if client.resource:
        form["resource"] = client.resource
    secret = client.client_secret.get_secret_value() if client.client_secret is not None else ""
    if client.method == "client_secret_basic":
        # Encoded as in a form, then as RFC 7617 has it (RFC 6749 2.3.1).
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = "Basic " + b64encode(pair.encode("ascii")).decode("ascii")
        return form, headers
    form["client_id"] = client.client_id
    if client.method == "client_secret_post":
        form["client_secret"] = secret
    elif client.method == "private_key_jwt":
        form["client_assertion_type"] = _ASSERTION_TYPE
        form["client_assertion"] = _assertion(client, now)
    return form, headers


def _assertion(client: Oauth2, now: datetime) -> str:
    """RFC 7523 3: who we are, signed, for this token service, once, for a minute."""
    seconds = int(now.timestamp())
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": client.audience or client.token_url,
        "jti": str(uuid.uuid4()),
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + _ASSERTION_S,
    }
    headers = {"kid": client.key_id} if client.key_id else None
    try:
        key = client.private_key.get_secret_value() if client.private_key is not None else ""
        return jwt.encode(claims, key, client.algorithm, headers)
    except (ValueError, TypeError, jwt.PyJWTError):
        raise Unusable(MALFORMED, "oauth2.privateKey") from None
