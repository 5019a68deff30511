"""`python -m sandbox.cosmos --port P --data DIR [--topology FILE]`."""

import argparse
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from sandbox import part, rights, topology
from sandbox.cosmos import serve


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    held_to = rights.of_processes()
    async with serve(args.data, topology.load(args.topology), args.port, processes=held_to) as served:
        # What is here now stays; and what requests leave behind seldom has cycles that must be looked for.
        gc.freeze()
        gc.set_threshold(20_000, 10, 10)
        yield served.facts()


def main() -> int:
    """Run the part; returns the exit code."""
    parser = part.arguments("cosmos")
    parser.add_argument("--topology", type=Path, default=topology.DEFAULT_PATH, help="the declared containers")
    return part.run("cosmos", parser, _start, uvloop.new_event_loop)


if __name__ == "__main__":
    sys.exit(main())
