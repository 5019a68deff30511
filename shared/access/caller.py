"""Who is calling, once the token has been verified."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

HELSEID: Final = "helseid:"
ENTRA: Final = "entra:"
"""What stands before a person's name: who vouches for them."""
SECURITY_LEVEL: Final = "4"
"""HelseID's level for those who saw an eID of the highest level; compared as text (HelseID's claim is text)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is logged in at the calling system, as their issuer vouches for them. What they may do is not in here."""

    subject: str
    """What the issuer calls them for ever, the issuer before it: `helseid:…` or `entra:…`. Never a national identity
    number."""
    name: str = field(repr=False)
    """For showing to themselves; never kept, never logged. "" when the token has none."""
    orgnr: str | None
    """The organisation they are logged in for, where the token says it."""
    security_level: str
    """Of the eID they logged in with: "4" is the highest. Compared as text. "" from Entra ID, which says none."""
    roles: frozenset[str] = frozenset()
    """The app roles that Entra ID says they have; none from HelseID."""

    @property
    def is_surely_known(self) -> bool:
        """Whether their login is strong enough to be shown anything: HelseID's highest level, or whatever the one
        tenant demands of its own people (Conditional Access; checked with the token where a setting says so)."""
        return self.subject.startswith(ENTRA) or self.security_level == SECURITY_LEVEL


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as HelseID vouches for it. From the token alone, never from anything else in the call."""

    vkp_id: str
    """VKP's name for the sending system; opaque. "" when the token has none, which only a `TokenPolicy` allows that
    asks for organisation claims instead."""
    client_id: str
    scopes: frozenset[str]
    """The scopes that count here (see `shared.access.scopes`)."""
    orgnr_parent: str | None = None
    orgnr_child: str | None = None
    orgnr_supplier: str | None = None
    """The supplier that holds the delegation of a multi-tenant client."""
    tenancy: str | None = None
    """`none`, `single-tenant` or `multi-tenant`, as HelseID has it; nothing is decided by it."""
    expires_at: datetime | None = None
    """When the token ends (UTC)."""
    token_id: str = ""
    """A hash of the token's `jti` (of the token, when it has none): tells two tokens apart in a log, opens nothing."""
    is_bound: bool = False
    """Whether this call proved that the token is its own (DPoP)."""
    person: Person | None = None
    """Who is logged in; None for a token of the system alone."""
