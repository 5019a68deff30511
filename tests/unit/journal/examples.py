"""The messages that golden notes are made of, and the notes of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from shared.fhir.envelope.references import survey
from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.repairing.repair import repair
from shared.fhir.times import occurred_at, utc
from shared.fhir.values import JsonObject
from shared.journal.model import Earlier, Held, Language, Layout, Note, NoteChoices, NoteContext
from shared.journal.render import render
from shared.journal.text import as_text
from tests.data import EXAMPLES as SHARED
from tests.data import REPOSITORY

EXAMPLES: Final = REPOSITORY / "sandbox" / "data" / "examples"
GOLDEN: Final = Path(__file__).parent / "golden"
NAMES: Final = tuple(sorted(path.stem for path in EXAMPLES.glob("*.json")))
CORPUS: Final = tuple(sorted([*EXAMPLES.glob("*.json"), *SHARED.glob("*/*.json")]))
"""Every example message there is, ours and the published ones."""
_OTHERWISE: Final = datetime(2026, 11, 21, 8, tzinfo=UTC)
_CORRECTING: Final = {"safety-alarm-corrected": "safety-alarm", "safety-alarm-withdrawn": "safety-alarm"}


@cache
def message_in(path: Path) -> JsonObject:
    """A file, read and repaired as the hub does it."""
    findings = Findings()
    return repair(parse(path.read_bytes(), findings), findings).message


def example(name: str) -> JsonObject:
    """One of the project's example messages."""
    return message_in(EXAMPLES / f"{name}.json")


def context_of(message: JsonObject, name: str = "") -> NoteContext:
    """As if the message came five seconds after it was sent, or half an hour after it happened."""
    sent, happened = utc(message.get("timestamp")), occurred_at(survey(message))
    received = sent + timedelta(seconds=5) if sent else happened + timedelta(minutes=30) if happened else _OTHERWISE
    context = NoteContext("Trygghetsvakt", received, "03083502")
    earlier = _CORRECTING.get(name)
    if earlier is None:
        return context
    message = example(earlier)
    return replace(context, corrects=Earlier(occurred_at(survey(message)), "02917744", message))


def note_of(message: JsonObject, choices: NoteChoices | None = None, context: NoteContext | None = None) -> Note:
    """The note of a message that gets one."""
    note = render(message, context or context_of(message), choices or NoteChoices())
    assert isinstance(note, Note), note
    return note


def golden(name: str, language: Language, layout: Layout) -> str:
    """An example's note as text."""
    message = example(name)
    note = render(message, context_of(message, name), NoteChoices(language=language, layout=layout))
    assert not isinstance(note, Held), note
    return as_text(note, layout) + "\n"


def golden_path(name: str, language: Language, layout: Layout) -> Path:
    """Where an example's note is kept."""
    return GOLDEN / f"{name}.{language}.{layout}.txt"
