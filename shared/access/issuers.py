"""Several issuers at one door: which of them a token is judged by.

The token says so itself, before anything is proven, so that only chooses the judge: each holds the token against its
own issuer, keys and audience, and a token that names none of them is judged (and refused) by the first.
"""

from collections.abc import Mapping

from shared.access.authenticate import Authenticator
from shared.access.caller import Caller
from shared.access.compact import take_apart
from shared.access.credentials import Credentials, presented
from shared.errors import TokenMalformed


class AnyIssuer:
    """Knows who is calling, with a token of any of these issuers. Belongs to one event loop."""

    def __init__(self, first: Authenticator, others: Mapping[str, Authenticator]) -> None:
        """`others` by their issuers, exactly as in `iss`."""
        self._first = first
        self._others = dict(others)

    async def caller(self, credentials: Credentials) -> Caller:
        """Who is calling. Raises what `Authenticator.caller` raises."""
        return await self._judge(credentials).caller(credentials)

    async def close(self) -> None:
        """Stop what is under way."""
        for each in (self._first, *self._others.values()):
            await each.close()

    def _judge(self, credentials: Credentials) -> Authenticator:
        if not self._others:
            return self._first
        try:
            issuer = take_apart(presented(credentials).token).claims.get("iss")
        except TokenMalformed:
            return self._first
        return self._others.get(issuer, self._first) if isinstance(issuer, str) else self._first
