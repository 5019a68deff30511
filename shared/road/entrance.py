"""Who is calling, wired: one authenticator for vendors' systems, one for people, over the same HelseID."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp

from shared.access.authenticate import Authenticator, Dpop, helseid, kids
from shared.access.caller import Caller, Person
from shared.access.credentials import Credentials
from shared.access.dpop import ProofMemory, ProofRules
from shared.access.modes import DpopMode
from shared.access.tokens import TokenPolicy
from shared.azure.settings import Settings
from shared.clock import Clock
from shared.errors import NotAvailable, TokenClaims
from shared.messages.documents import Unreachable
from shared.registry.register import Register


class Entrance:
    """Knows who is calling. Belongs to one event loop."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: Settings, register: Register, proofs: ProofMemory, clock: Clock
    ) -> None:
        self._settings = settings
        self._register = register
        made = self._authenticator(session, proofs, clock)
        self.systems = made(settings_policy(settings), self._mode_of)
        """Vendors' systems: a vkp-id or an organisation, as the settings ask."""
        self._people = made(people_policy(settings), _as_set)

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

    def _authenticator(
        self, session: aiohttp.ClientSession, proofs: ProofMemory, clock: Clock
    ) -> Callable[[TokenPolicy, Callable[[Caller], Awaitable[DpopMode | None]]], Authenticator]:
        helse_id = self._settings.helse_id
        revoked = kids(helse_id.revoked_keys)
        dpop = None
        if self._settings.public_url is not None and helse_id.dpop is not DpopMode.OFF:
            rules = ProofRules(past=timedelta(seconds=helse_id.proof_age_s))
            dpop = Dpop(self._settings.public_url, proofs, helse_id.dpop, rules)

        async def revoked_now() -> frozenset[str]:
            return revoked

        def made(policy: TokenPolicy, mode_of: Callable[[Caller], Awaitable[DpopMode | None]]) -> Authenticator:
            return helseid(session, policy, clock=clock, dpop=dpop, mode_of=mode_of, revoked=revoked_now)

        return made


def settings_policy(settings: Settings) -> TokenPolicy:
    """What is demanded of a system's token."""
    helse_id = settings.helse_id
    return TokenPolicy(
        issuer=helse_id.issuer,
        audience=helse_id.audience,
        algorithms=frozenset(helse_id.algorithms),
        test_environment=helse_id.test_environment,
        required=frozenset(helse_id.required),
    )


def people_policy(settings: Settings) -> TokenPolicy:
    """What is demanded of a person's token: that it names the person. What a person may do, the register says."""
    helse_id = settings.helse_id
    return TokenPolicy(
        issuer=helse_id.issuer,
        audience=helse_id.audience,
        algorithms=frozenset(helse_id.algorithms),
        required=frozenset({"person"}),
    )


async def _as_set(_: Caller) -> DpopMode | None:
    return None
