"""How the commands speak: words for people, one JSON object for programs, reasons on standard error.

Colours are the terminal's own green, red and bold, so that they can be read on dark and on light ones; rich leaves them
out where there is no terminal, or when NO_COLOR is set.
"""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.text import Text

from sandbox.vendor import Issue
from shared.trail.timeline import Entry


class Failure(Exception):
    """The command cannot be done; the message says why, and is all that is shown."""


def console(*, stderr: bool = False) -> Console:
    """A place to write to. Long lines are left to the terminal, so that addresses can be copied whole."""
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def complain(reason: str) -> None:
    """Say on standard error why a command failed."""
    console(stderr=True).print(Text.assemble(("hub: ", "bold red"), reason))


def print_json(value: object) -> None:
    """One JSON object, on one line, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def local_zone() -> tzinfo:
    """Norway's time; UTC on a machine without the table of time zones."""
    try:
        return ZoneInfo("Europe/Oslo")
    except ZoneInfoNotFoundError:
        return UTC


def clock_time(moment: datetime) -> str:
    """The time of day in Norway, to the millisecond."""
    local = moment.astimezone(local_zone())
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def full_time(moment: datetime) -> str:
    """Date, time and zone in Norway, to the millisecond."""
    local = moment.astimezone(local_zone())
    return f"{local:%Y-%m-%d} {clock_time(moment)} {local:%Z}"


class Stations:
    """Prints stations one under the other: time, how long after the first one, which station, where, and a remark."""

    def __init__(self, out: Console, *, dates: bool = False) -> None:
        self._out = out
        self._dates = dates
        self._first: datetime | None = None

    def show(self, entry: Entry) -> None:
        """Print a station of the hub's own timeline."""
        self.line(entry.at, entry.station, entry.where, entry.detail)

    def line(self, at: datetime, station: str, where: str, detail: str = "", style: str = "bold") -> None:
        """Print one station."""
        since = "" if self._first is None else _since((at - self._first).total_seconds())
        self._first = self._first or at
        when = full_time(at) if self._dates else clock_time(at)
        self._out.print(
            Text.assemble("  ", when, f"  {since:>10}  ", (f"{station:<12}", style), f" {where:<16} {detail}".rstrip())
        )


def _since(seconds: float) -> str:
    if abs(seconds) < 10:
        return f"{seconds * 1000:+.0f} ms"
    if abs(seconds) < 600:
        return f"{seconds:+.1f} s"
    return f"{seconds / 60:+.0f} min"


def show_issues(out: Console, issues: Iterable[Issue]) -> None:
    """Print what an OperationOutcome says."""
    for issue in issues:
        style = "red" if issue.severity in ("fatal", "error") else "bold"
        # Some readers of an OperationOutcome only look at the one, some only at the other; people need it once.
        text = issue.diagnostics if issue.text in issue.diagnostics else f"{issue.text} {issue.diagnostics}".rstrip()
        place = f", at {', '.join(issue.expression)}" if issue.expression else ""
        code = " ".join(part for part in (issue.code, issue.details_code) if part)
        out.print(Text.assemble("  ", (issue.severity, style), f" ({code}){place}: {text}"))


def issue_json(issue: Issue) -> dict[str, object]:
    """An issue for programs."""
    return {
        "severity": issue.severity,
        "code": issue.code,
        "detailsCode": issue.details_code,
        "text": issue.text,
        "diagnostics": issue.diagnostics,
        "expression": list(issue.expression),
    }


def entry_json(entry: Entry) -> dict[str, str]:
    """A station for programs; its time in UTC."""
    return {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "station": entry.station,
        "where": entry.where,
        "detail": entry.detail,
    }
