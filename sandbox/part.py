"""One part of the sandbox as a process of its own: arguments, the lock on its data, "ready", and how it ends.

Every part is started as `python -m sandbox.<part> --port N --data DIR`. When it can be used it prints one JSON object
on standard output (`{"part": …, "port": …}` and whatever else a client needs), and nothing more there. It ends cleanly
on SIGTERM or SIGINT, and at once when its parent is gone (`--with-parent`: standard input closes).
"""

import argparse
import asyncio
import fcntl
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

LOCK_PATIENCE_S = 10.0
"""How long a part waits for the process before it to let go of the data folder (it may just have been killed)."""

Start = Callable[[argparse.Namespace], AbstractAsyncContextManager[dict[str, Any]]]
MakeLoop = Callable[[], asyncio.AbstractEventLoop]


class DataInUse(Exception):
    """Another process holds this data folder."""


@contextmanager
def locked(folder: Path, patience_s: float = LOCK_PATIENCE_S) -> Iterator[None]:
    """Hold the folder for this process alone; the lock goes with the process, however it ends.

    Raises DataInUse when another process keeps it for longer than `patience_s` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise DataInUse(f"{folder} is in use by another process") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def arguments(part: str) -> argparse.ArgumentParser:
    """The arguments that every part takes."""
    parser = argparse.ArgumentParser(prog=f"python -m sandbox.{part}")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: a free one)")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds this part's state")
    parser.add_argument("--with-parent", action="store_true", help="end at once when standard input closes")
    parser.add_argument("--verbose", action="store_true", help="log more to standard error")
    return parser


def run(part: str, parser: argparse.ArgumentParser, start: Start, new_loop: MakeLoop | None = None) -> int:
    """Run a part until it is told to end. Returns the exit code.

    `new_loop`: on which loop; asyncio's own unless said. `uvloop.new_event_loop` saves a part of the processor time
    that all share, but is not for the host: the app must find the loop there that it finds in Azure.
    """
    args = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING,
        format=f"%(asctime)s {part} %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    try:
        with locked(args.data), asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_until_told(part, args, start))
    except DataInUse as error:
        sys.stderr.write(f"{part}: {error}\n")
        return 1
    return 0


async def _until_told(part: str, args: argparse.Namespace, start: Start) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    if args.with_parent:
        os.set_blocking(sys.stdin.fileno(), False)
        loop.add_reader(sys.stdin.fileno(), _end_with_parent)
    async with start(args) as facts:
        sys.stdout.write(json.dumps({"part": part, **facts}) + "\n")
        sys.stdout.flush()
        await told.wait()


def _end_with_parent() -> None:
    try:
        if os.read(sys.stdin.fileno(), 4096):
            return
    except BlockingIOError:
        return
    # The parent was killed: nobody is left to wait for a clean end, and whoever starts next needs the data folder.
    os._exit(0)
