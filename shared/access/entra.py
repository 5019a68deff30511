"""A verified token of Microsoft Entra ID, read into who is logged in: the hub's own people, above all its operators.

The claims are those of v2.0 access tokens ("Access token claims reference" and "Access tokens in the Microsoft identity
platform" in Microsoft's public documentation). One tenant only; signed with RS256, as all of Entra's access tokens are.
What a person may do is decided elsewhere: here only the names of the app roles they have been given are taken over.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from shared.access.caller import ENTRA, Caller, Person
from shared.access.claims import ID_TOKEN_ONLY, name_in, optional_name_in, seconds, token_id
from shared.access.tokens import TokenPolicy
from shared.errors import TokenClaims

ALGORITHMS: Final = frozenset({"RS256"})
SCOPE: Final = "access_as_user"
"""As the portal suggests for an API's one scope for people."""
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_ROLES: Final = 100
_CLOUD: Final = "https://login.microsoftonline.com"


def is_tenant(text: str) -> bool:
    """Whether this names one tenant: never `common`, `organizations` or `consumers`, which stand for all of them."""
    return _GUID.fullmatch(text) is not None


def issuer_of_tenant(tenant: str) -> str:
    """What stands in `iss` of its v2.0 tokens."""
    return f"{_CLOUD}/{tenant}/v2.0"


@dataclass(frozen=True, slots=True)
class EntraClaims:
    """What this API demands of the claims beside issuer, audience and times. ValueError when it is not one tenant's."""

    tenant: str
    """Its id, a GUID in lower case."""
    scope: str = SCOPE
    """What a person must have let the calling app do. An app's own token and an id token have no scope at all."""
    auth_context: str = ""
    """The authentication context (`acrs`) that must have been satisfied: how an API demands a stronger login of Entra
    (Conditional Access). Empty: what the tenant demands of everybody is enough."""

    def __post_init__(self) -> None:
        if not is_tenant(self.tenant):
            raise ValueError("the tenant must be a GUID in lower case")
        if not self.scope:
            raise ValueError("a scope must be demanded: it is what tells a person's token from an app's")

    def __call__(self, claims: dict[str, Any], token: str) -> Caller:
        """Who this token speaks for. Raises TokenClaims."""
        if claims.get("ver") != "2.0" or claims.get("tid") != self.tenant or not ID_TOKEN_ONLY.isdisjoint(claims):
            raise TokenClaims
        # `idtyp` is optional; `scp` is in people's tokens alone. An app's token has roles too: they are the app's.
        if claims.get("idtyp") not in (None, "user") or self.scope not in _scopes(claims.get("scp")):
            raise TokenClaims
        if self.auth_context and self.auth_context not in _texts(claims.get("acrs")):
            raise TokenClaims
        person = claims.get("oid")
        if not isinstance(person, str) or not _GUID.fullmatch(person):
            raise TokenClaims
        name_in(claims.get("sub"))
        return Caller(
            vkp_id="",
            client_id=name_in(claims.get("azp")),
            scopes=frozenset(),
            expires_at=datetime.fromtimestamp(seconds(claims["exp"]), UTC),
            token_id=token_id(claims.get("uti"), token),
            is_bound="cnf" in claims,
            person=Person(
                f"{ENTRA}{person}", optional_name_in(claims.get("name")) or "", None, "", _texts(claims.get("roles"))
            ),
        )


def entra_policy(issuer: str, audience: str, claims: EntraClaims) -> TokenPolicy:
    """What is demanded of a token of this tenant. `audience` is the API's client id: v2.0 tokens have nothing else."""
    return TokenPolicy(issuer=issuer, audience=audience, algorithms=ALGORITHMS, claims=claims)


def _scopes(claim: object) -> frozenset[str]:
    if claim is None:
        return frozenset()
    if not isinstance(claim, str):
        raise TokenClaims
    return frozenset(claim.split(" ")) - {""}


def _texts(claim: object) -> frozenset[str]:
    if claim is None:
        return frozenset()
    if not isinstance(claim, list) or len(claim) > _MOST_ROLES or not all(isinstance(each, str) for each in claim):
        raise TokenClaims
    return frozenset(claim)
