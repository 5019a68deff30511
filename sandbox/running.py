"""A whole hub on this machine, for as long as a block runs.

    async with running_hub(folder, settings={"Delivery__…": "…"}) as hub:
        hub.addresses.api, hub.pids["cosmos"]
        await hub.kill("cosmos")        # SIGKILL; it comes back by itself unless hub.auto_restart is False
        await hub.ready("cosmos")

Used by `hub up` and by tests. One per folder; the folder can be used again afterwards and then holds what it held.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import hub_folder, hub_parts, ports, topology
from sandbox.hub_folder import Addresses, Running
from sandbox.process import Facts, Part, PartFailed
from sandbox.seed import seed
from sandbox.supervisor import Patience, Report, Supervisor

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a hub is to run. Ports by part name, 0 or left out: any free one."""

    ports: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of the app that win over all others."""
    caller: Mapping[str, str] = field(default_factory=dict)
    """An environment from which the app's tuning settings are taken."""
    auto_restart: bool = True
    patience: Patience = field(default_factory=Patience)
    started_as: Callable[[Part], Part] = lambda part: part
    """A last change to how a part is started."""


class Hub:
    """A hub that runs and is ready."""

    def __init__(self, folder: Path, addresses: Addresses, supervisor: Supervisor) -> None:
        self.folder = folder
        self.addresses = addresses
        self._supervisor = supervisor

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the living parts: servicebus, cosmos, helseid, epj, alerts, app, queues."""
        return self._supervisor.pids

    @property
    def ports(self) -> Mapping[str, int]:
        """Ports by part; they stay as they are over restarts."""
        return self._supervisor.ports

    @property
    def auto_restart(self) -> bool:
        """Whether a part that dies is started again at once."""
        return self._supervisor.auto_restart

    @auto_restart.setter
    def auto_restart(self, value: bool) -> None:
        self._supervisor.auto_restart = value

    @property
    def gave_up(self) -> asyncio.Future[PartFailed]:
        """Done when a part kept dying and is not started again."""
        return self._supervisor.gave_up

    async def kill(self, part: str) -> None:
        """SIGKILL a part and wait for its death."""
        await self._supervisor.kill(part)

    async def restart(self, part: str) -> None:
        """Start a part again on its port and data (killing it first if it lives) and wait until it is ready."""
        await self._supervisor.restart(part)

    async def ready(self, part: str) -> None:
        """Wait until a killed part is back."""
        await self._supervisor.ready(part)

    async def redeploy(self, part: str) -> None:
        """End a part in good order, start it again and wait until it is ready."""
        await self._supervisor.replace(part)

    async def beside(self, part: str, other: str) -> None:
        """Start another instance of a part beside it, under another name."""
        await self._supervisor.beside(part, other)

    async def leave(self, part: str) -> None:
        """End a part in good order, for good."""
        await self._supervisor.leave(part)


@asynccontextmanager
async def running_hub(
    folder: Path,
    settings: Mapping[str, str] = _NOTHING,
    *,
    wishes: Wishes | None = None,
    report: Report | None = None,
    progress: Report = lambda _: None,
    hurry: asyncio.Event | None = None,
) -> AsyncIterator[Hub]:
    """Run a hub on a folder.

    `progress` takes what is done while starting, `report` what happens to a part later on (standard error when left
    out); `hurry` ends all parts at once when set.

    Raises hub_folder.AlreadyRunning, hub_parts.PortTaken, PartFailed, or OSError when the folder cannot be written.
    """
    wishes = wishes or Wishes()
    settings = {**wishes.settings, **settings}
    folder = Path.cwd() / folder
    with hub_folder.claim(folder):
        chosen = await hub_parts.choose_ports(folder, wishes.ports)
        api = f"http://{ports.LOOPBACK}:{chosen[hub_parts.APP]}"
        known: list[Addresses] = []

        def publish() -> None:
            pids = dict(supervisor.pids)
            hub_folder.write_running(folder, Running(os.getpid(), api, known[0] if known else None, pids))

        supervisor = Supervisor(
            folder / "logs",
            report or _to_stderr,
            auto_restart=wishes.auto_restart,
            patience=wishes.patience,
            changed=publish,
        )
        publish()
        async with _hurried(supervisor, hurry):
            try:
                known.append(await _start(supervisor, folder, chosen, wishes, settings, progress))
                hub_folder.remember_ports(folder, supervisor.ports)
                publish()
                yield Hub(folder, known[0], supervisor)
            finally:
                await supervisor.end(hub_parts.ENDING, hub_parts.ENDING_PATIENCE_S)


async def _start(
    supervisor: Supervisor,
    folder: Path,
    chosen: Mapping[str, int],
    wishes: Wishes,
    settings: Mapping[str, str],
    progress: Report,
) -> Addresses:
    started = time.monotonic()
    backing = [hub_parts.backing_part(name, folder, chosen[name]) for name in hub_parts.BACKING]
    facts = await _start_together(supervisor, map(wishes.started_as, backing))
    progress(f"Service Bus, Cosmos DB, HelseID and an EPJ are ready ({time.monotonic() - started:.1f} s).")
    started = time.monotonic()
    await seed(
        str(facts["cosmos"]["connectionString"]),
        topology.load().database,
        orgnr=hub_parts.ORGNR,
        municipality=hub_parts.MUNICIPALITY,
        receiver_url=hub_parts.receiver_url(facts),
        vkp_ids=hub_parts.GRANTED,
    )
    environment = hub_parts.app_settings(folder, chosen[hub_parts.APP], facts, wishes.caller, settings)
    app = hub_parts.app_parts(folder, chosen, environment, hub_parts.process_settings(facts, settings))
    facts |= await _start_together(supervisor, map(wishes.started_as, app))
    url, took = facts[hub_parts.APP]["url"], time.monotonic() - started
    progress(f"The function app serves on {url}, its queue functions beside it, as on Azure ({took:.1f} s).")
    return hub_parts.addresses(facts)


async def _start_together(supervisor: Supervisor, parts: Iterable[Part]) -> dict[str, Facts]:
    """Start parts at the same time. When one fails the others are ended, and its failure is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {part.name: group.create_task(supervisor.start(part)) for part in parts}
    except* PartFailed as failures:
        first = failures.exceptions[0]
        raise first from None
    return {name: task.result() for name, task in tasks.items()}


@asynccontextmanager
async def _hurried(supervisor: Supervisor, hurry: asyncio.Event | None) -> AsyncIterator[None]:
    async def wait() -> None:
        if hurry is not None:
            await hurry.wait()
            supervisor.kill_all()

    waiting = asyncio.create_task(wait())
    try:
        yield
    finally:
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"hub: {text}\n")
    sys.stderr.flush()
