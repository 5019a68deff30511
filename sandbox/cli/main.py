"""The commands of `hub`: one line each in the table below, one module each beside this one."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast


class Command(Protocol):
    """What a command's module has. Its docstring's first line is its summary in the help."""

    EXAMPLES: str

    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        """Do it. Returns the exit code: 0 done, 1 refused or failed. May raise Failure."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: its name, its module (loaded when used), and what it does in a few words."""

    name: str
    module: str
    summary: str
    passes_on: bool = False
    """Whether arguments it does not know are for somebody else (`args.passed_on`)."""


COMMANDS = (
    Entry("up", "sandbox.cli.up", "start the whole hub on this machine and send one event through"),
    Entry("test", "sandbox.cli.test", "run every check and test", passes_on=True),
    Entry("token", "sandbox.cli.token", "print an access token"),
    Entry("check", "sandbox.cli.check", "check FHIR files as the API would, with no hub running"),
    Entry("note", "sandbox.cli.note", "print the journal note of a FHIR file, with no hub running"),
    Entry("send", "sandbox.cli.send", "send a FHIR file as the sandbox vendor"),
    Entry("status", "sandbox.cli.status", "say where a message is"),
    Entry("trail", "sandbox.cli.trail", "show a message's timeline"),
    Entry("trace", "sandbox.cli.trace", "show a message's spans and log lines as a tree"),
    Entry("summary", "sandbox.cli.summary", "say how it goes: what waits, since when, for whom"),
    Entry("alerts", "sandbox.cli.alerts", "list the alerts that people have got"),
    Entry("registry", "sandbox.cli.registry", "compare the register with a file, or apply one"),
    Entry("aside", "sandbox.cli.aside", "show what is set aside"),
    Entry("replay", "sandbox.cli.replay", "replay what is set aside; a dry run unless told otherwise"),
    Entry("bench", "sandbox.cli.bench", "measure, in one table"),
    Entry("faults", "sandbox.cli.faults", "break a hub of its own in every way and count what is lost"),
    Entry("cost", "sandbox.cli.cost", "say what an environment costs a month in Azure, and what dominates"),
    Entry("package", "sandbox.cli.package", "build the zip that Azure runs, and prove it"),
)


def main(argv: Sequence[str]) -> int:
    """Run a command. Returns the exit code: 0 done, 1 refused or failed, 2 wrong use."""
    entry = next((entry for entry in COMMANDS if argv and entry.name == argv[0]), None)
    if entry is None:
        overview = _overview()
        if argv:
            # Ends with the help, or with what is wrong.
            overview.parse_args(argv)
        overview.print_help(sys.stderr)
        return 2
    command = cast(Command, importlib.import_module(entry.module))
    parser = _parser(entry, command)
    args, passed_on = parser.parse_known_args(argv[1:])
    if passed_on and not entry.passes_on:
        parser.error(f"unrecognized arguments: {' '.join(passed_on)}")
    args.passed_on = passed_on
    return _run(command, args)


def _run(command: Command, args: argparse.Namespace) -> int:
    from sandbox.cli.output import Failure, complain  # noqa: PLC0415 - the overview answers without loading rich

    try:
        return command.run(args)
    except Failure as failure:
        complain(str(failure))
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough.
        sys.stderr.close()
        return 1


def _overview() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hub", description="Knutepunkt, an open Norwegian welfare-technology hub, on this machine.",
        epilog="hub COMMAND --help says more. Exit codes: 0 done, 1 refused or failed, 2 wrong use.",
    )  # fmt: skip
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for entry in COMMANDS:
        commands.add_parser(entry.name, help=entry.summary)
    return parser


def _parser(entry: Entry, command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"hub {entry.name}",
        description=(command.__doc__ or entry.summary).split("\n\n", 1)[0],
        epilog=f"examples:\n{command.EXAMPLES.strip('\n')}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.configure(parser)
    parser.add_argument(
        "--data", type=Path, default=Path(".hub"), metavar="DIR", help="where `hub up` keeps its state (default .hub)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser
