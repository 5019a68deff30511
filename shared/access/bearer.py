"""The Authorization header (RFC 6750): the token out of a call, and the challenge into a refusal."""

import re
from collections.abc import Sequence
from typing import Final

from shared.errors import HubError, NotAuthenticated, ScopeMissing, TokenMalformed

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def bearer_token(authorization: str | Sequence[str] | None) -> str:
    """The token in the Authorization header's value, or values when the header came more than once.

    Raises NotAuthenticated when there is no bearer token (no header, or another scheme: DPoP is not taken here), and
    TokenMalformed when it cannot be said what the token is (several headers, something else than one token).
    """
    values = [authorization] if isinstance(authorization, str) else list(authorization or ())
    if not values:
        raise NotAuthenticated
    if len(values) > 1:
        raise TokenMalformed
    scheme, _, rest = values[0].strip(" \t").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated
    token = rest.strip(" ")
    if not token:
        raise NotAuthenticated
    if _TOKEN.fullmatch(token) is None:
        raise TokenMalformed
    return token


def challenge(error: HubError) -> str | None:
    """The value of WWW-Authenticate that belongs to this refusal, or None when it was not about the token."""
    if isinstance(error, ScopeMissing):
        return _with_error("insufficient_scope", error)
    if not isinstance(error, NotAuthenticated):
        return None
    if type(error) is NotAuthenticated:
        return "Bearer"
    return _with_error("invalid_token", error)


def _with_error(name: str, error: HubError) -> str:
    # Outside these characters RFC 6750 section 3 allows nothing in a description.
    text = re.sub(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]", "", error.text())
    return f'Bearer error="{name}", error_description="{text}"'
