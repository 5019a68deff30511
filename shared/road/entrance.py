"""Who is calling, wired: one authenticator for vendors' systems, one for people, over the same HelseID."""

from dataclasses import dataclass

import aiohttp

from shared.access.authenticate import Authenticator, Dpop, helseid
from shared.access.caller import Caller, Person
from shared.access.credentials import Credentials
from shared.access.modes import DpopMode
from shared.access.tokens import TokenPolicy
from shared.clock import Clock
from shared.errors import NotAvailable, TokenClaims
from shared.messages.documents import Unreachable
from shared.registry.register import Register


@dataclass(frozen=True, slots=True)
class Demands:
    """What is demanded of who calls."""

    systems: TokenPolicy
    people: TokenPolicy
    dpop: Dpop | None
    """None: tokens are taken as Bearer only."""
    revoked: frozenset[str]
    """Ids of HelseID's keys that must not count any longer, as `kids` makes them."""


class Entrance:
    """Knows who is calling. Belongs to one event loop."""

    def __init__(self, session: aiohttp.ClientSession, demands: Demands, register: Register, clock: Clock) -> None:
        self._register = register

        async def revoked() -> frozenset[str]:
            return demands.revoked

        self.systems: Authenticator = helseid(
            session, demands.systems, clock=clock, dpop=demands.dpop, mode_of=self._mode_of, revoked=revoked
        )
        """Vendors' systems."""
        self._people = helseid(session, demands.people, clock=clock, dpop=demands.dpop, revoked=revoked)

    async def person(self, credentials: Credentials) -> Person:
        """Who is logged in at the calling system. Raises one of the 401 errors, or NotAvailable."""
        caller = await self._people.caller(credentials)
        if caller.person is None:
            raise TokenClaims
        return caller.person

    async def close(self) -> None:
        """Stop what is under way."""
        await self.systems.close()
        await self._people.close()

    async def _mode_of(self, caller: Caller) -> DpopMode | None:
        try:
            return (await self._register.system(caller.vkp_id)).dpop
        except Unreachable:
            raise NotAvailable from None
