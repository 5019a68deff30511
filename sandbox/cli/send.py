"""Send a FHIR file or one of the examples, byte for byte, as the sandbox vendor, and print the answer."""

import argparse
import sys
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox import examples
from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import (
    Failure,
    Stations,
    console,
    entry_json,
    full_time,
    issue_json,
    print_json,
    show_issues,
)
from sandbox.hub_folder import Addresses
from sandbox.journey import End, follow
from sandbox.vendor import Answer, Vendor, resource_of, vendor

EXAMPLES = """
  hub send alarm.json
  hub send alarm.json --wait --timeout 120
  hub send --examples
  hub send --example fall-alarm --wait
  hub send alarm.json --dpop
  cat alarm.json | hub send - --resource bundle --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", metavar="FILE", help="the file to send; - reads standard input")
    what.add_argument("--example", metavar="NAME", help="send one of the examples in sandbox/data/examples")
    what.add_argument("--examples", action="store_true", help="list the examples, one of every kind of message")
    parser.add_argument(
        "--org", metavar="ORGNR", help="the municipality's organisation number (default: the sandbox's)"
    )
    parser.add_argument("--resource", metavar="NAME", help="bundle, composition, … (default: the file's resourceType)")
    parser.add_argument("--vendor", metavar="ID", help="the client that sends (default: the one the hub lets in)")
    parser.add_argument("--dpop", action="store_true", help="with a token bound to the client's key, and a proof")
    parser.add_argument("--wait", action="store_true", help="follow it until it is delivered")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds to wait (default 60)")


def run(args: argparse.Namespace) -> int:
    """Send it; 0 when accepted, and with --wait when delivered."""
    if args.examples:
        return _list(args)
    example = _example(args.example) if args.example is not None else None
    addresses = here.running(args)
    body = example if example is not None else _read(args.file)
    resource = args.resource or _resource(body, args.file or args.example)
    name = args.vendor or addresses.vendor
    client = here.client_of(addresses, name)
    return call(_send(args, addresses, name, client.key_file, resource, body))


async def _send(
    args: argparse.Namespace, addresses: Addresses, name: str, key_file: str, resource: str, body: bytes
) -> int:
    out = console()
    async with vendor(addresses.api, addresses.helseid, name, key_file, dpop=args.dpop) as sender:
        sent_at = datetime.now(UTC)
        answer = await sender.send(args.org or addresses.orgnr, resource, body)
        if not args.json:
            _show(out if answer.accepted else console(stderr=True), answer)
        if not answer.accepted or not args.wait:
            if args.json:
                print_json(_facts(answer))
            return 0 if answer.accepted else _refused(args, answer)
        end = await _follow(args, addresses, sender, answer, out, sent_at)
    if args.json:
        print_json(_facts(answer) | {"state": end.state, "stations": [entry_json(each) for each in end.entries]})
    if end.arrived:
        return 0
    what = "ended as" if end.failed else f"after {args.timeout:g} s it is still"
    raise Failure(f"not delivered: {what} {end.state}")


async def _follow(
    args: argparse.Namespace, addresses: Addresses, sender: Vendor, answer: Answer, out: Console, sent_at: datetime
) -> End:
    from sandbox.timelines import timelines  # noqa: PLC0415 - only who waits pays for loading the Cosmos SDK

    stations = Stations(out)
    async with timelines(addresses.cosmos, addresses.database) as read:
        show = stations.show if not args.json else lambda _: None
        location = answer.location or ""
        end = await follow(location, answer.message_id or "", sender.status, read, show, args.timeout)
    if end.arrived and not args.json and end.entries and end.entries[-1].at < sent_at:
        out.print(f"It was delivered before, at {full_time(end.entries[-1].at)}: sending it again changes nothing.")
    return end


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {name}: {error.strerror}") from None


def _example(name: str) -> bytes:
    try:
        return examples.body(name)
    except KeyError:
        near = get_close_matches(name, examples.names(), n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        raise Failure(f"there is no example {name}{hint}; hub send --examples lists them") from None


def _list(args: argparse.Namespace) -> int:
    if args.json:
        print_json(dict(examples.names()))
        return 0
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, about in examples.names().items():
        table.add_row(Text(name, "bold"), Text(about))
    console().print(table)
    return 0


def _resource(body: bytes, name: str) -> str:
    try:
        return resource_of(body)
    except (ValueError, RecursionError):
        raise Failure(f"{name} is not JSON with a resourceType; say --resource to send it all the same") from None


def _refused(args: argparse.Namespace, answer: Answer) -> int:
    if args.json:
        reason = answer.issues[0].diagnostics or answer.issues[0].text if answer.issues else ""
        raise Failure(f"the hub answered {answer.status} {reason}".rstrip())
    return 1


def _show(out: Console, answer: Answer) -> None:
    style = "bold green" if answer.accepted else "bold red"
    out.print(Text.assemble((str(answer.status), style), f"  {'accepted' if answer.accepted else 'not accepted'}"))
    if answer.location:
        out.print(f"  id        {answer.message_id}", markup=False)
        out.print(f"  location  {answer.location}", markup=False)
    show_issues(out, answer.issues)


def _facts(answer: Answer) -> dict[str, object]:
    return {
        "status": answer.status,
        "id": answer.message_id,
        "location": answer.location,
        "issues": [issue_json(issue) for issue in answer.issues],
    }
