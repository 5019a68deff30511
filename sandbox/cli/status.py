"""Say where a message is, as its sender may ask."""

import argparse
from datetime import datetime
from typing import Any

from rich.text import Text

from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import Failure, console, full_time, print_json
from sandbox.hub_folder import Addresses
from sandbox.journey import ARRIVED, FAILED
from sandbox.vendor import RESOURCES, NotFound, Vendor, status_path, vendor

EXAMPLES = """
  hub status 3f0c...
  hub status http://127.0.0.1:7071/epj/r4/310000019/bundle/3f0c.../$status
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("message", metavar="ID|LOCATION", help="the message's id, or the Location it was answered with")
    parser.add_argument(
        "--org", metavar="ORGNR", help="the municipality's organisation number (default: the sandbox's)"
    )
    parser.add_argument("--vendor", metavar="ID", help="the client that asks (default: the one the hub lets in)")


def run(args: argparse.Namespace) -> int:
    """Ask and print."""
    addresses = here.running(args)
    state = call(_ask(args, addresses))
    if args.json:
        print_json(state)
        return 0
    out = console()
    out.print(Text.assemble(("state       ", ""), (str(state.get("state")), _style(str(state.get("state"))))))
    out.print(f"id          {state.get('id')}", markup=False)
    for name in ("registered", "routed", "delivered", "journaled", "failed"):
        out.print(f"{name:<11} {_time(state.get(name))}", markup=False)
    for receiver in state.get("receivers", ()):
        out.print(f"receiver    {_receiver(receiver)}", markup=False)
    return 0


async def _ask(args: argparse.Namespace, addresses: Addresses) -> dict[str, Any]:
    name = args.vendor or addresses.vendor
    client = here.client_of(addresses, name)
    async with vendor(addresses.api, addresses.helseid, name, client.key_file) as sender:
        if "/" in args.message:
            try:
                return await sender.status(args.message)
            except ValueError as error:
                raise Failure(str(error)) from None
        return await _search(sender, args.org or addresses.orgnr, args.message)


async def _search(sender: Vendor, orgnr: str, message: str) -> dict[str, Any]:
    """The resource is part of the address; who only has an id does not know it."""
    for resource in RESOURCES:
        try:
            return await sender.status(status_path(orgnr, resource, message))
        except NotFound:
            continue
    raise Failure("the hub knows no message with this id from this vendor")


def _style(state: str) -> str:
    if state in ARRIVED:
        return "bold green"
    return "bold red" if state in FAILED else "bold"


def _time(text: object) -> str:
    return full_time(datetime.fromisoformat(text)) if isinstance(text, str) else "-"


def _receiver(receiver: dict[str, Any]) -> str:
    words = [str(receiver.get("receiver")), str(receiver.get("state")), f"attempts {receiver.get('attempts')}"]
    if receiver.get("nextAttempt"):
        words.append(f"next {_time(receiver['nextAttempt'])}")
    if receiver.get("delivered"):
        words.append(f"delivered {_time(receiver['delivered'])}")
    if receiver.get("reason"):
        words.append(str(receiver["reason"]))
    return ", ".join(words)
