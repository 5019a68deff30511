"""A running hub whose parts can be broken: every way of breaking is a block that mends at its end what it broke."""

import asyncio
import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from sandbox.faults import family
from sandbox.faults.doorkeeper import Doorkeeper, doorkeeper
from sandbox.faults.family import Family
from sandbox.faults.handles import Handles, NotSeen
from sandbox.faults.ledger import ANSWER_TAKES_S, LANE_LOST_S, Broken
from sandbox.running import Hub, Wishes, running_hub
from sandbox.vendor import Vendor

ANSWERS_LOST_BY: Final = frozenset({"queues", "queues-2", "epj", "cosmos"})
"""Parts whose end can lose an EPJ's answer: who waits for it, who gives it, and who is to keep it. Not the broker: a
lane that it takes from a process and gives to the same one again is not called for twice."""


class Rig(Handles):
    """A hub to break. Use inside `rig(…)`. What is broken by its methods is written down in `broken`."""

    def __init__(self, hub: Hub, vendor: Vendor, http: aiohttp.ClientSession, folder: Path, keeper: Doorkeeper) -> None:
        super().__init__(hub, vendor, http, folder)
        self.broken: list[Broken] = []
        self._keeper = keeper

    @asynccontextmanager
    async def breaking(
        self, what: str, *, answers_lost: bool, heals: bool = False, lanes_lost: bool = False
    ) -> AsyncIterator[None]:
        """Whatever is done inside breaks the hub, and has mended it at the end.

        `heals`: it is to recover by itself. `lanes_lost`: lanes go from one process to another by it.
        """
        began = time.time()
        try:
            yield
        finally:
            ended = time.time()
            since, lingers_s = began if heals else ended, LANE_LOST_S if lanes_lost else ANSWER_TAKES_S
            self.broken.append(Broken(what, began, ended, since, answers_lost, lingers_s))

    def _breaking(self, what: str, *parts: str, heals: bool = False) -> AbstractAsyncContextManager[None]:
        return self.breaking(what, answers_lost=not ANSWERS_LOST_BY.isdisjoint(parts), heals=heals)

    @asynccontextmanager
    async def killed(self, *parts: str) -> AsyncIterator[None]:
        """Parts are killed (SIGKILL) at the beginning, and back at the end."""
        async with self._breaking(f"kill -9 {' '.join(parts)}", *parts, heals=True):
            await asyncio.gather(*map(self.hub.kill, parts))
            yield
            await asyncio.gather(*map(self.hub.ready, parts))

    @asynccontextmanager
    async def away(self, part: str) -> AsyncIterator[None]:
        """A part is killed and nobody starts it again before the end: its port refuses connections."""
        async with self._breaking(f"{part} is away", part):
            self.hub.auto_restart = False
            try:
                await self.hub.kill(part)
                yield
            finally:
                self.hub.auto_restart = True
                await self.hub.restart(part)

    @asynccontextmanager
    async def frozen(self, part: str) -> AsyncIterator[None]:
        """A part is stopped (SIGSTOP) and goes on at the end as if no time had passed."""
        group = self.hub.pids[part]
        async with self._breaking(f"{part} is frozen", part):
            os.killpg(group, signal.SIGSTOP)
            try:
                yield
            finally:
                os.killpg(group, signal.SIGCONT)

    @asynccontextmanager
    async def full_disk(self, part: str) -> AsyncIterator[None]:
        """A part can write nothing more to disk: the kernel refuses it (EFBIG), as with a full one. Linux only.

        Afterwards it is started again, as an operator does who has made room.
        """
        pid = self.hub.pids[part]
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        async with self._breaking(f"{part} has a full disk", part):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
            try:
                yield
            finally:
                await self.hub.restart(part)

    @asynccontextmanager
    async def cosmos(self, **fault: object) -> AsyncIterator[None]:
        """The Cosmos endpoint misbehaves until the end. Raises NotSeen when no request came to feel it."""
        async with self.breaking(f"cosmos: {fault}", answers_lost=True):
            before = await self.struck()
            await self.cosmos_fault(refuse=True, **fault)
            try:
                yield
                if await self.struck() == before:
                    raise NotSeen(f"nobody met the fault of the Cosmos endpoint ({fault})")
            finally:
                await self.cosmos_fault(refuse=False)

    @asynccontextmanager
    async def broker(self, **fault: object) -> AsyncIterator[None]:
        """The Service Bus broker misbehaves until the end."""
        async with self._breaking(f"servicebus: {fault}", "servicebus"):
            await self.broker_fault(**fault)
            try:
                yield
            finally:
                await self.broker_fault(refuse=False, delayMs=0, busy=0)

    @asynccontextmanager
    async def epj(self, mode: str, *, answers_lost: bool = False, **how: object) -> AsyncIterator[None]:
        """The EPJ misbehaves until the end."""
        async with self.breaking(f"epj: {mode}", answers_lost=answers_lost):
            await self.behave(mode, **how)
            try:
                yield
            finally:
                await self.behave("ok")

    @asynccontextmanager
    async def receiver_at(self, url: str) -> AsyncIterator[None]:
        """The register says that the EPJ is at another address until the end."""
        async with self.breaking("the EPJ is elsewhere", answers_lost=False):
            await self.move_receiver(url)
            try:
                yield
            finally:
                await self.move_receiver(self.receiver_url())

    @asynccontextmanager
    async def door(self) -> AsyncIterator[Doorkeeper]:
        """All calls go by the doorkeeper until the end. That breaks nothing."""
        await self.move_receiver(self.receiver_url().replace(self.hub.addresses.epj, self._keeper.url))
        await asyncio.sleep(family.KNOWN_AFTER_S)
        try:
            yield self._keeper
        finally:
            self._keeper.let_all()
            await self.move_receiver(self.receiver_url())


@asynccontextmanager
async def rig(
    folder: Path, kind: Family, report: Callable[[str], None], settings: Mapping[str, str] | None = None
) -> AsyncIterator[Rig]:
    """A hub of its own in this folder, to be broken. `report` is told what happens to its parts.

    Raises what starting a hub raises.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    wishes = Wishes(settings={**family.SETTINGS, **(settings or {})}, started_as=family.started_as(kind, folder))
    async with running_hub(folder / "hub", wishes=wishes, report=report) as hub:
        addresses = hub.addresses
        client = addresses.clients[addresses.vendor]
        timeout = aiohttp.ClientTimeout(total=30)
        async with (
            # One connection a call: a vendor that holds on to broken ones would be a fault of the rig's own.
            aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0, force_close=True)) as calls,
            aiohttp.ClientSession(timeout=timeout) as http,
            # Whoever knows an old address still finds the door there: it stays for as long as the hub.
            doorkeeper(addresses.epj) as keeper,
        ):
            vendor = Vendor(calls, addresses.api, addresses.helseid, addresses.vendor, Path(client.key_file))
            yield Rig(hub, vendor, http, folder, keeper)
