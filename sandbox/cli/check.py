"""Check FHIR files in the API's own words, with no hub running. 1 when the API would refuse any of them.

A folder means every .json file below it.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from sandbox.checking.files import messages_in
from sandbox.checking.one import Checked, Placed, check
from sandbox.checking.summary import Summary
from sandbox.cli.output import Failure, console, print_json
from shared.fhir.reading import Judging
from shared.fhir.rules import DEFAULT, STRICT
from shared.identity.series import Environment

EXAMPLES = """
  hub check alarm.json
  hub check messages/ --strict
  cat alarm.json | hub check - --json
"""

_STDIN = "-"
_LONG = 50
"""Files from which on it is worth saying how far it has come."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "paths", metavar="FILE", nargs="+", type=_existing, help="files or folders; - reads standard input"
    )
    parser.add_argument(
        "--strict", action="store_true", help="as a strict R4 reader (the header Prefer: handling=strict)"
    )
    parser.add_argument(
        "--environment",
        choices=[each.value for each in Environment],
        default=Environment.TEST.value,
        help="test takes synthetic persons only (default), production real ones only",
    )


def run(args: argparse.Namespace) -> int:
    """Check and print; 0 when all would be accepted."""
    judging = Judging(STRICT if args.strict else DEFAULT, Environment(args.environment))
    paths: list[Path] = args.paths
    try:
        found = list(messages_in(paths))
    except OSError as error:
        raise Failure(f"cannot read {error.filename}: {error.strerror}") from None
    if not found:
        raise Failure(f"no .json file below {', '.join(str(path) for path in paths)}")
    out = console()
    summary = Summary()
    facts: list[dict[str, object]] = []
    with _progress(len(found), out, quiet=args.json) as one_more:
        for path in found:
            checked = check(*_read(path), judging)
            summary.add(checked)
            if args.json:
                facts.append(_facts(checked))
            elif checked.findings or checked.reason or len(found) == 1:
                _show(out, checked)
            one_more()
    if args.json:
        print_json({"files": facts, "summary": _counts(summary)})
    elif len(found) > 1:
        _show_summary(out, summary)
    return 1 if summary.refused else 0


def _existing(text: str) -> Path:
    path = Path(text)
    if text != _STDIN and not path.exists():
        raise argparse.ArgumentTypeError(f"there is no {text}")
    return path


def _read(path: Path) -> tuple[str, bytes]:
    if str(path) == _STDIN:
        return "standard input", sys.stdin.buffer.read()
    try:
        return str(path), path.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None


@contextmanager
def _progress(count: int, out: Console, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Says on a terminal how far it has come, below what is printed; gives what to call after each file."""
    # On the console that prints, if people look at that one: two that write to one terminal would mix their lines.
    where = out if out.is_terminal and not quiet else console(stderr=True)
    if count < _LONG or not where.is_terminal:
        yield lambda: None
        return
    columns = (TextColumn("  checking"), MofNCompleteColumn(), TextColumn("files"))
    with Progress(*columns, console=where, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task("", total=count)
        yield lambda: progress.advance(task)


def _show(out: Console, checked: Checked) -> None:
    errors = sum(each.finding.severity == "error" for each in checked.findings)
    warnings = len(checked.findings) - errors
    counts = ", ".join(_count(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number)
    verdict = (
        ("accepted", "bold green") if checked.refusal is None else (f"refused ({checked.refusal.code})", "bold red")
    )
    out.print(Text.assemble((checked.name, "bold"), "  ", verdict, f"  {counts}" if counts else ""))
    if checked.reason:
        out.print(f"  {checked.reason}", markup=False)
    for each in checked.findings:
        _show_finding(out, checked.name, each)


def _show_finding(out: Console, name: str, placed: Placed) -> None:
    finding = placed.finding
    style = "red" if finding.severity == "error" else "bold"
    place = name if placed.line is None else f"{name}:{placed.line}:{placed.column}"
    out.print(Text.assemble(f"  {place}  ", (finding.severity, style), f"  {finding.expression}  ({finding.rule})"))
    out.print(f"      {finding.text} {finding.mend}".rstrip(), markup=False)


def _show_summary(out: Console, summary: Summary) -> None:
    out.print(Text.assemble(("── in short", "bold")))
    out.print(
        f"  {_count(summary.files, 'file')}: {summary.accepted} accepted, "
        f"{summary.with_warnings} accepted with warnings, {summary.refused} refused"
    )
    for severity, rule, met in summary.most_met():
        style = "red" if severity == "error" else "bold"
        out.print(
            Text.assemble(f"  {met.times:>6}  ", (f"{severity:<9}", style), f"{rule}  in {_count(met.files, 'file')}")
        )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _facts(checked: Checked) -> dict[str, object]:
    return {
        "file": checked.name,
        "accepted": checked.accepted,
        "code": checked.refusal.code if checked.refusal is not None else None,
        "reason": checked.reason or None,
        "resourceType": checked.resource_type,
        "findings": [_finding_facts(each) for each in checked.findings],
    }


def _finding_facts(placed: Placed) -> dict[str, object]:
    finding = placed.finding
    return {
        "severity": finding.severity,
        "rule": finding.rule,
        "line": placed.line,
        "column": placed.column,
        "expression": finding.expression,
        "text": finding.text,
        "mend": finding.mend,
        "issueType": finding.issue_type,
        "vkpCode": finding.vkp_code,
    }


def _counts(summary: Summary) -> dict[str, object]:
    return {
        "files": summary.files,
        "accepted": summary.accepted,
        "acceptedWithWarnings": summary.with_warnings,
        "refused": summary.refused,
        "rules": [
            {"severity": severity, "rule": rule, "times": met.times, "files": met.files}
            for severity, rule, met in summary.most_met()
        ],
    }
