"""`python -m sandbox.alerts --port P --smtp-port S --data DIR`."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sandbox import part
from sandbox.alerts.server import serve


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    async with serve(args.data, args.port, args.smtp_port) as alerts:
        yield alerts.facts()


def main() -> int:
    """Run it until told to end."""
    parser = part.arguments("alerts")
    parser.add_argument("--smtp-port", type=int, default=0, help="port for mail on 127.0.0.1 (0: a free one)")
    return part.run("alerts", parser, _start)


if __name__ == "__main__":
    sys.exit(main())
