"""`hub trail verify`: the whole audit trail against its signed checkpoints, with a report and an exit code."""

import argparse
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from sandbox import hub_folder
from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import Failure, console, full_time, print_json
from shared.azure import trail_settings
from shared.azure.settings import CosmosSettings, SettingsError
from shared.azure.trail_parts import TrailParts
from shared.trail.verifying import Progress, Report

KEY = "checkpoints.key"
"""The file in the data folder with the sandbox's key for checkpoints."""


def parts_of(args: argparse.Namespace) -> TrailParts:
    """The trail that is meant: the running sandbox's, or the one of the settings. Raises Failure."""
    try:
        if args.environment:
            values = dict(os.environ)
            return TrailParts(trail_settings.load(values), CosmosSettings.model_validate(values))
        addresses = here.running(args)
        given = {name: value for name, value in os.environ.items() if name.startswith(("Trail__", "Checkpoints__"))}
        key = hub_folder.secret(here.data_folder(args), KEY)
        # A hub on somebody's machine rests when it is not in use.
        settings = trail_settings.load({"Trail__alwaysOn": "false", **given, "Checkpoints__key": key})
        cosmos = CosmosSettings(connection_string=addresses.cosmos, database=addresses.database)
        return TrailParts(settings, cosmos)
    except SettingsError as error:
        raise Failure(str(error)) from None


def run(args: argparse.Namespace) -> int:
    """Verify and say what was found: 0 all is well, 1 something is wrong."""
    report = call(_verify(args))
    if args.json:
        print_json(_document(report))
    else:
        _show(report, console())
    return 0 if report.holds else 1


async def _verify(args: argparse.Namespace) -> Report:
    async with parts_of(args) as parts:
        if not parts.settings.trusts_somebody:
            raise Failure("no key is trusted: set Checkpoints__publicKeys")
        with _progress(quiet=args.json) as progress:
            report = await parts.verify(
                progress, since=args.since or "", quick=args.quick, witnesses=tuple(args.witness)
            )
        if not args.no_entry:
            await parts.writer.append([report.entry(parts.clock(), f"verification/{uuid.uuid4()}")])
        return report


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("chains"))
    with Bar(*columns, console=console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("verifying", total=None)

        def told(_: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield told


def _document(report: Report) -> dict[str, object]:
    return {
        "holds": report.holds,
        "chains": report.chains,
        "entries": report.entries,
        "purged": report.purged,
        "unprotected": report.unprotected,
        "reconciled": report.reconciled,
        "checkpoints": report.checkpoints,
        "newestCheckpoint": report.newest_checkpoint.isoformat() if report.newest_checkpoint else None,
        "witness": report.witness or None,
        "findings": [finding.document() for finding in report.findings],
    }


def _show(report: Report, out: Console) -> None:
    newest = full_time(report.newest_checkpoint) if report.newest_checkpoint else "none"
    out.print(f"chains       {report.chains}")
    out.print(f"entries      {report.entries} (bodies purged: {report.purged})")
    out.print(f"checkpoints  {report.checkpoints}, the newest {newest}")
    out.print(f"unprotected  {report.unprotected} entries came after it")
    out.print(f"stations     {report.reconciled} in the hub's stores were looked up")
    if report.witness:
        out.print(f"witness      {report.witness}", markup=False)
    for finding in report.findings:
        where = finding.chain if finding.seq is None else f"{finding.chain} number {finding.seq}"
        tail = f" ({finding.detail})" if finding.detail else ""
        out.print(Text.assemble(("✗ ", "bold red"), (finding.fault.value, "bold"), f"  {where}: "
                                f"{finding.fault.sentence}{tail}"))  # fmt: skip
    if report.holds and report.checkpoints:
        out.print(Text.assemble(("✓ ", "bold green"), "the trail is what it was when it was signed for"))
    elif report.holds:
        out.print("Nothing is wrong with it, but nothing of it is signed for yet.")
