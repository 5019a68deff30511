"""`python -m sandbox.epj --port P --data DIR`."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from sandbox import part
from sandbox.epj.server import serve


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    async with serve(args.data, args.port) as epj:
        yield epj.facts()


def main() -> int:
    """Run the journal until told to end."""
    return part.run("epj", part.arguments("epj"), _start, uvloop.new_event_loop)


if __name__ == "__main__":
    sys.exit(main())
