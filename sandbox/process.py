"""One part of the sandbox as a child process: start it, learn where it listens, end it.

What a part promises is in `sandbox/part.py`. The child gets a session of its own, so that Ctrl-C in the terminal
reaches only us and we decide the order of ending; it watches its standard input, so it ends with us however we end.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: parts are started here, so that the packages are found wherever the user stands."""

READY_WITHIN_S = 90.0
LAST_WORDS = 15
_LOGS_KEPT = 3
_LINE_LIMIT = 1 << 20

Facts = Mapping[str, Any]
"""What a part says about itself when it is ready."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part to run: `python -m MODULE --port PORT --data FOLDER --with-parent ARGUMENTS`."""

    name: str
    module: str
    folder: Path
    port: int
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


class PartFailed(Exception):
    """A part did not become ready, or died too often. `last_words` is the end of what it wrote to its log."""

    def __init__(self, part: str, reason: str, last_words: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join((f"{part} {reason}", *(f"  | {line}" for line in last_words))))
        self.part = part
        self.reason = reason
        self.last_words = last_words


class Child:
    """A part that runs."""

    def __init__(self, part: Part, process: asyncio.subprocess.Process, facts: Facts, log: Path) -> None:
        self.facts = facts
        self.pid = process.pid
        # A port chosen by the part itself (0) is kept: clients know it by now.
        self.part = replace(part, port=int(facts["port"]))
        self._process = process
        self._rest = asyncio.create_task(_copy_rest(process, log), name=f"stdout of {part.name}")

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Wait for its end. Returns the exit code; below zero the signal that ended it."""
        code = await self._process.wait()
        # Not for ever: something the part started itself may have kept the pipe.
        await asyncio.wait({self._rest}, timeout=1.0)
        return code

    def kill(self) -> None:
        """End it at once and with it whatever it started (SIGKILL)."""
        _signal(self._process, signal.SIGKILL)

    async def end(self, patience_s: float) -> None:
        """Ask it to end (SIGTERM); after `patience_s` seconds end it at once. A stopped one is woken to hear it."""
        _signal(self._process, signal.SIGTERM)
        _signal(self._process, signal.SIGCONT)
        try:
            async with asyncio.timeout(patience_s):
                await self.wait()
        except TimeoutError:
            self.kill()
            await self.wait()


async def start(part: Part, log: Path, ready_within_s: float = READY_WITHIN_S) -> Child:
    """Start a part and wait until it is ready. Raises PartFailed with its last words when that does not happen."""
    part.folder.mkdir(parents=True, exist_ok=True)
    said_before = _size(log)
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            part.module,
            "--port",
            str(part.port),
            "--data",
            str(part.folder),
            "--with-parent",
            *part.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
            cwd=ROOT,
            env=dict(part.environment),
            start_new_session=True,
            limit=_LINE_LIMIT,
        )
    facts: Facts | None = None
    reason = f"was not ready within {ready_within_s:.0f} s"
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ready_within_s):
                facts = await _ready_line(process, log)
                if facts is None:
                    reason = f"ended before it was ready ({how_it_ended(await process.wait())})"
    finally:
        if facts is None:
            _signal(process, signal.SIGKILL)
            await process.wait()
    if facts is None:
        raise PartFailed(part.name, reason, last_words(log, said_before))
    return Child(part, process, facts, log)


def how_it_ended(code: int) -> str:
    """An exit code for people."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"


def last_words(log: Path, since: int = 0) -> tuple[str, ...]:
    """The last lines written to a log after its first `since` bytes."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(since, log.stat().st_size - 16_384))
            text = handle.read().decode(errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(line for line in text.splitlines() if line.strip())[-LAST_WORDS:]


def rotate(log: Path) -> None:
    """Put the log of the run before aside (`.1`, then `.2`, …); the oldest goes."""
    log.parent.mkdir(parents=True, exist_ok=True)
    names = [log, *(log.with_name(f"{log.name}.{age}") for age in range(1, _LOGS_KEPT + 1))]
    for newer, older in reversed(list(itertools.pairwise(names))):
        if newer.exists():
            newer.replace(older)


async def _ready_line(process: asyncio.subprocess.Process, log: Path) -> Facts | None:
    """The line that says "ready", or None when standard output closes without one."""
    if process.stdout is None:
        return None
    async for line in process.stdout:
        try:
            facts = json.loads(line)
        except ValueError:
            facts = None
        if isinstance(facts, dict) and isinstance(facts.get("port"), int):
            return facts
        _append(log, line)
    return None


async def _copy_rest(process: asyncio.subprocess.Process, log: Path) -> None:
    """A part says nothing more on standard output; should it do so (a print left behind), its log has it."""
    while process.stdout is not None and (chunk := await process.stdout.read(65_536)):
        _append(log, chunk)


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def _append(log: Path, chunk: bytes) -> None:
    with log.open("ab") as sink:
        sink.write(chunk)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
