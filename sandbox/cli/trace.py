"""Show the trace of a message: its spans and log lines as a tree, with times.

What the app exports, as Application Insights would get it: from the vendor's call to the journal's answer, across the
queues. Reads what the hub's collector has kept, so it works after the hub has ended too. A message's own timeline, of
which nothing is left out, is `hub trail ID`.
"""

import argparse
import time
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from sandbox.cli import here
from sandbox.cli.output import Failure, clock_time, console, full_time, print_json
from sandbox.hub_parts import TELEMETRY
from sandbox.telemetry.kept import Line
from sandbox.telemetry.story import Node, Story, at, of_message
from sandbox.vendor import message_id

EXAMPLES = """
  hub trace 3f0c...
  hub trace http://127.0.0.1:7071/epj/r4/310000019/bundle/3f0c.../$status
  hub trace 3f0c... --json
"""

_PATIENCE_S: Final = 3.0
"""The app exports once a second."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "message",
        metavar="ID",
        help="the message's id, the Location it was answered with, a delivery's, a correlation id or a trace's",
    )


def run(args: argparse.Namespace) -> int:
    """Show it."""
    id = message_id(args.message)
    story = _found(args, id)
    if not story.roots:
        raise Failure("nothing was collected of a message with this id")
    if args.json:
        print_json({"id": id, "traces": list(story.traces), "tree": [_json(each) for each in story.roots]})
        return 0
    out = console()
    first = datetime.fromisoformat(at(story.roots[0]))
    out.print(Text.assemble(("trace ", "bold"), " ".join(story.traces), f"  from {full_time(first)}"))
    for each in story.roots:
        _show(out, each, first)
    return 0


def _found(args: argparse.Namespace, id: str) -> Story:
    folder = here.data_folder(args) / TELEMETRY
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        story = of_message(folder, id)
        if story.roots or not folder.exists() or time.monotonic() > deadline:
            return story
        time.sleep(0.2)


def _json(each: Node | Line) -> dict[str, Any]:
    return each.json() if isinstance(each, Node) else each


def _show(out: Console, each: Node | Line, first: datetime, depth: int = 0) -> None:
    if not isinstance(each, Node):
        out.print(Text.assemble(_when(each, first, depth), (each["text"], _style(each["severity"]))))
        return
    span = each.span
    told = " ".join(f"{name}={value}" for name, value in span["attributes"].items())
    title = (span["name"], "bold red" if span["failed"] else "bold")
    out.print(Text.assemble(_when(each, first, depth), title, f"  {span['ms']:.1f} ms  {told}".rstrip()))
    for one in each.inside:
        _show(out, one, first, depth + 1)


def _when(each: Node | Line, first: datetime, depth: int) -> str:
    moment = datetime.fromisoformat(at(each))
    since = (moment - first).total_seconds() * 1000
    return f"  {clock_time(moment)}  {since:>+10.1f} ms  {'│ ' * (depth - 1)}{'├ ' if depth else ''}"


def _style(severity: str) -> str:
    return "" if severity == "INFO" else "red"
