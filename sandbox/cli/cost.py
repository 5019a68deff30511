"""Say what an environment costs a month in Azure: fixed, with so many events, for the next million, and what dominates.

From the template as it is evaluated (`infra/evaluated`), what an event was measured to take (`infra/measured.json`) and
a dated list of prices (`infra/prices.json`). List prices: look them up before anything is decided by them.
"""

import argparse
import json
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table
from rich.text import Text

from sandbox.cli.calls import call
from sandbox.cli.output import Failure, console, print_json
from sandbox.cost.bill import Bill, bill
from sandbox.cost.prices import MEASURED, Prices, measured, prices
from sandbox.cost.template import ENVIRONMENTS

EXAMPLES = """
  hub cost
  hub cost --env prod --events 1000000
  hub cost --env dev --events 50000 --json
  hub cost --measure
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--env", choices=ENVIRONMENTS, default="prod", help="which environment (default prod)")
    parser.add_argument(
        "--events", type=_count, default=1_000_000, metavar="N", help="events a month (default 1,000,000)"
    )
    parser.add_argument(
        "--measure", action="store_true", help="only count anew what an event takes, on a hub of its own (4 minutes)"
    )


def run(args: argparse.Namespace) -> int:
    """Reckon and print."""
    if args.measure:
        return _measure()
    try:
        found, listed = bill(args.env, args.events), prices()
    except (OSError, LookupError, ValueError) as error:
        raise Failure(f"no bill: {error}") from None
    if args.json:
        print_json(_json(found, listed))
    else:
        _show(found, listed)
    return 0


def _count(text: str) -> int:
    digits = text.replace("_", "")
    if not digits.isdecimal():
        raise argparse.ArgumentTypeError(f"not a number: {text}")
    return int(digits)


def _measure() -> int:
    from sandbox.cost.measuring import measure  # noqa: PLC0415 - the bill needs none of what runs a hub

    out = console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="hub-cost-", ignore_cleanup_errors=True) as folder:
        found = call(measure(Path(folder), lambda text: out.print(f"  counting: {text} …")))
    document = {"about": "Written by `hub cost --measure`.", "date": f"{datetime.now(UTC):%Y-%m-%d}", **found}
    MEASURED.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    out.print(f"Written: infra/{MEASURED.name}")
    return 0


def _show(found: Bill, listed: Prices) -> None:
    out = console()
    table = Table(
        "", "fixed", f"{found.events:,} events", "next million", title=f"{found.environment}: dollars a month"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for line in found.lines:
        what = f"{line.service}: {line.what.replace('`', '')}"
        table.add_row(what, _usd(line.fixed), _usd(line.usd), _usd(line.next_million))
    table.add_section()
    table.add_row("all", _usd(found.fixed), _usd(found.usd), _usd(found.next_million), style="bold")
    out.print(table)
    for line in found.lines:
        if "**" in line.how:
            out.print(Text.assemble((f"{line.service}: ", "bold red"), line.how.replace("**", "")))
    out.print(Text.assemble(("What dominates: ", "bold"), _parts(found)))
    out.print(Text.assemble(("Zones: ", "bold"), zones(found)))
    if found.events:
        out.print(f"An event: {found.usd / found.events:.5f} dollars.")
    least, most = (found.usd * (1 + more) for more in listed.more)
    out.print(f"In Norway East about {least:,.0f} to {most:,.0f}, without tax.")
    unsure = sum(price.sure == "K" for price in listed.known.values())
    out.print(
        f"List prices, {listed.basis}, written down {listed.date}. {unsure} of {len(listed.known)} are not confirmed: "
        f"look them up at {listed.check} (infra/prices.json). Counted {measured().date} on the sandbox, not in Azure."
    )


def _parts(found: Bill) -> str:
    whole = found.usd or 1.0
    return ", ".join(f"{service} {usd / whole:.0%}" for service, usd in found.dominates[:4])


def zones(found: Bill) -> str:
    """What zones cost, in words."""
    verb = "are in this bill" if found.zones.here else "would be added"
    return (
        f"{_usd(found.zones.functions)} for instances that Azure keeps because of them {verb}. Service Bus Premium "
        f"and Cosmos DB by autoscale ask nothing for them, storage next to nothing. A gateway with zones (Premium v2) "
        f"would add {_usd(found.zones.gateway)}."
    )


def _usd(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2f}"


def _json(found: Bill, listed: Prices) -> dict[str, object]:
    return {
        **asdict(found),
        "fixed": found.fixed,
        "usd": found.usd,
        "nextMillion": found.next_million,
        "dominates": [{"service": service, "usd": usd} for service, usd in found.dominates],
        "norwayEast": [found.usd * (1 + more) for more in listed.more],
        "prices": {"date": listed.date, "basis": listed.basis, "check": listed.check},
        "measured": measured().date,
    }
