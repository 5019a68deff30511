"""Print the journal note of a FHIR file, as a nurse would read it, with no hub running.

1 when there is no note: the API would refuse the message, or a person must see it first.
"""

import argparse
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sandbox.cli.output import Failure, print_json
from shared import clock
from shared.errors import HubError
from shared.fhir.reading import Judging, judge
from shared.fhir.values import JsonObject
from shared.identity.series import Environment
from shared.journal.document_reference import Filing, document_reference, to_bytes
from shared.journal.length import Limit, Part, parts
from shared.journal.model import Charset, Held, HeldReason, Language, Layout, Note, NoteChoices, NoteContext
from shared.journal.render import render
from shared.journal.xhtml import as_xhtml

EXAMPLES = """
  hub note alarm.json
  hub note alarm.json --style b --language nn
  hub note alarm.json --as documentreference --with-original
  cat alarm.json | hub note - --received 2026-11-21T08:00:00Z --sender Trygghetsvakt --json
"""

_STDIN: Final = "-"
_FORMS: Final = ("text", "xhtml", "documentreference")
HELD: Final = {
    HeldReason.TWO_PATIENTS: "it names two patients, or one under identifiers that nothing joins",
    HeldReason.NO_PATIENT: "it names no patient",
    HeldReason.MEDICATION_CONTRADICTS: "a medication event's code and text say different things, or the code has "
    "meant something else",
    HeldReason.MEDICATION_UNKNOWN: "a medication event has a code that no edition of its list knows",
    HeldReason.MEDICATION_FUTURE: "a medication event is more than a day ahead",
    HeldReason.WRONG_PATIENT: "it corrects a note of another patient",
    HeldReason.TRIAGE_EXPECTANT: "its triage code is the one for those not expected to live",
    HeldReason.TEST_MESSAGE: "the sender says that it is a test",
    HeldReason.NOTHING_TO_TELL: "it holds nothing that notes are written of",
}
"""Why a person must see a message first."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("file", metavar="FILE", help="the message; - reads standard input")
    parser.add_argument(
        "--style",
        choices=[each.value for each in Layout],
        default=Layout.PROSE.value,
        help="a: heading and body (default), b: one fact a line, c: logs and series as tables",
    )
    parser.add_argument(
        "--language",
        choices=[each.value for each in Language],
        default=Language.BOKMAL.value,
        help="bokmål (nb, default) or nynorsk (nn)",
    )
    parser.add_argument(
        "--charset",
        choices=[each.value for each in Charset],
        default=Charset.UTF8.value,
        help="the characters that the journal can hold (default utf8); what is printed is UTF-8 all the same",
    )
    parser.add_argument("--as", choices=_FORMS, default=_FORMS[0], dest="form", help="the form (default text)")
    parser.add_argument("--limit", type=_limit, metavar="N", help="parts of at most N characters (text only)")
    parser.add_argument(
        "--with-original", action="store_true", help="put the message, byte for byte, in the DocumentReference"
    )
    parser.add_argument("--received", type=_moment, metavar="TIME", help="ISO 8601 with zone (default now)")
    parser.add_argument("--sender", default="", metavar="NAME", help="the sending system's name, for the footer")
    parser.add_argument(
        "--environment",
        choices=[each.value for each in Environment],
        default=Environment.TEST.value,
        help="test takes synthetic persons only (default), production real ones only",
    )


def run(args: argparse.Namespace) -> int:
    """Write and print it; 1 when it is held."""
    body = _read(args.file)
    message = _message(body, args)
    sha256 = hashlib.sha256(body).hexdigest()
    context = NoteContext(args.sender, args.received or clock.utc_now(), sha256[:8])
    choices = NoteChoices(Language(args.language), Layout(args.style), Charset(args.charset))
    note = render(message, context, choices)
    if isinstance(note, Held):
        if args.json:
            print_json({"held": note.reason.value})
            return 1
        raise Failure(f"no note; a person must see this message first: {HELD[note.reason]} ({note.reason})")
    if args.form == "documentreference":
        filing = Filing(sha256, message, context, body if args.with_original else None)
        resource = document_reference(note, choices, filing)
        _show(args, note, {"documentReference": resource}, to_bytes(resource).decode())
    elif args.form == "xhtml":
        xhtml = as_xhtml(note, choices.layout)
        _show(args, note, {"xhtml": xhtml}, xhtml)
    else:
        divided = _parts(note, choices, args.limit)
        facts = [{"title": part.title, "body": part.body} for part in divided]
        _show(args, note, {"parts": facts}, "\n\n".join(part.text for part in divided))
    return 0


def _message(body: bytes, args: argparse.Namespace) -> JsonObject:
    try:
        judgement = judge(body, None, Judging(environment=Environment(args.environment)))
    except HubError as refusal:
        raise Failure(_refused(refusal, args.file)) from None
    if judgement.refusal is not None:
        raise Failure(_refused(judgement.refusal, args.file))
    return judgement.message


def _refused(refusal: HubError, name: str) -> str:
    more = "" if name == _STDIN else f"; hub check {name} shows every finding"
    return f"no note; the API would refuse this message: {refusal.text()} ({refusal.code}){more}"


def _parts(note: Note, choices: NoteChoices, limit: int | None) -> tuple[Part, ...]:
    try:
        return parts(note, choices, Limit(limit) if limit is not None else None)
    except ValueError as error:
        raise Failure(f"cannot be done: {error}") from None


def _show(args: argparse.Namespace, note: Note, form: dict[str, object], text: str) -> None:
    if not args.json:
        sys.stdout.write(text + "\n")
        return
    occurred = clock.written(note.occurred_at) if note.occurred_at is not None else None
    about: dict[str, object] = {
        "heading": note.heading,
        "template": note.template,
        "language": note.language.value,
        "occurredAt": occurred,
        "leftOut": [{"path": each.path, "why": each.why.value} for each in note.left_out],
        "remarks": list(note.remarks),
    }
    print_json(about | form)


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {name}: {error.strerror}") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"not a time with a zone, such as 2026-11-21T08:00:00Z: {text}")
    return moment.astimezone(UTC)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10):
        raise argparse.ArgumentTypeError(f"not a number of characters: {text}")
    return int(text)
