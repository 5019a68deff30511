"""The Cosmos endpoint as a process of its own, which a test may kill."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_S = 20


@dataclass(frozen=True, slots=True)
class Running:
    """A started part and what it told."""

    process: asyncio.subprocess.Process
    facts: dict[str, Any]

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def started(folder: Path, port: int = 0) -> AsyncIterator[Running]:
    """Start the part and wait until it is ready; end it with the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "sandbox.cosmos", "--port", str(port), "--data", str(folder)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), READY_S)
        yield Running(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), READY_S)
