"""A door as the hub's own: an authenticator whose issuer, clock, registered modes and memory are in the test's hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from shared.access.authenticate import Authenticator, Dpop, kids
from shared.access.caller import Caller
from shared.access.challenges import challenge
from shared.access.credentials import Credentials
from shared.access.jwks import KeySet
from shared.access.keys import Keys, KeySettings, KeysFetchError
from shared.access.modes import DpopMode
from shared.errors import HubError, NotAvailable
from tests.unit.access import forge
from tests.unit.access.forge import NOW, POLICY, bound_token, proof

PUBLIC: Final = "https://hub.example"
PATH: Final = "/epj/r4/310000019/bundle"


class Memory:
    """Used proofs; out of reach when told."""

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.down = False

    async def remember(self, key: str, until: datetime) -> bool:
        assert until.tzinfo is not None
        if self.down:
            raise NotAvailable
        new = key not in self.kept
        self.kept.add(key)
        return new


class Door:
    """One instance of the app."""

    def __init__(self, memory: Memory | None = None, public_url: str = PUBLIC) -> None:
        self.issuer: KeySet | None = forge.key_set()
        self.fetches = 0
        self.seconds = 0.0
        self.mode: DpopMode | None = None
        self.revoked: set[str] = set()
        self.memory = memory or Memory()
        self.keys = Keys(self._fetch, KeySettings(), lambda: self.seconds)
        self.authenticator = Authenticator(
            self.keys,
            POLICY,
            lambda: NOW + timedelta(seconds=self.seconds),
            dpop=Dpop(public_url, self.memory),
            mode_of=self._mode,
            revoked=self._revoked,
        )

    async def _fetch(self) -> KeySet:
        self.fetches += 1
        if self.issuer is None:
            raise KeysFetchError("down")
        return self.issuer

    async def _mode(self, caller: Caller) -> DpopMode | None:
        assert caller.vkp_id
        return self.mode

    async def _revoked(self) -> frozenset[str]:
        return kids(self.revoked)

    async def call(
        self,
        authorization: str | Sequence[str] | None,
        dpop: str | Sequence[str] | None = None,
        method: str = "POST",
        url: str = f"http://10.0.0.4:7071{PATH}?code=x",
    ) -> Caller:
        return await self.authenticator.caller(Credentials(authorization, dpop, method, url))

    async def bearer(self, token: str) -> Caller:
        return await self.call(f"Bearer {token}")

    async def dpop(self, token: str | None = None, **changed: Any) -> Caller:
        """A call with a good bound token and a good proof, but for what is changed in the proof."""
        text = token or bound_token()
        return await self.call(f"DPoP {text}", proof(text, **changed))

    async def refuses(self, kind: type[HubError], *args: Any, **kwargs: Any) -> None:
        """The call is refused for exactly this, and told so as its status demands."""
        with pytest.raises(HubError) as caught:
            await self.call(*args, **kwargs)
        assert type(caught.value) is kind
        told = challenge(caught.value, args[0], self.mode or DpopMode.OPTIONAL)
        assert (told is not None) == (caught.value.status in (400, 401))
