"""A sandbox part as a real process, to be killed."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


@dataclass(slots=True)
class Running:
    """A started part and what it said when it was ready."""

    process: asyncio.subprocess.Process
    facts: dict[str, Any]

    async def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def running(part: str, folder: Path, *more: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"sandbox.{part}", "--data", str(folder), *more),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        yield Running(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
