"""`python -m sandbox.helseid --port P --data DIR`."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from sandbox import part
from sandbox.helseid.hosts import NotAStandIn, refuse_real_host
from sandbox.helseid.server import serve


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    async with serve(args.data, args.port, issuer=args.issuer) as helseid:
        yield helseid.facts()


def _issuer(text: str) -> str:
    try:
        refuse_real_host(text)
    except NotAStandIn as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text.rstrip("/")


def main() -> int:
    """Run the stand-in until told to end."""
    parser = part.arguments("helseid")
    parser.add_argument("--issuer", type=_issuer, help="the issuer's address (default: http://127.0.0.1:PORT)")
    return part.run("helseid", parser, _start, uvloop.new_event_loop)


if __name__ == "__main__":
    sys.exit(main())
