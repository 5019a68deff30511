"""`hub bench check`: the check of a message, layer by layer."""

import argparse
from dataclasses import asdict

from rich.table import Table

from sandbox.bench.check import Line, Measured, measure
from sandbox.cli.output import console, print_json

_ROUNDS = 1000
_FEW_ROUNDS = 50


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    out = console(stderr=True)
    measured = measure(_FEW_ROUNDS if args.quick else _ROUNDS, lambda text: out.print(f"  measuring {text} …"))
    if args.json:
        print_json(asdict(measured))
    else:
        _show(measured)
    return 0


def _show(measured: Measured) -> None:
    table = Table(
        "layer", *(f"{size / 1000:.1f} KB" for size in measured.sizes), title="µs for a message: median (least)"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for line in measured.layers:
        table.add_row(line.name, *_figures(line))
    table.add_section()
    table.add_row(measured.whole.name, *_figures(measured.whole), style="bold")
    table.add_section()
    for line in measured.others:
        table.add_row(line.name, *_figures(line))
    out = console()
    out.print(table)
    cold = measured.cold
    out.print(
        f"A fresh process: {cold.import_ms:.0f} ms to load the modules, {cold.preload_ms:.0f} ms to compile the usual "
        f"types, {cold.first_ms:.1f} ms for the first message; {cold.added_mb:.0f} MB of memory added."
    )


def _figures(line: Line) -> list[str]:
    return [f"{median:,.0f} ({least:,.0f})" for median, least in zip(line.median, line.least, strict=True)]
