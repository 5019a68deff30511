"""Compare the register with a file, apply a file to it, or write it to one.

diff says what a file would change, apply changes it (and is asked why), export writes a file that says what is there.
A file is JSON; its form is docs/registry.schema.json. Lists in it are complete, what it leaves out stays as it is.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.text import Text

from sandbox.cli import here
from sandbox.cli.calls import call
from sandbox.cli.output import Failure, complain, console, print_json
from sandbox.stores import open_stores
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.clock import utc_now
from shared.identity.series import Environment
from shared.registry import files
from shared.registry.bodies import NotReadable, json_object
from shared.registry.changes import Change
from shared.registry.entries import partition
from shared.registry.keeping import Conflict, Registry
from shared.registry.model import SYSTEMS
from shared.registry.rules import House
from shared.registry.shapes import Fault, Invalid
from shared.road.accepting import RESOURCES

EXAMPLES = """
  hub registry export > register.json
  hub registry diff register.json
  hub registry apply register.json --why "case 2026/114: alarms from Natugla"
  hub registry diff register.json --from-environment      # Cosmos__accountEndpoint, Hub__environment
"""

MAX_BYTES = 8 * 1024 * 1024
_ENVIRONMENT = "Hub__environment"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("action", choices=("diff", "apply", "export"), help="what to do")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the file; - is standard input or output")
    parser.add_argument("--why", help="apply: the reason, for the audit log; nothing about a person")
    parser.add_argument(
        "--who", default=f"code:{getpass.getuser()}", help="apply: on whose behalf (default: code: and this user)"
    )
    parser.add_argument("--check", action="store_true", help="diff: end with 1 when something would change")
    parser.add_argument("--org", metavar="ORGNR", help="export: this municipality only")
    parser.add_argument("--people", action="store_true", help="export: those who have access too")
    parser.add_argument(
        "--from-environment", action="store_true", help="the register that the app's settings name, not the sandbox's"
    )


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if args.action == "export":
        return _exported(args, call(_export(args)))
    if not args.file:
        return _wrong(f"{args.action} needs a FILE")
    if args.action == "apply" and not args.why:
        return _wrong("apply needs --why: the reason goes into the audit log")
    try:
        wanted = files.read(_read(args.file))
        changes = call(_changes(args, wanted))
    except Invalid as error:
        return _refused(args, error.faults)
    return _told(args, changes)


def _wrong(text: str) -> int:
    complain(text)
    return 2


def _read(name: str) -> dict[str, Any]:
    try:
        body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}") from None
    try:
        return json_object(body, MAX_BYTES)
    except NotReadable as error:
        raise Failure(f"{name}: {error}") from None


async def _changes(args: argparse.Namespace, wanted: files.Wanted) -> tuple[Change, ...]:
    async with _registry(args) as (registry, environment):
        kept = {(each["orgnr"], each["id"]): each for orgnr in wanted.partitions()
                for each in await registry.everything(orgnr)}  # fmt: skip
        # Withdrawn entries are not listed, but their versions go on.
        for orgnr, id in {(partition(entry), entry.document()["id"]) for _, entry in wanted.entries} - kept.keys():
            document = await registry.read(orgnr, id)
            if document is not None:
                kept[orgnr, id] = document
        house = House(environment, frozenset(RESOURCES), utc_now())
        changes = files.plan(wanted, kept, house, args.who, args.why or "asked what would change")
        if args.action == "apply":
            await _write(registry, changes)
        return changes


async def _write(registry: Registry, changes: tuple[Change, ...]) -> None:
    for done, change in enumerate(changes):
        try:
            await registry.write(change)
        except Conflict:
            raise Failure(
                f"somebody else changed {change.id} of {change.orgnr} meanwhile; {done} of {len(changes)} changes are "
                "made: look with diff and apply again"
            ) from None


async def _export(args: argparse.Namespace) -> dict[str, Any]:
    async with _registry(args) as (registry, _):
        if args.org:
            partitions = [args.org]
        else:
            partitions = [SYSTEMS]
            after: str | None = ""
            while after is not None:
                page = await registry.municipalities(after)
                partitions += [each["orgnr"] for each in page.documents]
                after = page.next
        documents = [each for orgnr in partitions for each in await registry.everything(orgnr)]
    file = files.export(documents, people=args.people)
    if args.org and not file["municipalities"]:
        raise Failure("there is no such municipality in the register")
    if args.org:
        del file["systems"]
        file.pop("operators", None)
    return file


def _exported(args: argparse.Namespace, file: dict[str, Any]) -> int:
    text = json.dumps(file, ensure_ascii=False, indent=None if args.json else 2) + "\n"
    if args.file in (None, "-"):
        sys.stdout.write(text)
        return 0
    try:
        Path(args.file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{args.file}: {error.strerror}") from None
    return 0


@asynccontextmanager
async def _registry(args: argparse.Namespace) -> AsyncIterator[tuple[Registry, Environment]]:
    if args.from_environment:
        settings = CosmosSettings.model_validate(dict(os.environ))
        if settings.connection_string is None and settings.account_endpoint is None:
            raise Failure("the environment names no register: set Cosmos__accountEndpoint")
        environment = _environment()
        async with Cosmos(settings) as cosmos:
            yield Registry(LazyContainer(cosmos, "registry")), environment
        return
    addresses = here.running(args)
    async with open_stores(addresses.cosmos, addresses.database) as stores:
        yield Registry(stores.registry), Environment.TEST


def _environment() -> Environment:
    try:
        return Environment(os.environ.get(_ENVIRONMENT, Environment.PRODUCTION))
    except ValueError:
        raise Failure(f"{_ENVIRONMENT} must be production or test") from None


def _refused(args: argparse.Namespace, faults: tuple[Fault, ...]) -> int:
    if args.json:
        print_json({"changes": [], "faults": [{"field": each.field, "text": each.text} for each in faults]})
    else:
        for each in faults:
            complain(str(each))
    return 1


def _told(args: argparse.Namespace, changes: tuple[Change, ...]) -> int:
    if args.json:
        print_json({"changes": [_as_json(each) for each in changes], "faults": []})
    else:
        _show(args, changes)
    return 1 if args.check and changes else 0


def _as_json(change: Change) -> dict[str, Any]:
    fields = [{"field": each.field, "before": each.before, "after": each.after} for each in change.fields]
    return {
        "orgnr": change.orgnr, "kind": change.kind, "id": change.id, "version": change.version, "fields": fields,
    }  # fmt: skip


def _show(args: argparse.Namespace, changes: tuple[Change, ...]) -> None:
    out = console()
    for change in changes:
        sign, style = ("-", "red") if change.withdraws else ("+", "green") if change.version == 1 else ("~", "bold")
        out.print(Text.assemble((f"{sign} {change.kind} ", style), f"{change.orgnr} {change.id}"))
        for each in change.fields:
            before = "" if change.version == 1 else f"{_value(each.before)} → "
            out.print(f"    {each.field}: {before}{_value(each.after)}", markup=False)
    verb = "changed" if args.action == "apply" else "to change"
    out.print(f"{len(changes)} {'entry' if len(changes) == 1 else 'entries'} {verb}.", markup=False)


def _value(value: Any) -> str:
    return "(nothing)" if value is None else json.dumps(value, ensure_ascii=False)
