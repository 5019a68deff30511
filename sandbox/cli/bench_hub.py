"""`hub bench`: the whole hub."""

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from sandbox.bench.run import FULL, QUICK, Row, measure
from sandbox.cli.calls import call
from sandbox.cli.output import console, print_json

LIMITS = (
    "What limits it: CPU, that of the app's two processes most of all (queues: its Service Bus functions). "
    "About two thirds of what the queue functions take is inside the Cosmos SDK, 1 to 1.5 ms for each request; "
    "of what ingest takes, the check of the message is 2 to 3 ms. All parts and the sender share this "
    "machine's cores, and every write waits for the disk. Beyond what the cores can do, answers get slower and "
    "then become 503."
)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    out = console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="hub-bench-", ignore_cleanup_errors=True) as folder:
        rows = call(
            measure(Path(folder), QUICK if args.quick else FULL, lambda text: out.print(f"  measuring {text} …"))
        )
    if args.json:
        print_json({"rows": [asdict(row) for row in rows], "limits": LIMITS})
    else:
        _show(rows)
    return 0


def _show(rows: list[Row]) -> None:
    table = Table("figure", "value", "unit", "note", title="One run on this machine")
    table.columns[1].justify = "right"
    for row in rows:
        table.add_row(row.name, f"{row.value:.1f}" if row.value < 1000 else f"{row.value:,.0f}", row.unit, row.note)
    out = console()
    out.print(table)
    out.print(LIMITS)
