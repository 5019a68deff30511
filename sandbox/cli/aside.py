"""Show what is set aside: how much at which receiver for which cause, and how long."""

import argparse
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import complain, console, full_time, print_json
from sandbox.hub_folder import Addresses
from sandbox.operator import operator

EXAMPLES = """
  hub aside
  hub aside --org 310000019
  hub aside --receiver epj --list
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    add_filter(parser)
    parser.add_argument("--list", action="store_true", help="message by message, at one receiver")


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Which of what is set aside."""
    parser.add_argument("--org", metavar="ORGNR", help="of this municipality (default: the sandbox's)")
    parser.add_argument("--receiver", metavar="ID", help="at this receiver; '' is for messages that have none")
    parser.add_argument("--cause", metavar="CODE", help="for this cause, for instance REC_HTTP_422")
    parser.add_argument("--since", metavar="TIME", type=moment, help="set aside then or later, 2026-11-22T12:00:00Z")
    parser.add_argument("--until", metavar="TIME", type=moment, help="set aside before then")


def wanted(args: argparse.Namespace, addresses: Addresses) -> dict[str, str]:
    """The filter, as the API takes it."""
    given = {
        "orgnr": args.org or addresses.orgnr, "receiver": args.receiver, "cause": args.cause, "since": args.since,
        "until": args.until,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def moment(text: str) -> str:
    """A time with its zone, as the API takes it."""
    try:
        if datetime.fromisoformat(text).tzinfo is not None:
            return text
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"not a time with its zone, like 2026-11-22T12:00:00Z: {text}")


def run(args: argparse.Namespace) -> int:
    """Look, and tell."""
    if args.list and args.receiver is None:
        complain("--list needs --receiver; '' is for messages that have none")
        return 2
    addresses = here.running(args)
    path, name = ("/operations/set-aside/messages", "messages") if args.list else ("/operations/set-aside", "groups")
    found = call(_everything(addresses, path, name, wanted(args, addresses)))
    if args.json:
        print_json({name: found})
    elif not found:
        console().print("Nothing is set aside.")
    elif args.list:
        _show_messages(console(), found)
    else:
        show_groups(console(), found)
    return 0


async def _everything(addresses: Addresses, path: str, name: str, query: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with operator(addresses.api, addresses.helseid) as who:
        page = await who.get(path, query)
        found += page[name]
        while page["next"] is not None:
            page = await who.get(path, {**query, "after": page["next"]})
            found += page[name]
    return found


def show_groups(out: Console, groups: list[dict[str, Any]]) -> None:
    """One line a group."""
    for each in groups:
        number = f"{each['count']}{'+' if each['atLeast'] else ''}"
        where = f"{each['orgnr']} {each['receiver'] or '(no receiver)'}"
        oldest = full_time(datetime.fromisoformat(each["oldest"]))
        out.print(Text.assemble("  ", (f"{number:>7}", "bold"), f"  {where:<26} {each['cause']:<20} since {oldest}"))


def _show_messages(out: Console, messages: list[dict[str, Any]]) -> None:
    for each in messages:
        at = full_time(datetime.fromisoformat(each["at"]))
        out.print(f"  {at}  {each['id']}  {each['cause']}", markup=False)
