"""Token exchange (RFC 8693, domain/helseid.md section 7): an API calls the next one as a HelseID client of its own.

The subject is the client that the first token was given to, the actor the API that exchanges it. The new token is bound
to the actor's proof key. Which client it names, and whether the other one is visible, is not published: a rule each.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sandbox.helseid.jose import Unreadable, is_signed_by, read
from sandbox.helseid.names import ACCESS_TOKEN
from sandbox.helseid.refusals import OAuthError
from sandbox.helseid.registrations import ORGNR_CHILD, ORGNR_PARENT, ORGNR_SUPPLIER, Client
from sandbox.helseid.registry import Registry
from sandbox.helseid.rules import Rules
from sandbox.helseid.signing import SigningKeys

_ORGANISATIONS: Final = (ORGNR_PARENT, ORGNR_CHILD, ORGNR_SUPPLIER)


@dataclass(frozen=True, slots=True)
class Subject:
    """The token that was handed in, verified: whose it is, and what is carried over."""

    client: Client
    claims: dict[str, Any]

    def organisations(self) -> dict[str, str]:
        """The organisations it speaks for, as claims."""
        return {name: str(self.claims[name]) for name in _ORGANISATIONS if name in self.claims}


def subject_of(
    fields: dict[str, str], actor: Client, keys: SigningKeys, registry: Registry, issuer: str, now: datetime
) -> Subject:
    """The subject of an exchange at the time `now` (UTC). Raises OAuthError."""
    if not actor.may_exchange:
        raise OAuthError("unauthorized_client", "The client may not exchange tokens.")
    if fields.get("subject_token_type") != ACCESS_TOKEN or "subject_token" not in fields:
        raise OAuthError("invalid_request", f"Send a subject_token of the type {ACCESS_TOKEN}.")
    try:
        token = read(fields["subject_token"])
    except Unreadable:
        raise _refused("is not a signed JWT") from None
    published = keys.published()["keys"]
    if not any(key["kid"] == token.header.get("kid") and is_signed_by(token, key) for key in published):
        raise _refused("is not signed by this issuer")
    claims = token.claims
    if claims.get("iss") != issuer or token.header.get("typ") != "at+jwt":
        raise _refused("is not an access token of this issuer")
    expires = claims.get("exp")
    if not isinstance(expires, int) or expires <= now.timestamp():
        raise _refused("has expired")
    client = registry.find(str(claims.get("client_id")))
    if client is None:
        raise _refused("belongs to a client that is not known")
    return Subject(client, claims)


def named_client(subject: Subject, actor: Client, rules: Rules) -> Client:
    """The client that the new token names."""
    return actor if rules.exchanged_client == "actor" else subject.client


def carried_over(subject: Subject, actor: Client, rules: Rules) -> dict[str, Any]:
    """Claims that the new token gets besides those of the client it names."""
    other = subject.client if rules.exchanged_client == "actor" else actor
    act = {"act": {"client_id": other.client_id}} if rules.exchanged_act else {}
    return {**subject.organisations(), **act}


def _refused(what: str) -> OAuthError:
    return OAuthError("invalid_grant", f"The subject token {what}.")
