"""Show a message's timeline: every station it has passed, with times in Norway."""

import argparse

from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import Failure, Stations, console, entry_json, print_json
from sandbox.hub_folder import Addresses
from sandbox.timelines import timelines
from sandbox.vendor import message_id
from shared.trail.timeline import Entry

EXAMPLES = """
  hub trail 3f0c...
  hub trail 3f0c... --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("message", metavar="ID", help="the message's id, or the Location it was answered with")


def run(args: argparse.Namespace) -> int:
    """Read and print."""
    event_id = message_id(args.message)
    entries = call(_read(here.running(args), event_id))
    if not entries:
        raise Failure("the hub knows no message with this id")
    if args.json:
        print_json({"id": event_id, "entries": [entry_json(entry) for entry in entries]})
        return 0
    stations = Stations(console(), dates=True)
    for entry in entries:
        stations.show(entry)
    return 0


async def _read(addresses: Addresses, event_id: str) -> tuple[Entry, ...]:
    async with timelines(addresses.cosmos, addresses.database) as read:
        return await read(event_id)
