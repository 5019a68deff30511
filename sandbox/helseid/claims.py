"""What stands in an access token for VKP (domain/helseid.md 4.2, domain/vkp-api.md 3.1)."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sandbox.helseid.clients import AUDIENCE, Client

LIFETIME_S: Final = 600
"""Seconds, as in the tokens recorded from HelseID's test environment."""


def access_token_claims(
    client: Client,
    scopes: Iterable[str],
    issuer: str,
    now: datetime,
    *,
    lifetime_s: int = LIFETIME_S,
    orgnr_child: str | None = None,
) -> dict[str, Any]:
    """The claims of a token for this client, issued at the time `now` (UTC)."""
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": AUDIENCE,
        "nbf": issued,
        "iat": issued,
        "exp": issued + lifetime_s,
        "jti": secrets.token_hex(16).upper(),
        "scope": list(scopes),
        "client_id": client.client_id,
        "client_amr": "private_key_jwt",
        "helseid://claims/client/amr": "private_key_jwt",
        "helseid://claims/client/client_name": client.name,
        "nhn:vkp/client/claims/vkp-id": client.vkp_id,
    }
    if client.orgnr_parent:
        claims["helseid://claims/client/claims/orgnr_parent"] = client.orgnr_parent
    if orgnr_child:
        claims["helseid://claims/client/claims/orgnr_child"] = orgnr_child
    return claims
