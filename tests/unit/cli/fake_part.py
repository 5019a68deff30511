"""A part that does nothing but begin and end as it is told to, on the real `sandbox.part`.

`FAKE_MODE` in its environment: ok, refuse (ends before it is ready), mute (never ready), noisy (prints before it is
ready), stubborn (does not hear SIGTERM), broken-data (ready at first, but never again on the same folder).
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sandbox import part

NAME = "fake"


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    mode = os.environ.get("FAKE_MODE", "ok")
    mark = Path(args.data) / "has-run"
    if mode == "refuse" or (mode == "broken-data" and mark.exists()):
        sys.stderr.write("the fake part says no\n")
        raise SystemExit(3)
    if mode == "mute":
        await asyncio.Event().wait()
    if mode == "noisy":
        sys.stdout.write('hello\n["not", "an object"]\n{"no": "port"}\n')
    if mode == "stubborn":
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    mark.touch()
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", args.port)
    async with server:
        yield {
            "port": server.sockets[0].getsockname()[1],
            "pid": os.getpid(),
            "setting": os.environ.get("FAKE_SETTING"),
        }
    _write_diary(Path(args.data).name)


def _write_diary(name: str) -> None:
    if diary := os.environ.get("FAKE_DIARY"):
        with Path(diary).open("a") as book:
            book.write(name + "\n")


if __name__ == "__main__":
    sys.exit(part.run(NAME, part.arguments(NAME), _start))
