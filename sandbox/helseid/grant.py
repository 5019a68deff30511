"""What a call of the token endpoint is answered with: `client_credentials` with `private_key_jwt`, nothing else.

DPoP is not done yet: the stand-in issues Bearer tokens, as VKP's own R4 API takes them, and says so to a client that
sends a proof.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sandbox.helseid.assertion import ASSERTION_TYPE, AssertionRules, Replays, check_assertion
from sandbox.helseid.claims import LIFETIME_S, access_token_claims
from sandbox.helseid.clients import AUDIENCE, Client
from sandbox.helseid.details import orgnr_child
from sandbox.helseid.refusals import OAuthError

KNOWN_GRANTS: Final = frozenset(
    {
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    }
)
_IDENTITY_SCOPES: Final = frozenset({"openid", "profile", "offline_access"})
_IDENTITY_PREFIX: Final = "helseid://scopes/"


@dataclass(frozen=True, slots=True)
class Granted:
    """The claims to sign, and the scopes that go into the answer."""

    claims: dict[str, Any]
    scopes: tuple[str, ...]
    expires_in: int = LIFETIME_S


def grant(
    form: Sequence[tuple[str, str]],
    *,
    dpop: bool,
    find: Callable[[str], Client | None],
    rules: AssertionRules,
    replays: Replays,
    now: datetime,
) -> Granted:
    """Decide about a request's form fields at the time `now` (UTC). Raises OAuthError.

    The order is that of domain/helseid.md section 10; an assertion is only used up by a request that got this far.
    """
    fields = dict(form)
    if len(fields) != len(form):
        raise OAuthError("invalid_request", "A parameter is sent more than once.")
    client = _client(fields, find)
    proven = check_assertion(fields["client_assertion"], client, rules, now)
    _check_grant(fields.get("grant_type"))
    if dpop:
        raise OAuthError("invalid_request", "This stand-in issues Bearer tokens: leave out the DPoP header.")
    replays.burn(client.client_id, proven, now)
    scopes = granted_scopes(fields.get("scope"), client)
    if fields.get("resource", AUDIENCE) != AUDIENCE:
        raise OAuthError("invalid_request", "The resource is not known.")
    child = orgnr_child(proven.claims)
    return Granted(access_token_claims(client, scopes, rules.issuer, now, orgnr_child=child), scopes)


def granted_scopes(asked: str | None, client: Client) -> tuple[str, ...]:
    """The scopes to give, in the order asked for: all the client has when none are. Raises OAuthError."""
    names = tuple(dict.fromkeys((asked or "").split()))
    if not names:
        return client.scopes
    for name in names:
        if name in _IDENTITY_SCOPES or name.startswith(_IDENTITY_PREFIX):
            raise OAuthError("invalid_scope", "Identity scopes cannot be given to a client on its own.")
        if name not in client.scopes:
            raise OAuthError("invalid_scope", "A scope is not allowed for this client.")
    return names


def _client(fields: dict[str, str], find: Callable[[str], Client | None]) -> Client:
    if "client_secret" in fields:
        raise OAuthError("invalid_client", "Clients authenticate with private_key_jwt only.")
    client = find(fields.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client", "The client is not known (client_id).")
    if fields.get("client_assertion_type") != ASSERTION_TYPE or not fields.get("client_assertion"):
        raise OAuthError("invalid_client", f"Send a client_assertion of the type {ASSERTION_TYPE}.")
    return client


def _check_grant(kind: str | None) -> None:
    if kind == "client_credentials":
        return
    if kind in KNOWN_GRANTS:
        raise OAuthError("unauthorized_client", "The client may only use client_credentials.")
    raise OAuthError("unsupported_grant_type", "Send grant_type=client_credentials.")
