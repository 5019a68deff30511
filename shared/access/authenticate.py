"""From an Authorization header to a caller: the parts of `access` wired together."""

from collections.abc import Sequence

import aiohttp

from shared.access.bearer import bearer_token
from shared.access.caller import Caller
from shared.access.discovery import Issuer, fetcher
from shared.access.keys import DEFAULTS, Keys, KeySettings
from shared.access.tokens import TokenPolicy, UnknownKey, read_token, verify_compact
from shared.clock import Clock, utc_now


class Authenticator:
    """Knows who is calling. One for the whole app; belongs to one event loop."""

    def __init__(self, keys: Keys, policy: TokenPolicy, clock: Clock = utc_now) -> None:
        self._keys = keys
        self._policy = policy
        self._clock = clock

    async def caller(self, authorization: str | Sequence[str] | None) -> Caller:
        """The caller that the Authorization header's value (or values) speaks for.

        Raises NotAuthenticated or one of its kinds (401), and NotAvailable (503) when HelseID's keys are not known and
        cannot be fetched.
        """
        compact = read_token(bearer_token(authorization), self._policy)
        keys = await self._keys.current()
        try:
            return verify_compact(compact, keys, self._policy, self._clock())
        except UnknownKey:
            newer = await self._keys.after(keys)
            if newer is None:
                raise
        return verify_compact(compact, newer, self._policy, self._clock())


def helseid(
    session: aiohttp.ClientSession,
    policy: TokenPolicy,
    settings: KeySettings = DEFAULTS,
    jwks_uri: str | None = None,
    clock: Clock = utc_now,
) -> Authenticator:
    """An authenticator that fetches the keys of the policy's issuer over this session (kept open by the caller).

    Raises ValueError when the issuer's address is not one that keys may be fetched from.
    """
    keys = Keys(fetcher(session, Issuer(policy.issuer, jwks_uri)), settings)
    return Authenticator(keys, policy, clock)
