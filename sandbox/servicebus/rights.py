"""What the client of one connection may do: the tokens that it has put, and for how long they count."""

from collections.abc import Callable

from sandbox.servicebus import cbs, refusals
from sandbox.servicebus.context import Context

_FOR_EVER = 2**62
_FAR = 2**40
"""Seconds since 1970 beyond which nobody waits for a token to run out."""


class Rights:
    """The claims of one connection. Without a key (None) everything is allowed.

    `on_expiry` is called when a token has run out: links that no other token covers should go.
    """

    def __init__(self, key: cbs.Key | None, context: Context, on_expiry: Callable[[], None]) -> None:
        self._key, self._context, self._on_expiry = key, context, on_expiry
        self._claims: dict[str, int] = {}

    def grant_all(self) -> None:
        """The client has shown the key itself."""
        self._claims[""] = _FOR_EVER

    def put_token(self, token: object, audience: object) -> None:
        """Take a token. Raises cbs.NotAuthorized."""
        claim = cbs.verify(token, audience, self._key, self._context.clock.now() // 1000)
        self._claims[claim.path] = claim.expires_at
        if claim.expires_at < _FAR:
            self._context.deadlines.set((id(self), claim.path), claim.expires_at * 1000, self._on_expiry)

    def authorize(self, path: str) -> None:
        """Raises Refusal unless a token gives a right to the path."""
        if self._key is None:
            return
        now = self._context.clock.now() // 1000
        for claimed, expires_at in self._claims.items():
            if expires_at > now and cbs.Claim(claimed, expires_at).covers(path):
                return
        raise refusals.unauthorized(f"Unauthorized access. A valid token for '{path}' has not been put to $cbs.")

    def closed(self) -> None:
        """The connection has ended: no token of it is waited for."""
        for path in self._claims:
            self._context.deadlines.cancel((id(self), path))
