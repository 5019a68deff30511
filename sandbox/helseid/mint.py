"""Test tokens, right or wrong in a chosen way: what the hub must let in and what it must refuse.

In the spirit of HelseID's own test-token service (domain/helseid.md section 10). Not reachable from anywhere but this
machine, and signed with the sandbox's key: no real API accepts such a token.
"""

import base64
import json
from datetime import datetime
from typing import Any, Final, Literal

import jwt
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sandbox.helseid import jwk
from sandbox.helseid.claims import LIFETIME_S, access_token_claims
from sandbox.helseid.clients import Client
from sandbox.helseid.signing import SigningKeys, sign

_PAST_S: Final = 3600
_BOUND_TO: Final = {"jkt": "A" * 43}
_HMAC_KEY: Final = b"a shared secret that no HelseID ever had"


class MintOrder(BaseModel):
    """The switches. Without any: a token as the token endpoint gives to the first sandbox vendor."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    client_id: str = "trygghetsvakt"
    vkp_id: str | None = None
    """Another vkp-id than the client's own."""
    without_vkp_id: bool = False
    client_amr: str | None = None
    scope: list[str] | str | None = None
    """The scopes, whatever the client may have; a string is sent as a string."""
    lifetime_seconds: int = LIFETIME_S
    expired: bool = False
    """Issued and expired an hour ago."""
    not_yet_valid: bool = False
    """`nbf` an hour from now."""
    audience: str | list[str] | None = None
    issuer: str | None = None
    typ: str = "at+jwt"
    alg: Literal["RS256", "HS256", "none"] = "RS256"
    kid: str | None = None
    wrong_key: bool = False
    """Signed with a key that is not published, under the id of the one that is."""
    dpop_bound: bool = False
    duplicate_key: bool = False
    """The member `aud` twice in the claims, properly signed."""
    claims: dict[str, Any] = Field(default_factory=dict)
    """Set or replaced last."""
    without: list[str] = Field(default_factory=list)
    """Claims left out."""


def mint(order: MintOrder, client: Client, keys: SigningKeys, issuer: str, now: datetime) -> str:
    """The token that was ordered, at the time `now` (UTC)."""
    return _signed(order, _claims(order, client, issuer, now), keys)


def _claims(order: MintOrder, client: Client, issuer: str, now: datetime) -> dict[str, Any]:
    scopes = client.scopes if order.scope is None or isinstance(order.scope, str) else order.scope
    claims = access_token_claims(client, scopes, issuer, now, lifetime_s=order.lifetime_seconds)
    chosen: dict[str, Any] = {
        "iss": order.issuer,
        "aud": order.audience,
        "client_amr": order.client_amr,
        "nhn:vkp/client/claims/vkp-id": order.vkp_id,
        "scope": order.scope,
        "cnf": _BOUND_TO if order.dpop_bound else None,
    }
    claims |= {name: value for name, value in chosen.items() if value is not None}
    if order.expired:
        claims |= {name: claims[name] - _PAST_S - order.lifetime_seconds for name in ("nbf", "iat", "exp")}
    if order.not_yet_valid:
        claims |= {"nbf": claims["nbf"] + _PAST_S, "exp": claims["exp"] + _PAST_S}
    claims |= order.claims
    left_out = {*order.without, *(("nhn:vkp/client/claims/vkp-id",) if order.without_vkp_id else ())}
    return {name: value for name, value in claims.items() if name not in left_out}


def _signed(order: MintOrder, claims: dict[str, Any], keys: SigningKeys) -> str:
    kid = order.kid or keys.current.kid
    headers = {"typ": order.typ, "kid": kid}
    if order.alg == "none":
        return jwt.encode(claims, "", algorithm="none", headers=headers)
    if order.alg == "HS256":
        return jwt.encode(claims, _HMAC_KEY, algorithm="HS256", headers=headers)
    private = (jwk.make("RS256") if order.wrong_key else keys.current).private
    if order.duplicate_key:
        text = json.dumps(claims)[:-1] + f', "aud": {json.dumps(claims.get("aud"))}}}'
        return jwt.PyJWS().encode(text.encode(), private, algorithm="RS256", headers=headers)
    if order.kid is None:
        return sign(jwk.KeyPair(kid, "RS256", private), claims, order.typ)
    return jwt.encode(claims, private, algorithm="RS256", headers=headers)


def with_broken_signature(token: str) -> str:
    """The same token with one bit of its signature turned."""
    start, _, signature = token.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    raw[0] ^= 1
    return f"{start}.{base64.urlsafe_b64encode(bytes(raw)).rstrip(b'=').decode('ascii')}"
