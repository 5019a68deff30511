"""Run every check and test: ruff, mypy, pytest. With arguments, only pytest, with those arguments."""

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass

from rich.text import Text

from sandbox.cli.output import console, print_json
from sandbox.process import ROOT

EXAMPLES = """
  hub test
  hub test tests/unit -k lane
"""


@dataclass(frozen=True, slots=True)
class Check:
    """A check to run, as arguments of Python."""

    name: str
    command: tuple[str, ...]


PYTEST = Check("pytest", ("-m", "pytest"))
CHECKS = (
    Check("ruff check", ("-m", "ruff", "check", ".")),
    Check("ruff format", ("-m", "ruff", "format", "--check", ".")),
    Check("mypy", ("-m", "mypy")),
    PYTEST,
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.usage = "hub test [--json] [PYTEST ARGUMENTS ...]"


def run(args: argparse.Namespace) -> int:
    """Run them all, then sum up; 1 when any of them failed."""
    say = console(stderr=args.json)
    checks = (Check("pytest", (*PYTEST.command, *args.passed_on)),) if args.passed_on else CHECKS
    results: list[dict[str, object]] = []
    for check in checks:
        say.print(Text.assemble((f"── {check.name}", "bold")))
        started = time.monotonic()
        code = _run(check, to_stderr=args.json)
        results.append({"name": check.name, "exitCode": code, "seconds": round(time.monotonic() - started, 1)})
    say.print(Text.assemble(("── in short", "bold")))
    for result in results:
        good = result["exitCode"] == 0
        word = ("ok    ", "bold green") if good else ("FAILED", "bold red")
        say.print(Text.assemble("  ", word, f"  {result['name']:<12} {result['seconds']:>6} s"))
    passed = all(result["exitCode"] == 0 for result in results)
    if args.json:
        print_json({"passed": passed, "checks": results})
    return 0 if passed else 1


def _run(check: Check, *, to_stderr: bool) -> int:
    # Our own tools, no shell; what the caller adds are pytest's arguments.
    return subprocess.run(  # noqa: S603
        [sys.executable, "-P", *check.command], cwd=ROOT, check=False, stdout=sys.stderr if to_stderr else None
    ).returncode
