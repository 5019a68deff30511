"""Where each part's time goes: samples of its stack by py-spy, summed up by whose code was at work.

Time in code that nobody would recognise (asyncio, json, aiohttp) goes to whoever called it. A thread that waits is not
counted, but one that waits for the disk may be.
"""

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PER_SECOND: Final = 100
_SHOWN: Final = 0.01
_WHOSE: Final = (
    ("/azure/cosmos/", "the Cosmos SDK, with its HTTP"),
    ("/azure/core/", "the Cosmos SDK, with its HTTP"),
    ("/azure/servicebus/", "the Service Bus SDK"),
    ("/azure/functions/", "Microsoft's worker library"),
    ("/azure_functions_runtime/", "Microsoft's worker library"),
    ("/sandbox/cosmos/storage.py", "commits"),
    ("/sandbox/servicebus/storage.py", "commits"),
    ("/sandbox/epj/received.py", "commits"),
    ("/sandbox/cosmos/", "the Cosmos endpoint"),
    ("/sandbox/servicebus/", "the broker"),
    ("/sandbox/host/", "the local host"),
    ("/sandbox/epj/", "the journal"),
    ("/shared/fhir/", "the check of messages"),
    ("/shared/trail/", "the audit log"),
    ("/shared/access/", "who is calling"),
    ("/shared/azure/", "the hub's own code"),
    ("/shared/", "the hub's own code"),
    ("/functions/", "the hub's own code"),
)
"""By where a file lies; the first that fits."""
_NOBODY: Final = "the event loop"
_ROOT_ONLY: Final = ("/sandbox/host/__main__.py", "/sandbox/part.py")
"""Frames at the root of every stack, which tell nothing."""


class NoProfiler(Exception):
    """py-spy cannot be had, or is not let."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a part's time was whose."""

    part: str
    whose: str
    share: float


@dataclass(slots=True)
class Found:
    """What was found out; complete when the block that it was taken in has ended."""

    shares: list[Share] = field(default_factory=list)


NOTHING: Final = Found()


@asynccontextmanager
async def taken(pids: Mapping[str, int], folder: Path) -> AsyncIterator[Found]:
    """Sample these processes while the block runs. Raises NoProfiler."""
    found = Found()
    files = {part: folder / f"{part}.samples" for part in pids}
    running = [await _record(pid, files[part]) for part, pid in pids.items()]
    try:
        yield found
    finally:
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
        told = [(await process.communicate())[1] for process in running]
    missing = [part for part, file in files.items() if not file.exists()]
    if missing:
        raise NoProfiler(f"nothing was sampled of {', '.join(missing)}: {told[0].decode(errors='replace').strip()}")
    for part, file in files.items():
        found.shares += summed(part, file.read_text(encoding="utf-8").splitlines())


def summed(part: str, lines: Iterable[str]) -> list[Share]:
    """Samples in py-spy's raw form (frames from the root, with full file names, and a count), by whose they are."""
    counted: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        counted[_whose(stack.split(";"))] += int(count)
    total = sum(counted.values())
    return [Share(part, whose, count / total) for whose, count in counted.most_common() if count / total >= _SHOWN]


def _whose(frames: list[str]) -> str:
    for frame in reversed(frames):
        if any(root in frame for root in _ROOT_ONLY):
            continue
        for place, whose in _WHOSE:
            if place in frame:
                return whose
    return _NOBODY


async def _record(pid: int, file: Path) -> asyncio.subprocess.Process:
    program = Path(sys.executable).parent / "py-spy"
    if not program.exists():
        raise NoProfiler("py-spy is not installed in this environment")
    return await asyncio.create_subprocess_exec(
        str(program), "record", "--pid", str(pid), "--format", "raw", "--output", str(file), "--full-filenames",
        "--rate", str(_PER_SECOND), "--duration", "86400", "--nonblocking",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
