"""A running hub as the tests use it: its people at both ends, and waiting for what must come true."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.hub_parts import ORGNR
from sandbox.running import Hub, running_hub
from sandbox.vendor import Answer, Vendor, vendor
from tests.flow.sweep import assert_clean, sweep
from tests.flow.watch import Watch

PATIENCE_S = 60.0

QUICK: Mapping[str, str] = {
    # Real waits between tries, only shorter, and an orphan check that does not keep a test waiting.
    "Delivery__schedule": "0.3 0.5 1",
    "Delivery__timeout": "5",
    "Upkeep__grace": "2",
    "OrphanCheckSchedule": "*/2 * * * * *",
    "Registry__cache": "1",
}


async def until[T](look: Callable[[], Awaitable[T | None]], what: str, patience_s: float = PATIENCE_S) -> T:
    """Look again and again until there is something to see. Fails with `what` was waited for."""
    deadline = time.monotonic() + patience_s
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain for {what}"
        await asyncio.sleep(0.05)


@dataclass(frozen=True)
class World:
    """A hub, a vendor that may send, one that may not, and the EPJ."""

    hub: Hub
    vendor: Vendor
    stranger: Vendor
    http: aiohttp.ClientSession

    @property
    def api(self) -> str:
        """The hub's address."""
        return self.hub.addresses.api

    async def post(self, body: bytes, resource: str = "bundle") -> Answer:
        """Send as the vendor that may."""
        return await self.vendor.send(ORGNR, resource, body)

    async def accepted(self, body: bytes, resource: str = "bundle") -> str:
        """Send, insist on 202 and give the Location."""
        answer = await self.post(body, resource)
        assert answer.status == 202, answer.issues
        assert answer.location is not None
        return answer.location

    async def received(self) -> list[dict[str, Any]]:
        """What the EPJ has got, in order."""
        async with self.http.get(f"{self.hub.addresses.epj}/received") as answer:
            found: list[dict[str, Any]] = await answer.json()
            return found

    async def got(self, body: bytes) -> dict[str, Any] | None:
        """What the EPJ says of exactly these bytes; None while it has not got them."""
        wanted = hashlib.sha256(body).hexdigest()
        return next((each for each in await self.received() if each["sha256"] == wanted), None)

    async def arrives(self, body: bytes, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until the EPJ has got exactly these bytes."""

        async def look() -> dict[str, Any] | None:
            try:
                return await self.got(body)
            except aiohttp.ClientError:
                return None

        return await until(look, "the message to arrive at the EPJ", patience_s)

    async def reaches(self, location: str, *states: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until the message is in one of these states."""

        async def look() -> dict[str, Any] | None:
            try:
                status = await self.vendor.status(location)
            except aiohttp.ClientError:
                return None
            return status if status["state"] in states else None

        return await until(look, f"the message to be {' or '.join(states)}", patience_s)

    async def behave(self, mode: str, **how: object) -> None:
        """Tell the EPJ how to behave."""
        async with self.http.post(f"{self.hub.addresses.epj}/behave", json={"mode": mode, **how}) as answer:
            assert answer.status < 300, await answer.text()

    async def cosmos_fault(self, **fault: object) -> None:
        """Tell the Cosmos endpoint how to misbehave."""
        url = f"http://127.0.0.1:{self.hub.ports['cosmos']}/_sandbox/faults"
        async with self.http.post(url, json=fault) as answer:
            assert answer.status < 300, await answer.text()

    async def servicebus_fault(self, **fault: object) -> None:
        """Tell the Service Bus broker how to misbehave."""
        async with self.http.post(f"{self.hub.addresses.servicebus_counters}/faults", json=fault) as answer:
            assert answer.status < 300, await answer.text()

    async def fire(self, function: str) -> None:
        """Run a function now, as an operator would from Azure's own administration address."""
        url = f"{self.api}/admin/functions/{function}"
        headers = {"x-functions-key": self.hub.addresses.master_key}
        async with self.http.post(url, json={}, headers=headers) as answer:
            assert answer.status == 202, await answer.text()


@asynccontextmanager
async def world(folder: Path, settings: Mapping[str, str] = QUICK) -> AsyncIterator[World]:
    """A hub of one's own with its surroundings. When it has ended it is swept: a leak fails whoever used it."""
    async with running_hub(folder, settings) as hub:
        clients = hub.addresses.clients
        api, helseid = hub.addresses.api, hub.addresses.helseid
        watch = Watch(api)
        traces = [watch.trace()]
        async with (
            vendor(api, helseid, "trygghetsvakt", clients["trygghetsvakt"].key_file, traces=traces) as may,
            vendor(api, helseid, "natugla", clients["natugla"].key_file, traces=traces) as may_not,
            aiohttp.ClientSession(trace_configs=traces) as http,
        ):
            yield World(hub, may, may_not, http)
            calls = await _calls(http, hub.addresses.epj)
    hits = await asyncio.to_thread(sweep, hub.folder, watch.marks, watch.answers, calls)
    assert_clean(hits)


async def _calls(http: aiohttp.ClientSession, epj: str) -> list[str]:
    """How the journal was called; none where a test has ended it."""
    try:
        async with http.get(f"{epj}/calls") as answer:
            calls: list[str] = await answer.json()
            return calls
    except aiohttp.ClientError:
        return []
