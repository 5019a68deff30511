"""`python -m sandbox.cosmos --port P --data DIR [--topology FILE]`."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from sandbox import part, topology
from sandbox.cosmos import serve


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    async with serve(args.data, topology.load(args.topology), args.port) as served:
        yield served.facts()


def main() -> int:
    """Run the part; returns the exit code."""
    parser = part.arguments("cosmos")
    parser.add_argument("--topology", type=Path, default=topology.DEFAULT_PATH, help="the declared containers")
    return part.run("cosmos", parser, _start, uvloop.new_event_loop)


if __name__ == "__main__":
    sys.exit(main())
