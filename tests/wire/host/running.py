"""Starts parts of the sandbox as processes of their own, the way people do, and ends them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
APPS = Path(__file__).resolve().parent / "apps"


@dataclass(slots=True)
class Part:
    """A running part: the facts it printed, and its standard error so far."""

    process: asyncio.subprocess.Process
    facts: dict[str, Any]
    errors: Path

    @property
    def url(self) -> str:
        """Its address."""
        return str(self.facts["url"])

    def logged(self) -> list[dict[str, Any]]:
        """The JSON lines on standard error."""
        lines = self.errors.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait until it is gone. Returns the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()


async def start(module: str, arguments: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> Part:
    """Start `python -m sandbox.MODULE` and wait until it is ready. Raises AssertionError when it ends instead."""
    errors = folder / f"{module}-{os.urandom(3).hex()}.err"
    with errors.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"sandbox.{module}",
            *arguments,
            "--with-parent",
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
        )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        line = await process.stdout.readline()
    if not line:
        await process.wait()
        raise AssertionError(f"{module} ended with {process.returncode}: {errors.read_text(encoding='utf-8')}")
    return Part(process, json.loads(line), errors)


@asynccontextmanager
async def running(
    module: str, arguments: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Part]:
    """A part for as long as the context lasts."""
    part = await start(module, arguments, folder, environment)
    try:
        yield part
    finally:
        await part.end()


async def refused(arguments: list[str], environment: Mapping[str, str] | None = None) -> tuple[int | None, str]:
    """Start a host that is expected not to start: its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox.host",
        *arguments,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(20):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def until[T](look: Callable[[], T | None], patience_s: float = 20.0) -> T:
    """What `look` gives, as soon as it is true. Raises TimeoutError."""
    async with asyncio.timeout(patience_s):
        while True:
            found = look()
            if found:
                return found
            await asyncio.sleep(0.02)


async def until_true(look: Callable[[], Awaitable[bool]], patience_s: float = 20.0) -> None:
    """Wait until `look` gives true. Raises TimeoutError."""
    async with asyncio.timeout(patience_s):
        while True:
            if await look():
                return
            await asyncio.sleep(0.02)
