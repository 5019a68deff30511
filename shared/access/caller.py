"""Who is calling, once the token has been verified."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as HelseID vouches for it."""

    vkp_id: str
    """VKP's name for the sending system; opaque."""
    client_id: str
    scopes: frozenset[str]
    """The scopes that count here (see `shared.access.scopes`)."""
    orgnr_parent: str | None = None
    orgnr_child: str | None = None
