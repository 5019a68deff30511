"""What a call of the token endpoint is answered with: client_credentials or a token exchange, by private_key_jwt.

The order is that of domain/helseid.md section 10. The one thing that is known about HelseID's own: an assertion is used
up only by a request that got past its proof, because NHN's Java library sends the same one again with the nonce.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sandbox.helseid import proof
from sandbox.helseid.assertion import check_assertion
from sandbox.helseid.claims import Organisations, access_token_claims
from sandbox.helseid.details import organisations
from sandbox.helseid.exchange import Subject, carried_over, named_client, subject_of
from sandbox.helseid.names import ASSERTION_TYPE, EXCHANGE
from sandbox.helseid.nonces import Nonces
from sandbox.helseid.refusals import OAuthError
from sandbox.helseid.registrations import Api, Client
from sandbox.helseid.registry import Registry
from sandbox.helseid.rules import Rules
from sandbox.helseid.seen import Seen
from sandbox.helseid.signing import SigningKeys

KNOWN_GRANTS: Final = frozenset({"authorization_code", "client_credentials", "refresh_token", EXCHANGE})
_IDENTITY_SCOPES: Final = frozenset({"openid", "profile", "offline_access"})
_IDENTITY_PREFIX: Final = "helseid://scopes/"


@dataclass(frozen=True, slots=True)
class Granted:
    """The claims to sign, and what goes into the answer beside them."""

    claims: dict[str, Any]
    scopes: tuple[str, ...]
    rejected_scopes: tuple[str, ...]
    expires_in: int
    token_type: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What the decision is made with."""

    issuer: str
    token_endpoint: str
    registry: Registry
    keys: SigningKeys
    rules: Rules
    seen: Seen
    nonces: Nonces


def grant(form: Sequence[tuple[str, str]], proofs: Sequence[str], desk: Desk, now: datetime) -> Granted:
    """Decide about a request's form fields and its DPoP headers at the time `now` (UTC). Raises OAuthError."""
    fields = dict(form)
    if len(fields) != len(form):
        raise OAuthError("invalid_request", "A parameter is sent more than once.")
    client = _client(fields, desk.registry)
    assertion = check_assertion(fields["client_assertion"], client, desk.rules, desk.issuer, now)
    kind = _grant_kind(fields.get("grant_type"))
    if desk.rules.strict_assertion_jti:
        assertion.burn(desk.seen, now)
    proven = _proof(proofs, client, desk, now)
    if not desk.rules.strict_assertion_jti:
        assertion.burn(desk.seen, now)
    subject = subject_of(fields, client, desk.keys, desk.registry, desk.issuer, now) if kind == EXCHANGE else None
    spoken_for = organisations(assertion.claims, client)
    asked = granted_scopes(fields.get("scope"), client)
    scopes = tuple(scope for scope in asked if scope not in spoken_for.rejected_scopes)
    if not scopes:
        raise OAuthError("invalid_scope", "The organisation has accepted none of the scopes.")
    apis, scopes = _apis(scopes, fields.get("resource"), desk.registry)
    named = client if subject is None else named_client(subject, client, desk.rules)
    claims = access_token_claims(
        named,
        scopes,
        apis,
        desk.issuer,
        now,
        lifetime_s=client.token_lifetime_s,
        organisations=spoken_for if subject is None else Organisations(),
        jkt=proven.jkt if proven else None,
    )
    if subject is not None:
        claims |= _from(subject, client, apis, desk.rules)
    rejected = tuple(scope for scope in asked if scope in spoken_for.rejected_scopes)
    return Granted(claims, scopes, rejected, client.token_lifetime_s, "DPoP" if proven else "Bearer")


def granted_scopes(asked: str | None, client: Client) -> tuple[str, ...]:
    """The scopes to give, in the order asked for: all the client has when none are. Raises OAuthError."""
    names = tuple(dict.fromkeys((asked or "").split()))
    for name in names:
        if name in _IDENTITY_SCOPES or name.startswith(_IDENTITY_PREFIX):
            raise OAuthError("invalid_scope", "Identity scopes cannot be given to a client on its own.")
        if name not in client.scopes:
            raise OAuthError("invalid_scope", "A scope is not allowed for this client.")
    return names or client.scopes


def _client(fields: dict[str, str], registry: Registry) -> Client:
    if "client_secret" in fields:
        raise OAuthError("invalid_client", "Clients authenticate with private_key_jwt only.")
    client = registry.find(fields.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client", "The client is not known (client_id).")
    if fields.get("client_assertion_type") != ASSERTION_TYPE or not fields.get("client_assertion"):
        raise OAuthError("invalid_client", f"Send a client_assertion of the type {ASSERTION_TYPE}.")
    return client


def _grant_kind(kind: str | None) -> str:
    if kind in ("client_credentials", EXCHANGE):
        return kind
    if kind in KNOWN_GRANTS:
        raise OAuthError("unauthorized_client", "The client may not use this grant.")
    raise OAuthError("unsupported_grant_type", "Send grant_type=client_credentials.")


def _proof(proofs: Sequence[str], client: Client, desk: Desk, now: datetime) -> proof.Proven | None:
    if client.dpop == "off" and proofs:
        raise OAuthError("invalid_request", "The client is registered for Bearer tokens: leave out the DPoP header.")
    if not proofs:
        if client.dpop == "required":
            raise OAuthError("invalid_dpop_proof", "The client must send a DPoP proof.")
        return None
    proven = proof.check_proof(proofs, desk.token_endpoint, desk.nonces, now)
    proven.burn(desk.seen, now)
    return proven


def _apis(scopes: tuple[str, ...], resource: str | None, registry: Registry) -> tuple[tuple[Api, ...], tuple[str, ...]]:
    """The APIs that the scopes are of, and the scopes; `resource` chooses one of them (RFC 8707)."""
    apis = tuple(api for api in registry.apis if any(api.owns(scope) for scope in scopes))
    if resource is not None:
        apis = tuple(api for api in apis if api.audience == resource)
        if not apis:
            raise OAuthError("invalid_target", "The resource is not one that the scopes are of.")
        scopes = tuple(scope for scope in scopes if apis[0].owns(scope))
    if not apis:
        raise OAuthError("invalid_scope", "The scopes belong to no API that is known.")
    return apis, scopes


def _from(subject: Subject, actor: Client, apis: tuple[Api, ...], rules: Rules) -> dict[str, Any]:
    wanted = {"act", *(name for api in apis for name in api.claims)}
    return {name: value for name, value in carried_over(subject, actor, rules).items() if name in wanted}
