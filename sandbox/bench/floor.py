"""The floor: what the local Functions host itself costs, with an app that does nothing."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

_APP: Final = Path(__file__).parent / "floor_app"
_ROOT: Final = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Floor:
    """Calls a second, and how long one takes (ms), from eight callers that never rest."""

    per_second: float
    p50_ms: float
    p99_ms: float


async def measure(folder: Path, seconds: float, callers: int = 8) -> Floor:
    """Run the host with the least app and call it for so long. Raises RuntimeError when it does not start."""
    async with _host(folder) as url, aiohttp.ClientSession() as session:
        await _call_until(session, url, time.perf_counter() + 0.5)
        begun = time.perf_counter()
        taken = await asyncio.gather(*(_call_until(session, url, begun + seconds) for _ in range(callers)))
        lasted = time.perf_counter() - begun
    ordered = sorted(each for one in taken for each in one)
    return Floor(len(ordered) / lasted, ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.99)] * 1000)


async def _call_until(session: aiohttp.ClientSession, url: str, end: float) -> list[float]:
    taken = []
    while (begun := time.perf_counter()) < end:
        async with session.get(f"{url}/floor") as answer:
            await answer.read()
        taken.append(time.perf_counter() - begun)
    return taken


@asynccontextmanager
async def _host(folder: Path) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.host", "--app", str(_APP), "--data", str(folder), "--with-parent",
        cwd=_ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        if not line:
            raise RuntimeError("the local host did not start")
        yield json.loads(line)["url"]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
