"""`python -m sandbox.servicebus --port P --data DIR [--topology FILE] [--counters-port P] [--any-token]`."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from sandbox import part, topology
from sandbox.servicebus.service import serve


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    declared = topology.load(args.topology)
    async with serve(
        args.data,
        declared,
        port=args.port,
        counters_port=args.counters_port,
        check_tokens=not args.any_token,
    ) as service:
        yield {
            "port": service.port,
            "countersPort": service.counters_port,
            "connectionString": service.connection_string,
        }


def _main() -> int:
    parser = part.arguments("servicebus")
    parser.add_argument("--topology", type=Path, default=topology.DEFAULT_PATH, help="the declared queues")
    parser.add_argument("--counters-port", type=int, default=0, help="port of counters and faults (0: a free one)")
    parser.add_argument("--any-token", action="store_true", help="take every token (nothing is verified)")
    return part.run("servicebus", parser, _start, uvloop.new_event_loop)


if __name__ == "__main__":
    sys.exit(_main())
