"""What a call brings to say who is calling: one token in Authorization, and with DPoP one proof (RFC 6750, RFC 9449).

One reading only. Where two parts of the way (a gateway, the host, this code) could read a header differently, the call
is refused: that is what header smuggling lives of.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from shared.access.refusals import CredentialsDoubtful, ProofMalformed, ProofMissing
from shared.errors import NotAuthenticated

type HeaderValue = str | Sequence[str] | None
"""A header as it came: absent, once, or several times. Azure Functions gives several as one, a comma between."""

_IN_ADDRESS: Final = re.compile(r"[?&;]access_token=", re.IGNORECASE)
"""RFC 6750, 2.3: a token in the address. It ends up in logs, and nobody here reads it."""


class Scheme(Enum):
    """How a token is sent."""

    BEARER = "Bearer"
    DPOP = "DPoP"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A call's credentials, unread. Never shown."""

    authorization: HeaderValue = field(repr=False)
    dpop: HeaderValue = field(default=None, repr=False)
    method: str = ""
    url: str = field(default="", repr=False)
    """The call's address or path as it came. Only the path counts; the host in it is whatever the caller wrote."""


@dataclass(frozen=True, slots=True)
class Presented:
    """The token that is presented, how, and the proof with it (DPoP only)."""

    scheme: Scheme
    token: str = field(repr=False)
    proof: str | None = field(default=None, repr=False)


def presented(credentials: Credentials) -> Presented:
    """What the headers say.

    Whether token and proof are well formed is not judged here. Raises NotAuthenticated when no token is presented,
    CredentialsDoubtful (400) when more than one may be, and ProofMissing or ProofMalformed when the scheme is DPoP and
    there is not exactly one proof.
    """
    values = _values(credentials.authorization)
    if not values:
        raise NotAuthenticated
    if len(values) > 1 or "," in values[0] or _IN_ADDRESS.search(credentials.url):
        raise CredentialsDoubtful
    scheme, rest = _scheme(values[0])
    token = rest.strip(" ")
    if scheme is None or not token:
        raise NotAuthenticated
    return Presented(scheme, token, _proof(credentials.dpop) if scheme is Scheme.DPOP else None)


def tried(authorization: HeaderValue) -> Scheme | None:
    """The scheme a caller has tried, as far as that can be said: the one its challenge should speak of."""
    values = _values(authorization)
    return _scheme(values[0])[0] if values else None


def _proof(header: HeaderValue) -> str:
    values = _values(header)
    # A comma in what a merging host made of two headers; no compact JWS has one.
    if len(values) > 1 or any("," in value for value in values):
        raise ProofMalformed
    if not values or not values[0].strip(" \t"):
        raise ProofMissing
    return values[0].strip(" \t")


def _values(header: HeaderValue) -> list[str]:
    return [header] if isinstance(header, str) else list(header or ())


def _scheme(value: str) -> tuple[Scheme | None, str]:
    name, _, rest = value.strip(" \t").partition(" ")
    return _SCHEMES.get(name.lower()), rest


_SCHEMES: Final = {scheme.value.lower(): scheme for scheme in Scheme}
