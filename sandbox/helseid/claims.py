"""What stands in an access token (domain/helseid.md 4.2). The API's registration decides, not the client."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from sandbox.helseid.registrations import (
    CLIENT_NAME,
    JOURNAL_ID,
    ORGNR_CHILD,
    ORGNR_PARENT,
    ORGNR_SUPPLIER,
    TENANCY,
    TENANCY_IN_TTT,
    VKP_ID,
    Api,
    Client,
)

_TENANCIES: Final = {"none": "none", "single": "single-tenant", "multi": "multi-tenant"}


@dataclass(frozen=True, slots=True)
class Organisations:
    """The organisations a token speaks for, and the SFM journal that was named with them."""

    parent: str | None = None
    child: str | None = None
    supplier: str | None = None
    journal_id: str | None = None
    rejected_scopes: tuple[str, ...] = ()

    @classmethod
    def of(cls, client: Client) -> Self:
        """Those of a client that names none: its own, when it is single-tenant."""
        return cls(parent=client.orgnr_parent if client.tenancy == "single" else None)


def access_token_claims(
    client: Client,
    scopes: Iterable[str],
    apis: Sequence[Api],
    issuer: str,
    now: datetime,
    *,
    lifetime_s: int | None = None,
    organisations: Organisations | None = None,
    jkt: str | None = None,
) -> dict[str, Any]:
    """The claims of a token for this client and these APIs, issued at the time `now` (UTC)."""
    issued = int(now.timestamp())
    audiences = [api.audience for api in apis]
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audiences[0] if len(audiences) == 1 else audiences,
        "nbf": issued,
        "iat": issued,
        "exp": issued + (client.token_lifetime_s if lifetime_s is None else lifetime_s),
        "jti": secrets.token_hex(16).upper(),
        "scope": list(scopes),
        "client_id": client.client_id,
        "client_amr": "private_key_jwt",
        "helseid://claims/client/amr": "private_key_jwt",
    }
    if jkt is not None:
        claims["cnf"] = {"jkt": jkt}
    return claims | _asked_for(client, apis, organisations or Organisations.of(client))


def _asked_for(client: Client, apis: Sequence[Api], organisations: Organisations) -> dict[str, str]:
    known = {
        **client.claims,
        CLIENT_NAME: client.name or client.client_id,
        VKP_ID: client.vkp_id,
        TENANCY: _TENANCIES[client.tenancy],
        TENANCY_IN_TTT: _TENANCIES[client.tenancy],
        ORGNR_PARENT: organisations.parent,
        ORGNR_CHILD: organisations.child,
        ORGNR_SUPPLIER: organisations.supplier,
        JOURNAL_ID: organisations.journal_id,
    }
    asked = {name for api in apis for name in api.claims}
    return {name: value for name, value in known.items() if name in asked and value is not None}
