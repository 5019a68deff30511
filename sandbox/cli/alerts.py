"""List the alerts that people have got: each notice once, with how often and by which way it came.

Somebody is told once when something breaks and once when it is well again, by webhook and by mail. Here both arrive at
the sandbox's own address and mail server.
"""

import argparse
from datetime import datetime
from typing import Any

import aiohttp
from rich.text import Text

from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import console, full_time, print_json
from sandbox.hub_folder import Addresses

EXAMPLES = """
  hub alerts
  hub alerts --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--full", action="store_true", help="with the whole text of each")


def run(args: argparse.Namespace) -> int:
    """Ask the sandbox's mailbox and print."""
    notices = gathered(call(_received(here.running(args))))
    if args.json:
        print_json({"notices": notices})
        return 0
    out = console()
    for each in notices:
        style = "bold green" if each["state"] == "well" else "bold red"
        ways = ", ".join(f"{way}{f' {n}×' if n > 1 else ''}" for way, n in each["arrivals"].items())
        out.print(
            Text.assemble(full_time(datetime.fromisoformat(each["at"])), "  ", (each["title"], style), f"  ({ways})")
        )
        if args.full and each["text"]:
            out.print(Text("\n".join(f"    {line}" for line in each["text"].splitlines())))
    out.print("Nobody has been told of anything." if not notices else f"{len(notices)} notices.", markup=False)
    return 0


async def _received(addresses: Addresses) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(f"{addresses.alerts}/received") as answer:
        found: list[dict[str, Any]] = await answer.json()
        return found


def gathered(arrived: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each notice once, in the order they first came. Those with a wrong signature are left out."""
    notices: dict[str, dict[str, Any]] = {}
    for each in arrived:
        if not each["verified"]:
            continue
        found = notices.setdefault(
            each["id"],
            {"id": each["id"], "at": each["at"], "kind": "", "state": "", "title": "", "text": "", "arrivals": {}},
        )
        found["arrivals"][each["channel"]] = found["arrivals"].get(each["channel"], 0) + 1
        if each["body"] is not None:
            data = each["body"]["data"]
            found |= {"kind": data["kind"], "state": data["state"], "title": each["title"], "text": each["text"]}
        elif not found["title"]:
            found |= {"title": each["title"], "text": each["text"]}
    return list(notices.values())
