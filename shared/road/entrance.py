"""Who is calling, wired: vendors' systems by HelseID, people by HelseID or by the hub's own Entra ID tenant."""

from dataclasses import dataclass

import aiohttp

from shared.access.authenticate import Authenticator, Dpop, authenticator, kids
from shared.access.caller import Caller, Person
from shared.access.credentials import Credentials
from shared.access.issuers import AnyIssuer
from shared.access.modes import DpopMode
from shared.access.tokens import TokenPolicy
from shared.clock import Clock
from shared.errors import NotAvailable, TokenClaims
from shared.messages.documents import Unreachable
from shared.registry.register import Register
from shared.registry.revoked import RevokedKeys


@dataclass(frozen=True, slots=True)
class Demands:
    """What is demanded of who calls."""

    systems: TokenPolicy
    people: TokenPolicy
    dpop: Dpop | None
    """None: tokens are taken as Bearer only."""
    revoked: frozenset[str]
    """Ids of keys that must not count any longer, as `kids` makes them: those that a setting names."""
    entra: TokenPolicy | None = None
    """For the hub's own people; None: they come by HelseID alone."""


class Entrance:
    """Knows who is calling. Belongs to one event loop."""

    def __init__(self, session: aiohttp.ClientSession, demands: Demands, register: Register, clock: Clock) -> None:
        self._register = register
        self._by_setting = demands.revoked
        self._merged: tuple[RevokedKeys, frozenset[str]] | None = None

        self.systems: Authenticator = authenticator(
            session, demands.systems, clock=clock, dpop=demands.dpop, mode_of=self._mode_of, revoked=self._revoked
        )
        """Vendors' systems."""
        helseid = authenticator(session, demands.people, clock=clock, dpop=demands.dpop, revoked=self._revoked)
        entra = demands.entra
        # Entra ID knows no DPoP (RFC 9449), so its tokens come as Bearer only.
        others = (
            {} if entra is None else {entra.issuer: authenticator(session, entra, clock=clock, revoked=self._revoked)}
        )
        self._people = AnyIssuer(helseid, others)

    async def person(self, credentials: Credentials) -> Person:
        """Who is logged in. Raises one of the 401 errors, or NotAvailable."""
        caller = await self._people.caller(credentials)
        if caller.person is None:
            raise TokenClaims
        return caller.person

    async def close(self) -> None:
        """Stop what is under way."""
        await self.systems.close()
        await self._people.close()

    async def _revoked(self) -> frozenset[str]:
        """Asked at every call; the register remembers for a few seconds, and what is merged for as long as that."""
        try:
            kept = await self._register.revoked_keys()
        except Unreachable:
            raise NotAvailable from None
        if self._merged is None or self._merged[0] is not kept:
            self._merged = (kept, self._by_setting | kids(kept.kids))
        return self._merged[1]

    async def _mode_of(self, caller: Caller) -> DpopMode | None:
        try:
            return (await self._register.system(caller.vkp_id)).dpop
        except Unreachable:
            raise NotAvailable from None
