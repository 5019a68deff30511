"""`hub bench access`: what it takes to know who is calling."""

import argparse
from dataclasses import asdict

from rich.table import Table

from sandbox.bench.access import Line, Measured, measure
from sandbox.cli.calls import call
from sandbox.cli.output import console, print_json

_ROUNDS = 3000
_FEW_ROUNDS = 100


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    measured = call(measure(_FEW_ROUNDS if args.quick else _ROUNDS))
    if args.json:
        print_json(asdict(measured))
    else:
        _show(measured)
    return 0


def _show(measured: Measured) -> None:
    table = Table("decision", "median", "least", "99 %", "to reach", title="µs to know who is calling, keys at hand")
    for column in table.columns[1:]:
        column.justify = "right"
    for line in measured.lines:
        table.add_row(line.name, *(f"{each:,.1f}" for each in (line.median, line.least, line.p99)), _reach(line))
    out = console()
    out.print(table)
    out.print(
        f"A token of {measured.token_bytes:,} characters, signed by HelseID's kind of key (RSA, 3072 bits). "
        "Remembering a proof is one write to Cosmos more, not counted here."
    )


def _reach(line: Line) -> str:
    return "" if line.reach is None else f"≤ {line.reach:,.0f}"
