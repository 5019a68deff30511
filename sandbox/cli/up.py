"""Start the whole hub on this machine, send one real event through, and stay up until Ctrl-C.

Everything listens on 127.0.0.1 only, and keeps its state in the data folder.
"""

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import aiohttp
from rich.console import Console
from rich.text import Text

from sandbox import hub_parts
from sandbox.cli import here, welcome
from sandbox.cli.calls import call
from sandbox.cli.output import Failure, complain, console, print_json
from sandbox.hub_folder import AlreadyRunning
from sandbox.ports import NoFreePort
from sandbox.process import PartFailed
from sandbox.running import Wishes, running_hub
from sandbox.supervisor import Report

EXAMPLES = """
  hub up
  hub up --port 8080 --data /var/tmp/hub
  hub up --port 0 --quiet --json
"""

_OTHERS = tuple(name for name in hub_parts.ALL if name != hub_parts.APP)
_JSON_FIELDS = ("api", "servicebus", "cosmos", "helseid", "epj", "orgnr", "vendor")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    default = hub_parts.DEFAULT_PORT
    parser.add_argument(
        "--port", type=_port, default=default, help=f"the API's port (default {default}; 0: any free one)"
    )
    for name in _OTHERS:
        parser.add_argument(
            f"--{name}-port", type=_port, default=0, metavar="PORT", help=f"{name}'s port (default: any)"
        )
    parser.add_argument("--quiet", action="store_true", help="leave out the example event")


def run(args: argparse.Namespace) -> int:
    """Run the hub; 0 after Ctrl-C or SIGTERM, 1 when it cannot be started or kept up."""
    return call(_up(args))


async def _up(args: argparse.Namespace) -> int:
    told, hurry = asyncio.Event(), asyncio.Event()
    # With --json standard output holds the one line and nothing else.
    out = console(stderr=args.json)
    with _signals(told, hurry, out):
        work = asyncio.create_task(_serve(args, out, hurry))
        stop = asyncio.create_task(told.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not work.done():
            work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    out.print("Stopped. What it holds is kept.")
    return 0


async def _serve(args: argparse.Namespace, out: Console, hurry: asyncio.Event) -> None:
    ports = {name: getattr(args, f"{name}_port") for name in _OTHERS} | {hub_parts.APP: args.port}
    wishes = Wishes(ports=ports, caller=os.environ)
    folder = here.data_folder(args)
    async with _explained():
        out.print("Starting the hub on this machine …", style="bold")
        async with running_hub(folder, wishes=wishes, report=complain, progress=_said(out), hurry=hurry) as hub:
            if not args.quiet:
                problem = await welcome.send_example(hub.addresses, out)
                if problem and args.json:
                    raise Failure(f"{problem}; to start without the example: --quiet")
                if problem:
                    complain(problem)
            if args.json:
                facts = asdict(hub.addresses)
                print_json({name: facts[name] for name in _JSON_FIELDS})
            else:
                welcome.show_addresses(args, hub.addresses, out)
            raise await hub.gave_up


@asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    """What can keep a hub from starting or staying up, as Failure."""
    try:
        yield
    except (AlreadyRunning, hub_parts.PortTaken, NoFreePort, PartFailed) as error:
        raise Failure(str(error)) from None
    except (aiohttp.ClientError, TimeoutError):
        # These are OSErrors too, but of the network.
        raise
    except OSError as error:
        raise Failure(f"the data folder cannot be used: {error}") from None


@contextlib.contextmanager
def _signals(told: asyncio.Event, hurry: asyncio.Event, out: Console) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM, or a closed terminal) ends in order, the second at once."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def handle() -> None:
        if told.is_set():
            hurry.set()
        else:
            told.set()
            out.print("Stopping … (once more to stop at once)")

    for number in numbers:
        loop.add_signal_handler(number, handle)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _said(out: Console) -> Report:
    def say(text: str) -> None:
        out.print(Text.assemble(("  ✓ ", "green"), text))

    return say


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port < 65_536:
        raise argparse.ArgumentTypeError(f"not a port: {text}")
    return port
