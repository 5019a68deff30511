"""Beside HelseID a small Microsoft Entra ID: one tenant whose people get v2.0 access tokens for the hub, made to order.

It has an issuer and keys of its own, and no login: only what a hub needs to know such a token, and what a test needs to
make one wrong (`POST /_sandbox/entra/mint`, only from this machine). Real Entra ID trusts none of it.

GET  /entra/TENANT/v2.0/.well-known/openid-configuration    the metadata, with the names that Entra ID uses
GET  /entra/TENANT/discovery/v2.0/keys                      the keys, each with its issuer
POST /_sandbox/entra/mint   {"roles": ["Knutepunkt.Operator"], …}: an access token (`EntraOrder` lists the switches)
POST /_sandbox/entra/rotate {}: sign with a new key; the one before stays published
"""

import asyncio
import base64
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from sandbox.helseid import jwk, signing
from sandbox.helseid.endpoints import NO_STORE
from sandbox.helseid.jose import assemble
from sandbox.helseid.standin import HelseId

TENANT: Final = "5a4dbc0e-0000-4000-8000-00000000e27a"
AUDIENCE: Final = "5a4dbc0e-0000-4000-8000-0000000000a9"
"""The hub's application id."""
CLIENT: Final = "5a4dbc0e-0000-4000-8000-0000000000c1"
SOMEBODY: Final = "5a4dbc0e-0000-4000-8000-000000000001"
OPERATOR: Final = "Knutepunkt.Operator"
SCOPE: Final = "access_as_user"
BITS: Final = 2048
"""As Entra ID's keys have."""
_HOUR_S: Final = 3600
_EARLIER_S: Final = 300
"""Entra ID backdates `nbf` and `iat` by five minutes."""
_CONFIG = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class EntraOrder(BaseModel):
    """The switches. Without any: a token of somebody of the tenant who has no app role."""

    model_config = _CONFIG

    oid: str = SOMEBODY
    name: str = "Ola Syntetisk"
    roles: list[str] = Field(default_factory=list)
    tenant: str = TENANT
    """Of issuer and `tid` both: another one makes a token of another tenant, signed with the same key."""
    lifetime_seconds: int = _HOUR_S
    wrong_key: bool = False
    """Signed with a key that is not published, under the id of the one that is."""
    header: dict[str, Any] = Field(default_factory=dict)
    claims: dict[str, Any] = Field(default_factory=dict)
    """Set or replaced last."""
    without: list[str] = Field(default_factory=list)
    """Claims left out."""


class Entra:
    """The tenant."""

    def __init__(self, part: HelseId, path: Path, keys: signing.SigningKeys) -> None:
        """`path`: where its keys are kept."""
        self._part = part
        self._path = path
        self._keys = keys

    def issuer(self, tenant: str = TENANT) -> str:
        """What stands in `iss`."""
        return f"{self._part.issuer}/entra/{tenant}/v2.0"

    def facts(self) -> dict[str, str]:
        """What the hub must be told to trust it."""
        return {"tenant": TENANT, "audience": AUDIENCE, "issuer": self.issuer()}

    def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        base = f"{self._part.issuer}/entra/{TENANT}"
        return {
            "issuer": self.issuer(),
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        }

    def published(self) -> dict[str, Any]:
        """The key set: no `alg`, and each key says whose it is."""
        keys = [{k: v for k, v in each.items() if k != "alg"} for each in self._keys.published()["keys"]]
        return {"keys": [{**each, "issuer": self.issuer()} for each in keys]}

    def mint(self, order: EntraOrder) -> str:
        """A token as ordered."""
        return signed(claims_of(order, self.issuer(order.tenant), self._part.now()), order, self._keys.current)

    async def rotate(self) -> str:
        """Sign with a new key from now on. Returns its id."""
        new = await asyncio.to_thread(jwk.make, "RS256", bits=2048)
        keys = signing.rotated(self._keys, new, keep_old=True)
        await asyncio.to_thread(signing.save, self._path, keys)
        self._keys = keys
        return new.kid

    def routes(self) -> list[web.RouteDef]:
        """Its addresses."""

        async def metadata(_: web.Request) -> web.Response:
            return web.json_response(self.metadata())

        async def keys(_: web.Request) -> web.Response:
            return web.json_response(self.published())

        async def minted(request: web.Request) -> web.Response:
            try:
                order = EntraOrder.model_validate_json(await request.read() or b"{}")
            except ValidationError as error:
                wrong = [".".join(map(str, fault["loc"])) for fault in error.errors()]
                return web.json_response({"error": "not understood", "wrong": wrong}, status=400)
            token = await asyncio.to_thread(self.mint, order)
            headers = [["Authorization", f"Bearer {token}"]]
            answer = {"access_token": token, "token_type": "Bearer", "expires_in": order.lifetime_seconds}
            return web.json_response({**answer, "headers": headers}, headers=NO_STORE)

        async def rotated(_: web.Request) -> web.Response:
            return web.json_response({"kid": await self.rotate()})

        return [
            web.get(f"/entra/{TENANT}/v2.0/.well-known/openid-configuration", metadata),
            web.get(f"/entra/{TENANT}/discovery/v2.0/keys", keys),
            web.post("/_sandbox/entra/mint", minted),
            web.post("/_sandbox/entra/rotate", rotated),
        ]


def claims_of(order: EntraOrder, issuer: str, now: datetime) -> dict[str, Any]:
    """The claims of a v2.0 access token of a person, at the time `now` (UTC)."""
    at = int(now.timestamp()) - _EARLIER_S
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "iss": issuer,
        "iat": at,
        "nbf": at,
        "exp": at + _EARLIER_S + order.lifetime_seconds,
        "azp": CLIENT,
        "azpacr": "0",
        "name": order.name,
        "oid": order.oid,
        "preferred_username": "ola@solvik.example",
        "rh": "0.stand-in",
        "scp": SCOPE,
        # Pairwise: another one for each app.
        "sub": base64.urlsafe_b64encode(order.oid.encode()).decode(),
        "tid": order.tenant,
        "uti": uuid.uuid4().hex,
        "ver": "2.0",
        **({"roles": order.roles} if order.roles else {}),
        **order.claims,
    }
    return {name: value for name, value in claims.items() if name not in order.without}


def signed(claims: dict[str, Any], order: EntraOrder, pair: jwk.KeyPair) -> str:
    """The token, signed with this key (or, as ordered, with nobody's under its id)."""
    header = {"typ": "JWT", "alg": "RS256", "kid": pair.kid, **order.header}
    key = jwk.make("RS256", bits=BITS) if order.wrong_key else pair
    return assemble(header, claims, key.private, "RS256")
