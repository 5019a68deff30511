"""`hub bench`: the whole hub."""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.table import Table

from sandbox.bench.profile import NoProfiler, Share
from sandbox.bench.rows import FULL, QUICK, Row
from sandbox.bench.run import measure
from sandbox.cli.calls import call
from sandbox.cli.output import console, print_json

LIMITS = (
    "What limits it: CPU, that of the app's two processes most of all (queues: its Service Bus functions). "
    "More than half of what the queue functions take is inside the Cosmos SDK, 1 to 2 ms for each request, so what "
    "counts is how many requests an event makes; of what ingest takes, the check of the message is 2 to 3 ms. All "
    "parts and the sender share this machine's cores, and every write waits for the disk. Beyond what the cores can "
    "do, answers get slower and then become 503. Request units and operations are counted by Azure's published "
    "prices (sandbox/cosmos/charge.py, sandbox/servicebus/billing.py); both go by what is written, not by the machine."
)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    out = console(stderr=True)
    sizes = replace(QUICK if args.quick else FULL, stored=args.stored)
    if args.backlog:
        sizes = replace(sizes, backlog=args.backlog)
    with tempfile.TemporaryDirectory(prefix="hub-bench-", ignore_cleanup_errors=True) as folder:
        measuring = measure(Path(folder), sizes, lambda text: out.print(f"  measuring {text} …"), profiled=args.profile)
        try:
            rows, found = call(measuring)
        except NoProfiler as error:
            out.print(f"There is no profile: {error}.")
            return 1
    if args.json:
        shares = [asdict(share) for share in found.shares]
        print_json({"rows": [asdict(row) for row in rows], "profile": shares, "limits": LIMITS})
    else:
        _show(rows, found.shares)
    return 0


def _show(rows: list[Row], shares: Sequence[Share]) -> None:
    table = Table("figure", "value", "unit", "note", title="One run on this machine")
    table.columns[1].justify = "right"
    for row in rows:
        table.add_row(row.name, f"{row.value:.1f}" if row.value < 1000 else f"{row.value:,.0f}", row.unit, row.note)
    out = console()
    out.print(table)
    if shares:
        out.print(_profile(shares))
    out.print(LIMITS)


def _profile(shares: Sequence[Share]) -> Table:
    table = Table("part", "whose code", "share", title="Where each part's time goes")
    table.columns[2].justify = "right"
    for share in shares:
        table.add_row(share.part, share.whose, f"{share.share:.0%}")
    return table
