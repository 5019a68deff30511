"""The stand-in as it runs: its keys, registrations and switches, and what is done with them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.helseid import faults, jwk, signing
from sandbox.helseid.grant import Desk
from sandbox.helseid.jose import Alg
from sandbox.helseid.mint import Minted, MintOrder, mint
from sandbox.helseid.names import DISCOVERY, JWKS, TOKEN
from sandbox.helseid.nonces import Nonces
from sandbox.helseid.registrations import AUDIENCE
from sandbox.helseid.registry import Registry
from sandbox.helseid.rules import Rules
from sandbox.helseid.seen import Seen
from sandbox.helseid.signing import SigningKeys

Clock = Callable[[], datetime]
Trouble = Literal["none", "503", "500", "hang", "garbage"]
"""How a path fails: with a status, by never answering, or with an answer that is no JSON."""

PLACES: Final = {
    "discovery": DISCOVERY,
    "jwks": JWKS,
    "token": TOKEN,
}


def utc_now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class HelseId:
    """A running stand-in, as `serve` yields it."""

    issuer: str
    port: int
    registry: Registry
    keys: SigningKeys
    keys_path: Path
    clock: Clock
    seen: Seen
    rules: Rules = field(default_factory=Rules)
    nonces: Nonces = field(default_factory=Nonces)
    offset: timedelta = timedelta()
    """How far its clock is off."""
    troubles: dict[str, Trouble] = field(default_factory=dict)
    """By path; "" is every path of HelseID's."""
    trouble_over: asyncio.Event = field(default_factory=asyncio.Event)
    """Lets those go who hang."""
    calls: dict[str, int] = field(default_factory=dict)
    """How often each of HelseID's own paths was asked for, also during an outage."""
    beside: dict[str, Any] = field(default_factory=dict)
    """What else a client needs to know: of what runs beside it, by name."""

    def facts(self) -> dict[str, Any]:
        """What a client of the sandbox needs to know."""
        return {
            "port": self.port,
            "issuer": self.issuer,
            "audience": AUDIENCE,
            "clients": self.registry.facts(),
            **self.beside,
        }

    def now(self) -> datetime:
        """The time (UTC) as the stand-in's clock has it."""
        return self.clock() + self.offset

    def desk(self) -> Desk:
        """What a call of the token endpoint is decided with."""
        endpoint = self.issuer + TOKEN
        return Desk(self.issuer, endpoint, self.registry, self.keys, self.rules, self.seen, self.nonces)

    def mint(self, order: MintOrder | None = None) -> str:
        """A test token. Raises KeyError when the order names a client that is not registered, NotMintable."""
        return self.minted(order).access_token

    def minted(self, order: MintOrder | None = None) -> Minted:
        """A test token with its proof and headers. Raises KeyError as `mint` does, NotMintable."""
        order = faults.applied(order or MintOrder())
        client = self.registry.find(order.client_id)
        if client is None:
            raise KeyError(order.client_id)
        return mint(order, client, self.registry.apis, self.keys, self.issuer, self.now())

    def trouble_at(self, path: str) -> Trouble:
        """How this path fails just now."""
        everywhere = self.troubles.get("", "none")
        return self.troubles.get(path, "none") if everywhere == "none" else everywhere

    def set_trouble(self, path: str, trouble: Trouble) -> None:
        """Let a path ("": every path) fail like that from now on; who hangs there is let go."""
        self.troubles[path] = trouble
        self.trouble_over.set()
        self.trouble_over = asyncio.Event()

    def end_troubles(self) -> None:
        """Nothing fails any longer, and nobody hangs."""
        self.troubles.clear()
        self.trouble_over.set()

    def set_clock_offset(self, seconds: float) -> None:
        """Let the stand-in's clock be off by so many seconds."""
        self.offset = timedelta(seconds=seconds)

    async def rotate(self, *, keep_old: bool = True, alg: Alg = "RS256", reuse_kid: bool = False) -> str:
        """Sign with a new key from now on; durable before it is used. Returns the new key id.

        `reuse_kid`: the new key has the id of the one before, which is then no longer published.
        """
        kid = self.keys.current.kid if reuse_kid else None
        new = await asyncio.to_thread(jwk.make, alg, kid=kid)
        await self.change_keys(lambda keys: signing.rotated(keys, new, keep_old=keep_old and not reuse_kid))
        return new.kid

    async def publish_key(self, alg: Alg = "RS256") -> str:
        """Publish a new key that signs nothing yet. Returns its id."""
        new = await asyncio.to_thread(jwk.make, alg)
        await self.change_keys(lambda keys: signing.with_published(keys, new))
        return new.kid

    async def change_keys(self, change: Callable[[SigningKeys], SigningKeys]) -> None:
        """Change the keys; durable before it counts. Raises what `change` raises (signing.NotPossible)."""
        keys = change(self.keys)
        await asyncio.to_thread(signing.save, self.keys_path, keys)
        self.keys = keys
