"""`python -m sandbox.telemetry --port P --data DIR`."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sandbox import part
from sandbox.telemetry.server import serve


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    async with serve(args.data, args.port) as facts:
        yield facts


def main() -> int:
    """Run it until told to end."""
    return part.run("telemetry", part.arguments("telemetry"), _start)


if __name__ == "__main__":
    sys.exit(main())
