"""What the journal demands of its callers: an API key, or a token of its own token service (RFC 6749 4.4).

Kept in memory: a journal that is started again demands nothing. Everything made here is worth nothing elsewhere.
"""

import base64
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote_plus

import jwt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS: Final = ["RS256", "PS256", "ES256"]
_LONGEST_ASSERTION_S: Final = 300


class _Wish(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Demand(_Wish):
    """What must come with a message to a path: `POST /demand`. `what` null: nothing any longer."""

    path: Annotated[str, StringConstraints(pattern="^/fhir/[!-~]+$")] | None = None
    """Only for this path; None: for all that have none of their own."""
    what: Literal["apiKey", "oauth2"] | None
    header: str = "X-Api-Key"
    value: str = ""
    scope: str | None = None


class Client(_Wish):
    """A client of the token service: `POST /clients`."""

    client_id: str
    client_secret: str | None = None
    public_key: str | None = None
    """PEM, for private_key_jwt."""
    life_seconds: int = Field(default=60, ge=1)
    """How long its tokens live."""


class NotThatClient(Exception):
    """The client is unknown, or did not show that it is who it says."""


@dataclass(slots=True)
class _Issued:
    client_id: str
    scope: str
    ends: datetime


@dataclass(slots=True)
class Demands:
    """Demands in force, clients and tokens."""

    clock: Callable[[], datetime]
    issued: int = 0
    """Tokens given so far."""
    fails: int | None = None
    """The status that the token service answers everybody with, when told to."""
    _demands: dict[str | None, Demand] = field(default_factory=dict)
    _clients: dict[str, Client] = field(default_factory=dict)
    _tokens: dict[str, _Issued] = field(default_factory=dict, repr=False)
    _seen: set[str] = field(default_factory=set, repr=False)

    def demand(self, wish: Demand) -> None:
        """Demand this from now on."""
        if wish.what is None:
            self._demands.pop(wish.path, None)
        else:
            self._demands[wish.path] = wish

    def register(self, client: Client) -> None:
        """Know this client from now on, in place of one of the same id."""
        self._clients[client.client_id] = client

    def revoke(self) -> int:
        """Let no token count any longer that was given until now. How many there were."""
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def met(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a call brings what is demanded at its path."""
        wish = self._demands.get(path, self._demands.get(None))
        if wish is None:
            return True
        if wish.what == "apiKey":
            return hmac.compare_digest(headers.get(wish.header, "").encode(), wish.value.encode())
        scheme, _, text = headers.get("Authorization", "").partition(" ")
        token = self._tokens.get(text) if scheme.lower() == "bearer" else None
        return token is not None and self.clock() < token.ends and wish.scope in (None, *token.scope.split())

    def token(self, form: Mapping[str, str], headers: Mapping[str, str], address: str) -> dict[str, Any]:
        """A token for a client that shows who it is. `address`: that of this service, as it was called.

        Raises NotThatClient.
        """
        client = self._client(form, headers, address)
        text, scope = secrets.token_urlsafe(24), form.get("scope", "")
        self._tokens[text] = _Issued(client.client_id, scope, self.clock() + timedelta(seconds=client.life_seconds))
        self.issued += 1
        return {"access_token": text, "token_type": "Bearer", "expires_in": client.life_seconds, "scope": scope}

    def _client(self, form: Mapping[str, str], headers: Mapping[str, str], address: str) -> Client:
        scheme, _, basic = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, _, secret = _decoded(basic).partition(":")
            return self._by_secret(unquote_plus(name), unquote_plus(secret))
        client = self._clients.get(form.get("client_id", ""))
        if form.get("client_assertion_type") == _ASSERTION and client is not None and client.public_key is not None:
            self._verify(client, form.get("client_assertion", ""), address)
            return client
        return self._by_secret(form.get("client_id", ""), form.get("client_secret", ""))

    def _by_secret(self, name: str, secret: str) -> Client:
        client = self._clients.get(name)
        if client is None or client.client_secret is None:
            raise NotThatClient
        if not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
            raise NotThatClient
        return client

    def _verify(self, client: Client, assertion: str, address: str) -> None:
        try:
            claims = jwt.decode(
                assertion,
                client.public_key or "",
                algorithms=_ALGORITHMS,
                audience=address,
                issuer=client.client_id,
                subject=client.client_id,
                options={"require": ["exp", "iat", "jti", "sub", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            raise NotThatClient from error
        if claims["exp"] - claims["iat"] > _LONGEST_ASSERTION_S or claims["jti"] in self._seen:
            raise NotThatClient
        self._seen.add(claims["jti"])


def _decoded(basic: str) -> str:
    try:
        return base64.b64decode(basic, validate=True).decode("ascii")
    except ValueError:
        raise NotThatClient from None
