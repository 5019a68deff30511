"""Break a hub in every way there is a word for, and count what became of what it had accepted.

It runs hubs of its own in a temporary folder. Exit code 1 when anything was lost, came out of order or could not be
gone through with. The same seed breaks the same things at the same points.
"""

import argparse
import asyncio
import tempfile
from contextlib import aclosing
from pathlib import Path

from rich.table import Table
from rich.text import Text

from sandbox.cli.output import Failure, complain, console, print_json
from sandbox.faults import catalogue
from sandbox.faults.run import QUICK, Result
from sandbox.faults.run import run as run_scenarios
from sandbox.faults.scenario import Scenario, Size

EXAMPLES = """
  hub faults
  hub faults --list
  hub faults --scenario kill-queues-called --scenario etag-storm
  hub faults --messages 200 --seed 1 --json
"""

_MESSAGES = 40
_OUTAGE_S = 3.0
_WIDTH = 150
"""A table that is cut off shows nothing; a terminal that is too narrow wraps its lines."""
_COLUMNS = (
    "attempts", "acknowledged", "delivered", "lost", "duplicated", "reordered", "recovered",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    add = parser.add_argument
    add("--scenario", action="append", default=[], metavar="NAME", help="only this one; again for more")
    add("--messages", type=_positive, default=_MESSAGES, metavar="N", help="in each scenario (default 40)")
    add("--seed", type=int, default=1, metavar="S", help="decides patients, kinds and moments (default 1)")
    add("--outage", type=float, default=_OUTAGE_S, metavar="SECONDS", help="how long things stay broken (default 3)")
    add("--quick", action="store_true", help=f"{QUICK.messages} messages and short outages, as the tests do")
    add("--list", action="store_true", help="name the scenarios and end")
    add("--keep", type=Path, metavar="DIR", help="leave the hubs' folders and logs here")


def run(args: argparse.Namespace) -> int:
    """Run the scenarios and report."""
    try:
        chosen = catalogue.named(args.scenario)
    except KeyError as error:
        raise Failure(f"there is no scenario {error.args[0]!r}; hub faults --list names them all") from None
    if args.list:
        return _list(chosen, as_json=args.json)
    size = QUICK if args.quick else Size(args.messages, args.outage)
    if args.keep is not None:
        if args.keep.exists() and any(args.keep.iterdir()):
            raise Failure(f"{args.keep} is not empty: what a hub before left there would be counted too")
        results = asyncio.run(_all(chosen, args.keep.absolute(), size, args.seed))
    else:
        with tempfile.TemporaryDirectory(prefix="hub-faults-", ignore_cleanup_errors=True) as folder:
            results = asyncio.run(_all(chosen, Path(folder), size, args.seed))
    if args.json:
        print_json({"seed": args.seed, "scenarios": [each.json() for each in results]})
    else:
        _show(results, args.seed)
    for each in results:
        if not each.good:
            complain(f"{each.name}: {each.failed or 'a promise was broken'}")
            for line in each.tally.wrong:
                complain(f"  {line}")
    return 0 if all(each.good for each in results) else 1


async def _all(scenarios: tuple[Scenario, ...], folder: Path, size: Size, seed: int) -> list[Result]:
    out = console(stderr=True)
    results: list[Result] = []

    def tell(what: str) -> None:
        out.print(Text.assemble("    ", (what, "dim")))

    async with aclosing(run_scenarios(scenarios, folder, size, seed, tell)) as outcomes:
        async for scenario, result in outcomes:
            results.append(result)
            word = ("ok    ", "bold green") if result.good else ("BROKEN", "bold red")
            done = f"{len(results)}/{len(scenarios)}"
            said = f"  {_in_short(result)}; {result.seconds:.0f} s in all"
            out.print(Text.assemble("  ", word, f" {done:>6}  {scenario.name}", (said, "dim")))
    return results


def _in_short(result: Result) -> str:
    tally = result.tally
    words = [f"{tally.delivered} of {tally.acknowledged} delivered after {tally.attempts} posts"]
    counts = {"lost": tally.lost, "duplicated": tally.duplicated, "reordered": tally.reordered}
    words += [f"{count} {name}" for name, count in (counts | {"recovered": tally.recovered}).items() if count]
    return f"{', '.join(words)}, recovery {_seconds(tally.recovery_seconds)}"


def _list(scenarios: tuple[Scenario, ...], *, as_json: bool) -> int:
    if as_json:
        print_json({"scenarios": [{"name": each.name, "sentence": each.sentence} for each in scenarios]})
        return 0
    out = console()
    width = max(len(each.name) for each in scenarios)
    for each in scenarios:
        out.print(Text.assemble((f"  {each.name:<{width}}", "bold"), f"  {each.sentence}"))
    return 0


def _show(results: list[Result], seed: int) -> None:
    out = console()
    out.width = max(out.width, _WIDTH)
    table = Table("scenario", *_COLUMNS, "first after", "recovery", title=f"Faults, seed {seed}")
    for column in table.columns[1:]:
        column.justify = "right"
    for each in results:
        facts = each.json()
        style = "" if each.good else "bold red"
        seconds = (_seconds(each.tally.first_seconds), _seconds(each.tally.recovery_seconds))
        table.add_row(each.name, *(str(facts[name]) for name in _COLUMNS), *seconds, style=style)
    out.print(table)
    for each in results:
        for note in each.notes:
            out.print(f"{each.name}: {note}")
    out.print(
        "first after, recovery: seconds from the last kill, or from when the last thing was mended, until the EPJ "
        "stored the next message, and until it had all that was sent before."
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
