"""Say how it goes: what waits, since when and for whom, what is set aside, and the last hour's numbers.

The same as GET /operations/summary answers an operator, read from the hub's own database.
"""

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import console, print_json
from sandbox.hub_folder import Addresses
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import AlertSettings, CosmosSettings
from shared.azure.watch_parts import WatchParts
from shared.clock import utc_now
from shared.registry.register import Register

EXAMPLES = """
  hub summary
  hub summary --org 310000019 --json
"""

_LATE_S = 60.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--org", metavar="ORGNR", help="one municipality's alone, as its own people see it")


def run(args: argparse.Namespace) -> int:
    """Look and print."""
    found = call(_look(here.running(args), args.org))
    if args.json:
        print_json(found)
        return 0
    out = console()
    _show_waiting(out, found)
    _show_aside(out, found)
    _show_hour(out, found["lastHour"])
    _show_alerts(out, found["alerts"])
    return 0


async def _look(addresses: Addresses, orgnr: str | None) -> dict[str, Any]:
    settings = CosmosSettings.model_validate({"Cosmos": addresses.cosmos, "Cosmos__database": addresses.database})
    async with Cosmos(settings) as cosmos:
        register = Register(LazyContainer(cosmos, "registry"), utc_now)
        parts = WatchParts(AlertSettings.model_validate({}), cosmos, register)
        return await parts.desk.all(orgnr)


def _show_waiting(out: Console, found: dict[str, Any]) -> None:
    waiting = [each for each in found["receivers"] if each["oldestSeconds"] is not None]
    if not waiting:
        out.print(Text("Nothing waits: everything accepted is delivered or set aside.", "bold green"))
        return
    table = _table("oldest", "receiver", "class", "waiting", "parked", "blocked", "tries")
    for each in waiting:
        for name, numbers in each["classes"].items():
            if not numbers["waiting"]:
                continue
            late = name == "prompt" and numbers["oldestSeconds"] is not None and numbers["oldestSeconds"] > _LATE_S
            table.add_row(
                Text(span(numbers["oldestSeconds"]), "bold red" if late else ""),
                key(each),
                name,
                f"{'≥ ' if each['atLeast'] else ''}{numbers['waiting']}",
                str(numbers["parked"]),
                str(numbers["blocked"]),
                str(each["tries"]),
            )
    out.print(table)
    if found["atLeast"]:
        out.print("There is too much to be counted whole: there may be more than is told.", markup=False)


def _show_aside(out: Console, found: dict[str, Any]) -> None:
    if found["setAside"]:
        table = _table("set aside since", "receiver", "cause", "messages")
        for each in found["setAside"]:
            table.add_row(span(each["oldestSeconds"]), key(each), each["cause"], str(each["messages"]))
        out.print(table)


def _show_hour(out: Console, hour: dict[str, Any]) -> None:
    accepted = hour["accepted"]
    line = f"In the last hour: {sum(accepted.values())} accepted, {accepted['prompt']} of them urgent"
    refused = hour.get("refused", {})
    out.print(f"{line}; {sum(refused.values())} calls refused." if "refused" in hour else f"{line}.", markup=False)
    if hour["receivers"]:
        table = _table(
            "municipality", "receiver", "class", "attempts", "taken", "later", "refused", "p50", "p95", "p99"
        )
        for each in hour["receivers"]:
            times = (span(each["endToEndSeconds"][name]) for name in ("p50", "p95", "p99"))
            numbers = (str(each[name]) for name in ("taken", "later", "refused"))
            table.add_row(key(each), each["class"], *numbers, *times)
        out.print(table)


def _show_alerts(out: Console, alerts: list[dict[str, Any]]) -> None:
    for each in alerts:
        about = " ".join(str(each[name]) for name in ("orgnr", "receiver", "sender", "code") if each[name])
        out.print(Text.assemble(("alert  ", "bold red"), f"{each['kind']} {about}, since {each['since']}"))


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold")
    for name in columns:
        table.add_column(name, justify="left" if name in ("receiver", "class", "cause") else "right")
    return table


def key(entry: dict[str, Any]) -> str:
    """Whose it is."""
    return f"{entry['orgnr']}/{entry['receiver']}" if entry["receiver"] else f"{entry['orgnr']} (not routed)"


def span(seconds: float | None) -> str:
    """A time for people."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
