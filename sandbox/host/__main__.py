"""`python -m sandbox.host --app DIR --port P --data DIR [--group G]`: run an app folder on this machine.

Settings come from the environment; `local.settings.json` in the app folder fills in what it lacks.
"""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sandbox import part
from sandbox.host.groups import Group
from sandbox.host.runtime import serve
from sandbox.host.settings import StartRefused


def main() -> int:
    """Run until told to end. Returns the exit code: 1 when the app cannot be started."""
    parser = part.arguments("host")
    parser.add_argument("--app", type=Path, required=True, help="folder with function_app.py and host.json")
    parser.add_argument(
        "--group",
        choices=[group.value for group in Group],
        default=Group.ALL.value,
        help="serve these functions only: http (HTTP and timers), queues (Service Bus) or all (default)",
    )
    try:
        return part.run("host", parser, _start)
    except StartRefused as error:
        sys.stderr.write(f"host: {error}\n")
        return 1


@asynccontextmanager
async def _start(args: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    async with serve(args.app.resolve(), args.data, args.port, args.verbose, Group(args.group)) as facts:
        yield facts


if __name__ == "__main__":
    sys.exit(main())
