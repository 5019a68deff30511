"""From a call's credentials to a caller: the parts of `access` wired together."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import aiohttp

from shared.access.caller import Caller
from shared.access.credentials import Credentials, Presented, Scheme, presented
from shared.access.discovery import Fetcher, Issuer
from shared.access.dpop import Call, ProofMemory, ProofRules, check_proof, used_once
from shared.access.keys import DEFAULTS, Keys, KeySettings
from shared.access.modes import DpopMode
from shared.access.refusals import (
    DpopNotTaken,
    KeyRevoked,
    ProofMismatch,
    ProofRequired,
    TokenBound,
    TokenUnbound,
    UnknownKey,
)
from shared.access.target import normalised, outside
from shared.access.tokens import TokenPolicy, Verified, read_token, verify_compact
from shared.access.verified import MOST, VerifiedTokens
from shared.clock import Clock, utc_now

type ModeOf = Callable[[Caller], Awaitable[DpopMode | None]]
"""What is registered for the system that a token names; None when nothing is. May raise NotAvailable."""
type Revoked = Callable[[], Awaitable[frozenset[str]]]
"""The ids of the keys that must not count any longer, as `kids` makes them. Asked at every call: must be quick."""


@dataclass(frozen=True, slots=True)
class Dpop:
    """DPoP at this API. Raises ValueError when the public address is none that a proof can be compared with."""

    public_url: str
    """Where callers reach this API, with the path before its own, if any."""
    memory: ProofMemory
    mode: DpopMode = DpopMode.OPTIONAL
    """For systems of which nothing else is registered."""
    rules: ProofRules = field(default_factory=ProofRules)

    def __post_init__(self) -> None:
        if normalised(self.public_url) is None or not {"?", "#"}.isdisjoint(self.public_url):
            raise ValueError("DPoP needs the address that callers use: http or https, and nothing but ASCII")


def kids(ids: Iterable[str]) -> frozenset[str]:
    """Key ids as they are compared: in any letter case, lest a kill switch fails for a slip in one."""
    return frozenset(each.casefold() for each in ids)


async def _nothing_revoked() -> frozenset[str]:
    return frozenset()


async def _nothing_registered(_: Caller) -> DpopMode | None:
    return None


class Authenticator:
    """Knows who is calling. One for the whole app; belongs to one event loop."""

    def __init__(
        self,
        keys: Keys,
        policy: TokenPolicy,
        clock: Clock = utc_now,
        *,
        dpop: Dpop | None = None,
        mode_of: ModeOf = _nothing_registered,
        revoked: Revoked = _nothing_revoked,
        remembered: int = MOST,
    ) -> None:
        """`dpop` None: an API that takes Bearer only. `remembered`: how many good tokens are remembered."""
        self._keys = keys
        self._policy = policy
        self._clock = clock
        self._dpop = dpop
        self._mode_of = mode_of
        self._revoked = revoked
        self._found = VerifiedTokens(remembered)

    async def caller(self, credentials: Credentials) -> Caller:
        """Who is calling.

        Raises NotAuthenticated or one of its kinds (401), CredentialsDoubtful (400), and NotAvailable (503) when
        the issuer's keys are not known and cannot be fetched, or whether a proof was used before cannot be told.
        """
        shown = presented(credentials)
        verified = await self._verified(shown.token)
        await self._check_binding(shown, verified)
        if shown.scheme is Scheme.DPOP:
            await self._check_proof(shown, verified, credentials)
        return verified.caller

    async def close(self) -> None:
        """Stop what is under way."""
        await self._keys.close()

    async def _verified(self, token: str) -> Verified:
        revoked = await self._revoked()
        place = VerifiedTokens.place(token)
        found = self._found.find(place)
        if found is not None and await self._still_counts(found, revoked):
            return found
        verified = await self._verify(token, revoked)
        self._keys.let_in(verified.caller.client_id)
        self._found.keep(place, verified)
        return verified

    async def _still_counts(self, found: Verified, revoked: frozenset[str]) -> bool:
        # The very key it was found good with: another one under the same id would have to find it good again.
        keys = await self._keys.current()
        kid = found.key.kid
        in_time = self._clock().timestamp() < found.ends
        return in_time and keys.find(kid) is found.key and kid.casefold() not in revoked

    async def _verify(self, token: str, revoked: frozenset[str]) -> Verified:
        compact = read_token(token, self._policy)
        kid: str = compact.header["kid"]
        if kid.casefold() in revoked:
            raise KeyRevoked
        keys = await self._keys.current()
        try:
            return verify_compact(token, compact, keys, self._policy, self._clock())
        except UnknownKey:
            # Another environment's token will not become known by asking again.
            if compact.claims.get("iss") != self._policy.issuer:
                raise
            # Entra ID calls the client `azp`.
            client = compact.claims.get("client_id", compact.claims.get("azp"))
            newer = await self._keys.after(keys, kid, client)
            if newer is None:
                raise
        return verify_compact(token, compact, newer, self._policy, self._clock())

    async def _check_binding(self, shown: Presented, verified: Verified) -> None:
        # RFC 9449 7.2: a stolen bound token must not become usable by leaving out its proof.
        if shown.scheme is Scheme.BEARER and verified.is_bound:
            raise TokenBound
        mode = await self._mode(verified.caller)
        if shown.scheme is Scheme.BEARER:
            if mode is DpopMode.REQUIRED:
                raise ProofRequired
            return
        if mode is DpopMode.OFF:
            raise DpopNotTaken
        if verified.thumbprint is None:
            raise TokenUnbound

    async def _mode(self, caller: Caller) -> DpopMode:
        if self._dpop is None:
            return DpopMode.OFF
        return await self._mode_of(caller) or self._dpop.mode

    async def _check_proof(self, shown: Presented, verified: Verified, credentials: Credentials) -> None:
        if self._dpop is None or shown.proof is None or verified.thumbprint is None:
            raise DpopNotTaken
        target = outside(self._dpop.public_url, credentials.url)
        if target is None:
            raise ProofMismatch
        call = Call(credentials.method, target, shown.token, verified.thumbprint)
        await used_once(check_proof(shown.proof, call, self._dpop.rules, self._clock()), self._dpop.memory)


def authenticator(
    session: aiohttp.ClientSession,
    policy: TokenPolicy,
    settings: KeySettings = DEFAULTS,
    jwks_uri: str | None = None,
    clock: Clock = utc_now,
    *,
    dpop: Dpop | None = None,
    mode_of: ModeOf = _nothing_registered,
    revoked: Revoked = _nothing_revoked,
) -> Authenticator:
    """An authenticator that fetches the keys of the policy's issuer over this session (kept open by the caller).

    Raises ValueError when the issuer's address is not one that keys may be fetched from.
    """
    keys = Keys(Fetcher(session, Issuer(policy.issuer, jwks_uri)), settings)
    return Authenticator(keys, policy, clock, dpop=dpop, mode_of=mode_of, revoked=revoked)
