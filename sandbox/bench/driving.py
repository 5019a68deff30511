"""A hub under load: messages go in as a vendor sends them, and what the journal has got says when they are through."""

import asyncio
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from sandbox.bench import load
from sandbox.bench.process import Used, used
from sandbox.running import Hub
from sandbox.vendor import vendor


@dataclass(frozen=True, slots=True)
class Counters:
    """What the sandbox's parts say they have done since they began."""

    servicebus: dict[str, Any]
    cosmos: dict[str, Any]


class Driver:
    """Sends to a hub and watches its journal."""

    def __init__(self, hub: Hub, session: aiohttp.ClientSession, sender: load.Sender) -> None:
        self.hub = hub
        self._session = session
        self.sender = sender
        self._seen = 0
        self._last_seen = 0

    @classmethod
    async def of(cls, hub: Hub, session: aiohttp.ClientSession) -> Self:
        """Log in as the vendor, and have every part do everything once."""
        addresses = hub.addresses
        client = addresses.clients[addresses.vendor]
        async with vendor(addresses.api, addresses.helseid, addresses.vendor, client.key_file) as system:
            token = await system.token()
        driver = cls(hub, session, load.Sender(session, f"{addresses.api}/epj/r4/{addresses.orgnr}/bundle", token))
        await driver.send_and_arrive(load.messages(50, 50), 4)
        return driver

    async def send_and_arrive(self, bodies: list[bytes], at_once: int) -> load.Answers:
        """Send as answers come, until the journal has all."""
        before = await self.received()
        answers = await self.sender.as_answers_come(bodies, at_once)
        await self.arrived(before + len(answers.seconds))
        return answers

    async def arrived(self, wanted: int) -> None:
        """Wait until the journal has so many."""
        while await self.received() < wanted:  # noqa: ASYNC110 - the EPJ is another process
            await asyncio.sleep(0.1)

    async def received(self) -> int:
        """How many messages the journal has."""
        params = {"since": str(self._last_seen)}
        async with self._session.get(f"{self.hub.addresses.epj}/received", params=params) as answer:
            new: list[dict[str, Any]] = await answer.json()
        self._seen += len(new)
        self._last_seen = max((int(each["seq"]) for each in new), default=self._last_seen)
        return self._seen

    async def journal_answers(self, mode: str, count: int | None = None) -> None:
        """How the journal answers from now on: `ok`, or a fault for so many calls."""
        rule = {"mode": mode} if count is None else {"mode": mode, "count": count}
        async with self._session.post(f"{self.hub.addresses.epj}/behave", json=rule) as answer:
            answer.raise_for_status()

    def used(self) -> dict[str, Used]:
        """What each part has used so far."""
        return {part: used(pid) for part, pid in self.hub.pids.items()}

    async def counters(self) -> Counters:
        """What Service Bus and Cosmos DB have counted so far."""
        cosmos = f"http://127.0.0.1:{self.hub.ports['cosmos']}/_sandbox/counters"
        return Counters(
            await self._json(f"{self.hub.addresses.servicebus_counters}/counters"), await self._json(cosmos)
        )

    async def _json(self, url: str) -> dict[str, Any]:
        async with self._session.get(url) as answer:
            found: dict[str, Any] = await answer.json()
            return found
