"""Show a message's timeline; verify the audit trail; purge what its retention allows.

`hub trail ID` shows every station a message has passed. `hub trail verify` checks the whole trail against its signed
checkpoints and says what is wrong by name; exit code 1 when anything is. `hub trail purge` tells what the policy in
force (`Trail__retention`) allows to take away, and with --approver does it.
"""

import argparse
import re

from sandbox.cli import here, trail_purge, trail_verify
from sandbox.cli.calls import call
from sandbox.cli.output import Failure, Stations, console, entry_json, print_json
from sandbox.hub_folder import Addresses
from sandbox.timelines import timelines
from sandbox.vendor import message_id
from shared.trail.timeline import Entry

EXAMPLES = """
  hub trail 3f0c...
  hub trail 3f0c... --json
  hub trail verify
  hub trail verify --from 2026-10 --json
  hub trail verify --witness 2026-11:12:5d1e...
  hub trail purge
  hub trail purge --approver sub-123
"""

_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "message", metavar="ID|verify|purge", help="the message's id, or the Location it was answered with"
    )
    verify = parser.add_argument_group("verify")
    verify.add_argument("--from", dest="since", metavar="MONTH", type=_month, help="from this month on")
    verify.add_argument("--quick", action="store_true", help="only what came after each chain's last checkpoint")
    verify.add_argument("--witness", action="append", default=[], help="a checkpoint that was kept elsewhere")
    verify.add_argument("--no-entry", action="store_true", help="write no entry that tells of this verification")
    purge = parser.add_argument_group("purge")
    purge.add_argument("--approver", metavar="ID", help="who approved it; without one, nothing is taken away")
    parser.add_argument(
        "--environment", action="store_true", help="the trail of the settings in the environment, not the sandbox's"
    )


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    if args.message == "verify":
        return trail_verify.run(args)
    if args.message == "purge":
        return trail_purge.run(args)
    return _show(args)


def _show(args: argparse.Namespace) -> int:
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


def _month(text: str) -> str:
    if not _MONTH.fullmatch(text):
        raise argparse.ArgumentTypeError(f"not a month like 2026-11: {text}")
    return text
