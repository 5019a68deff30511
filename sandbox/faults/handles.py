"""The handles on a running hub: what can be turned, and what can be seen from outside."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from sandbox import hub_parts, stores
from sandbox.faults.host import move
from sandbox.faults.ledger import Held
from sandbox.faults.sender import Sender
from sandbox.running import Hub
from sandbox.vendor import Vendor

_QUIET_FOR_S: Final = 0.5
_LOOK_EVERY_S: Final = 0.05
_ENDED: Final = frozenset({"delivered", "journaled", "quarantined", "withdrawn", "expired", "rejected"})


class NotSeen(Exception):
    """What a scenario waits for did not come."""


def so(look: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """What is seen here at once, for `Handles.seen`."""

    async def asked() -> bool:
        return look()

    return asked


class Handles:
    """A hub, and a vendor that may send to it. `folder`: where the files of the clocks are."""

    def __init__(self, hub: Hub, vendor: Vendor, http: aiohttp.ClientSession, folder: Path) -> None:
        self.hub = hub
        self.vendor = vendor
        self._http = http
        self._folder = folder

    async def behave(self, mode: str, **how: object) -> None:
        """Tell the EPJ how to behave."""
        await self._tell(f"{self.hub.addresses.epj}/behave", {"mode": mode, **how})

    async def cosmos_fault(self, **fault: object) -> None:
        """Tell the Cosmos endpoint how to misbehave."""
        port = self.hub.ports["cosmos"]
        await self._tell(f"http://127.0.0.1:{port}/_sandbox/faults", fault)

    async def broker_fault(self, **fault: object) -> None:
        """Tell the Service Bus broker how to misbehave."""
        await self._tell(f"{self.hub.addresses.servicebus_counters}/faults", fault)

    async def tls_door(self, certificate: str) -> str:
        """Have the EPJ open a door that speaks TLS and shows such a certificate. Its address."""
        async with self._http.post(f"{self.hub.addresses.epj}/tls", json={"certificate": certificate}) as answer:
            answer.raise_for_status()
            return str((await answer.json())["url"])

    def clock(self, part: str, seconds: float) -> None:
        """Put the clock of an app's process off by so many seconds."""
        move(self._folder / f"{part}.clock", seconds)

    def receiver_url(self, orgnr: str = hub_parts.ORGNR) -> str:
        """Where the EPJ really takes a municipality's messages."""
        return f"{self.hub.addresses.epj}/fhir/{orgnr}"

    async def move_receiver(self, url: str, orgnr: str = hub_parts.ORGNR) -> None:
        """Register a municipality with its EPJ at this address, or move its EPJ there."""
        addresses = self.hub.addresses
        municipality = stores.one_receiver(orgnr, hub_parts.MUNICIPALITY, url)
        await stores.seed(addresses.cosmos, addresses.database, municipality, hub_parts.GRANTED)

    def sender(self, orgnr: str = hub_parts.ORGNR) -> Sender:
        """A vendor that sends to a municipality."""
        return Sender(self.vendor, orgnr)

    async def whole(self) -> None:
        """Wait until every part is there, and let all of them behave."""
        for part in hub_parts.ALL:
            await self.hub.ready(part)
        await self.behave("ok")
        await self.cosmos_fault(refuse=False)
        await self.broker_fault(refuse=False, delayMs=0, busy=0)

    # What can be seen

    async def newest(self) -> int:
        """The number of what the EPJ stored last."""
        listed = await self._listed(0)
        return max((int(each["seq"]) for each in listed), default=0)

    async def held(self, since: int) -> list[Held]:
        """What the EPJ stored after number `since`, in order."""
        return [
            Held(
                each["idempotencyKey"], each["sha256"], datetime.fromisoformat(each["receivedAt"]).timestamp(),
                int(each["calls"]),
            )
            for each in sorted(await self._listed(since), key=lambda each: int(each["seq"]))
        ]  # fmt: skip

    async def state(self, location: str) -> str:
        """The state of a message, as its vendor is told; empty while nobody tells."""
        try:
            async with asyncio.timeout(5):
                return str((await self.vendor.status(location))["state"])
        except (aiohttp.ClientError, OSError, TimeoutError, LookupError):
            return ""

    async def seen(self, look: Callable[[], Awaitable[bool]], what: str, patience_s: float = 60.0) -> None:
        """Look again and again until it is so. Raises NotSeen."""
        deadline = time.monotonic() + patience_s
        while not await look():
            if time.monotonic() >= deadline:
                raise NotSeen(f"waited {patience_s:.0f} s in vain for {what}")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def any_is(self, sender: Sender, *states: str) -> None:
        """Wait until one of the sender's messages is in one of these states, or all have ended. Raises NotSeen."""

        async def look() -> bool:
            found = [await self.state(each.location) for each in sender.ledger if each.location]
            return bool(set(found) & set(states)) or (bool(found) and set(found) <= _ENDED)

        await self.seen(look, f"a message to be {' or '.join(states)}")

    async def quiet(self, senders: tuple[Sender, ...], since: int, patience_s: float) -> bool:
        """Wait until the EPJ holds all that was accepted and the hub knows it; False when that does not come to be."""
        last: dict[str, str] = {}
        for sender in senders:
            last |= {each.lane: each.location for each in sender.ledger if each.acknowledged is not None}
        promised = {each.sha256 for one in senders for each in one.ledger if each.acknowledged is not None}

        async def all_there() -> bool:
            return promised <= {each.sha256 for each in await self.held(since)}

        async def all_known() -> bool:
            for lane, location in list(last.items()):
                if await self.state(location) not in _ENDED:
                    return False
                del last[lane]
            return True

        deadline = time.monotonic() + patience_s
        try:
            await self.seen(all_there, "all to arrive", patience_s)
            await self.seen(all_known, "the hub to know", max(1.0, deadline - time.monotonic()))
        except NotSeen:
            return False
        before, now = -1, sum(each.calls for each in await self.held(since))
        while before != now:
            # Whoever comes back from the dead with one more call shall be seen.
            await asyncio.sleep(_QUIET_FOR_S)
            before, now = now, sum(each.calls for each in await self.held(since))
        return True

    async def _listed(self, since: int) -> list[dict[str, Any]]:
        while True:
            try:
                async with self._http.get(f"{self.hub.addresses.epj}/received", params={"since": since}) as answer:
                    found: list[dict[str, Any]] = await answer.json()
                    return found
            except (aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(_LOOK_EVERY_S)

    async def struck(self) -> int:
        """How many requests have met a fault since the Cosmos endpoint was started."""
        async with self._http.get(f"http://127.0.0.1:{self.hub.ports['cosmos']}/_sandbox/counters") as answer:
            requests = (await answer.json())["requests"]
        return sum(count for kind, count in requests.items() if kind.startswith("fault-"))

    async def _tell(self, url: str, what: Mapping[str, object]) -> None:
        async with self._http.post(url, json=what) as answer:
            if answer.status >= 300:
                raise ValueError(f"{url} does not understand {what}: {await answer.text()}")
