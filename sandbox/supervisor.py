"""Keeps the parts of the sandbox running: starts them, starts again one that dies, ends them in order.

A part that dies comes back on the same port with the same data, so its clients only see a pause. One that keeps dying
is given up, and `gave_up` says so: whoever runs the supervisor then ends everything.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from sandbox import process
from sandbox.process import Child, Facts, Part, PartFailed

Report = Callable[[str], None]
"""Takes one line for people about something that happened to a part."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what, in seconds, and how many deaths are too many."""

    ready_s: float = process.READY_WITHIN_S
    deaths: int = 5
    within_s: float = 30.0
    backoff_s: float = 0.1
    longest_backoff_s: float = 2.0
    end_s: float = 10.0
    replace_s: float = 35.0


def backoff(deaths: Sequence[float], now: float, patience: Patience) -> float | None:
    """Seconds to wait before starting a part again, from the times of its deaths; None when it is to be given up.

    Times are seconds on one monotonic clock. Each further death within the window doubles the pause.
    """
    recent = sum(1 for death in deaths if now - death < patience.within_s)
    if recent >= patience.deaths:
        return None
    return min(patience.backoff_s * 2.0 ** max(recent - 1, 0), patience.longest_backoff_s)


@dataclass(slots=True)
class _Kept:
    """A part that is kept running, and what happened to it."""

    part: Part
    child: Child
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    deaths: list[float] = field(default_factory=list)
    on_purpose: bool = False
    watch: asyncio.Task[None] | None = None


class Supervisor:
    """Runs parts whose logs go to a folder. Every method must be called on the loop that called `start` first."""

    def __init__(
        self,
        logs: Path,
        report: Report,
        *,
        auto_restart: bool = True,
        patience: Patience | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.auto_restart = auto_restart
        self.gave_up: asyncio.Future[PartFailed] = asyncio.get_running_loop().create_future()
        self._logs = logs
        self._report = report
        self._patience = patience or Patience()
        self._changed = changed
        self._kept: dict[str, _Kept] = {}
        self._ending = False

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the parts that live, by part."""
        return MappingProxyType({name: kept.child.pid for name, kept in self._kept.items() if kept.child.alive})

    @property
    def ports(self) -> Mapping[str, int]:
        """Ports of all parts started so far, by part."""
        return MappingProxyType({name: kept.part.port for name, kept in self._kept.items()})

    async def start(self, part: Part) -> Facts:
        """Start a part and keep it running. Raises PartFailed when it does not become ready."""
        log = self._log(part.name)
        process.rotate(log)
        child = await process.start(part, log, self._patience.ready_s)
        # From here on the port the part got is its port.
        kept = self._kept[part.name] = _Kept(child.part, child)
        kept.ready.set()
        self._watch(kept)
        return child.facts

    async def kill(self, name: str) -> None:
        """SIGKILL a part and wait for its death. With `auto_restart` it comes back by itself; not held against it."""
        kept = self._kept[name]
        kept.ready.clear()
        kept.on_purpose = True
        kept.child.kill()
        await kept.child.wait()

    async def restart(self, name: str) -> None:
        """Kill a part if it lives, start it again on the same port and data, and wait until it is ready.

        Raises PartFailed when it does not become ready.
        """
        kept = self._kept[name]
        await _cancelled(kept.watch)
        kept.ready.clear()
        if kept.child.alive:
            kept.child.kill()
            await kept.child.wait()
        kept.child = await process.start(kept.part, self._log(name), self._patience.ready_s)
        self._back(kept)
        self._watch(kept)

    async def replace(self, name: str) -> None:
        """End a part as a redeployment does, letting it finish what it holds, and start it again on its port and data.

        Raises PartFailed when it does not become ready.
        """
        kept = self._kept[name]
        await _cancelled(kept.watch)
        kept.ready.clear()
        await kept.child.end(self._patience.replace_s)
        kept.child = await process.start(kept.part, self._log(name), self._patience.ready_s)
        self._back(kept)
        self._watch(kept)

    async def leave(self, name: str) -> None:
        """End a part for good, letting it finish what it holds."""
        await self._end(name, {name: self._patience.replace_s})
        del self._kept[name]
        self._changed()

    async def beside(self, name: str, other: str) -> None:
        """Start another instance of a part under another name, on a port and a folder of its own.

        Raises PartFailed when it does not become ready.
        """
        part = self._kept[name].part
        await self.start(replace(part, name=other, folder=part.folder.with_name(other), port=0))
        self._changed()

    async def ready(self, name: str) -> None:
        """Wait until a part that is being started again is ready."""
        await self._kept[name].ready.wait()

    async def end(self, order: Iterable[Iterable[str]], patience_s: Mapping[str, float] | None = None) -> None:
        """End all parts, group after group, those of a group together, and then any that no group names."""
        self._ending = True
        groups = [list(group) for group in order]
        named = {name for group in groups for name in group}
        groups.append([name for name in self._kept if name not in named])
        for group in groups:
            await asyncio.gather(*(self._end(name, patience_s or {}) for name in group if name in self._kept))

    def kill_all(self) -> None:
        """End everything at once. `end` still has to be awaited."""
        self._ending = True
        for kept in self._kept.values():
            kept.child.kill()

    async def _end(self, name: str, patience_s: Mapping[str, float]) -> None:
        kept = self._kept[name]
        await _cancelled(kept.watch)
        kept.ready.clear()
        await kept.child.end(patience_s.get(name, self._patience.end_s))

    def _watch(self, kept: _Kept) -> None:
        kept.watch = asyncio.create_task(self._keep(kept), name=f"keeps {kept.part.name}")

    async def _keep(self, kept: _Kept) -> None:
        """Wait for the part's death and bring it back, again and again."""
        name = kept.part.name
        while True:
            code = await kept.child.wait()
            kept.ready.clear()
            if self._ending:
                return
            if not kept.on_purpose:
                kept.deaths.append(time.monotonic())
            kept.on_purpose = False
            how = process.how_it_ended(code)
            if not self.auto_restart:
                self._report(f"{name} ended ({how}).")
                return
            self._report(f"{name} ended ({how}): starting it again on port {kept.part.port}.")
            if not await self._bring_back(kept):
                return

    async def _bring_back(self, kept: _Kept) -> bool:
        """Try until the part is ready; False when it is given up."""
        name = kept.part.name
        while (pause := backoff(kept.deaths, time.monotonic(), self._patience)) is not None:
            await asyncio.sleep(pause)
            started = time.monotonic()
            try:
                kept.child = await process.start(kept.part, self._log(name), self._patience.ready_s)
            except PartFailed as failure:
                self._report(str(failure))
                kept.deaths.append(time.monotonic())
                continue
            self._back(kept)
            self._report(f"{name} is back (pid {kept.child.pid}, {time.monotonic() - started:.1f} s).")
            return True
        reason = f"died {self._patience.deaths} times within {self._patience.within_s:.0f} s: given up"
        if not self.gave_up.done():
            self.gave_up.set_result(PartFailed(name, reason, process.last_words(self._log(name))))
        return False

    def _back(self, kept: _Kept) -> None:
        kept.ready.set()
        self._changed()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait until it has ended."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
