"""Nothing is lost: every text, step and device of a message is in its note in every layout, or listed as left out.

The check knows nothing of how notes are written: it walks the message itself.
"""

import copy
import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.fhir.expressions import expression
from shared.fhir.values import Path
from shared.journal.model import Language, Layout, Note, NoteChoices, Omission, Table
from shared.journal.plain import plain_line, plain_text, quoted
from shared.journal.render import render
from shared.journal.text import as_text
from tests.data import EXAMPLES as SHARED
from tests.unit.journal.examples import CORPUS, EXAMPLES, context_of, message_in
from tests.unit.journal.messages import (
    bundle,
    composition,
    concept,
    dispense,
    event,
    issue,
    observation,
    quantity,
    section,
)

HUMAN = {
    *("div", "display", "text", "title", "detail", "description", "comment", "contentString", "authorString"),
    *("valueString", "patientInstruction", "conclusion"),
}
ALLOWED = {
    Omission.NAME: r"\.(subject|patient)(\.|$)|\.(performer|source|author)\.display$",
    Omission.TECHNICAL: r"\.(owner|custodian|focus|destination|receiver|sender|meta|outcome)(\.|$)",
    Omission.CODE: r"\.(code|type|category|class|coding|reasonCode|bodySite|method|interpretation|title)(\.|$)",
    Omission.IDENTIFIER: r"\.(identifier|title|`div`|extension)(\.|$)|event\.code\.text$",
    Omission.ADDRESS: r"\.(url|endpoint|telecom|address)(\.|$)",
    Omission.REPEATED: r".",
    Omission.EMPTY: r".",
}
"""Where each reason may stand for a text."""


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """All strings that people read, with their paths."""
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str) and (name in HUMAN or (name == "name" and "deviceName" in path)):
                yield (*path, name), each
            else:
                yield from texts(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from texts(each, (*path, number))


def replaced(message: Any, change: Callable[[Path, str], str]) -> Any:
    """A copy with every such string changed."""
    copied = copy.deepcopy(message)
    for path, text in list(texts(copied)):
        parent = copied
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = change(path, text)
    return copied


def plain(text: str) -> str:
    """For comparing: one kind of space, no quotation marks, no line feeds, small letters (a sentence has a capital)."""
    return " ".join(re.sub("[«»“”]", " ", text).casefold().split()).strip(" .")


def excuse(message: Any, note: Note, path: Path) -> tuple[Omission | None, str]:
    """Why a path is left out, as the note lists it; and the path as the note writes paths."""
    exact = expression(message, path)
    place = re.sub(r"\[[0-9]+\]", "", exact)
    for each in note.left_out:
        if any(text == each.path or text.startswith(f"{each.path}.") for text in (place, exact)):
            return each.why, place
    return None, place


def assert_told(message: Any, language: Language = Language.BOKMAL) -> None:
    choices = NoteChoices(language=language)
    note = render(message, context_of(message), choices)
    assert isinstance(note, Note), note
    shown = [plain(as_text(note, layout)) for layout in Layout]
    for path, text in texts(message):
        cleaned = plain_text(text, language).text if path[-1] == "div" else plain_line(text, language).text
        for line in filter(None, map(plain, quoted(cleaned).split("\n"))):
            if not all(line in layout for layout in shown):
                why, place = excuse(message, note, path)
                assert why is not None, (path, line)
                allowed = re.search(ALLOWED.get(why, "$^"), place) or kind_at(message, path) == "MessageHeader"
                assert allowed, (place, line, why)


def kind_at(message: Any, path: Path) -> str:
    """The innermost resource type around a path."""
    kind, value = "", message
    for step in path:
        value = value[step]
        if isinstance(value, dict):
            kind = value.get("resourceType", kind)
    return kind


def tells(path: Any) -> bool:
    message = message_in(path)
    return isinstance(render(message, context_of(message)), Note)


TOLD = tuple(path for path in CORPUS if tells(path) and "withdrawn" not in path.stem)


def test_most_of_the_corpus_gives_notes() -> None:
    silent = {path.stem for path in CORPUS if not tells(path)}
    assert all("response" in name.casefold() or path_of(name) == "audit-events" for name in silent), silent


def path_of(stem: str) -> str:
    return next(path.parent.name for path in CORPUS if path.stem == stem)


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
@pytest.mark.parametrize("language", list(Language))
def test_every_text_of_an_example_is_in_its_note(path: Any, language: Language) -> None:
    assert_told(message_in(path), language)


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
def test_every_text_is_in_the_note_whatever_it_says(path: Any) -> None:
    numbers = count(100)
    assert_told(replaced(message_in(path), lambda _, text: f"{canary(next(numbers))} {text}"))


def canary(number: int) -> str:
    return "kanari" + "".join("abcdefghij"[int(digit)] for digit in str(number))


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
def test_every_step_of_a_log_is_in_the_log(path: Any) -> None:
    message = message_in(path)
    note = render(message, context_of(message))
    assert isinstance(note, Note)
    steps = sum(len(each.get("event", [])) for each in resources(message, "Composition"))
    logs = [block for block in note.blocks if isinstance(block, Table) and block.caption == "Behandlingslogg"]
    assert sum(len(log.rows) for log in logs) == steps


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
def test_every_device_is_named(path: Any) -> None:
    message = message_in(path)
    note = render(message, context_of(message))
    assert isinstance(note, Note)
    for layout in Layout:
        for device in resources(message, "Device"):
            for name in device.get("deviceName", []):
                assert plain(name["name"]) in plain(as_text(note, layout))


def resources(value: Any, kind: str) -> list[Any]:
    if isinstance(value, dict):
        own = [value] if value.get("resourceType") == kind else []
        return own + [found for each in value.values() for found in resources(each, kind)]
    return [found for each in value for found in resources(each, kind)] if isinstance(value, list) else []


STEPS = ["0", "1", "3", "4", "5", "6", "7", "8", "9", "10"]
WORDS = st.text(
    st.sampled_from("abcæøåÆØÅ éđŋ0123456789 .,:;-–«»“”\"'()<>&/\\{}\n\t%°👍"), min_size=1, max_size=40
).filter(lambda text: any(character.isalpha() for character in text))


@st.composite
def generated(draw: st.DrawFn) -> Any:
    """A message with texts of any kind in every place that a template reads."""

    def told() -> str:
        return draw(WORDS)

    code = draw(st.sampled_from(["3", "4.1", "4.11", "4.15", "1.1", "1.5", "2", "5.3.2", "5.2", "6", "7.1", "4.99"]))
    at = "2026-01-15T08:12:03+01:00"
    note = composition(
        title=told(),
        type=concept("alert-code", code) if draw(st.booleans()) else {"text": told()},
        author=[{"display": told()}],
        event=[event(each, at, told()) for each in draw(st.lists(st.sampled_from(STEPS)))],
        section=[section(each, escaped(told()), told()) for each in draw(st.lists(st.sampled_from(["1", "1.1", "2"])))],
    )
    device = {
        "resourceType": "Device",
        "deviceName": [{"name": told(), "type": "model-name"}],
        "type": {"text": told()},
    }
    measured = observation("8310-5", valueQuantity=quantity(37, "Cel", "Cel"), note=[{"text": told()}])
    extra = draw(st.sampled_from([[], [measured], [dispense("1.1", dosageInstruction=[{"text": told()}])]]))
    return bundle(note, issue(code, f"kalt {told()}", detail=told()), device, *extra)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(generated(), st.sampled_from(list(Language)))
def test_a_text_of_any_kind_is_in_the_note(message: Any, language: Language) -> None:
    if isinstance(render(message, context_of(message)), Note):
        assert_told(message, language)


def test_the_corpus_is_there() -> None:
    assert len(TOLD) > 40
    assert any(SHARED in path.parents for path in TOLD)
    assert any(EXAMPLES in path.parents for path in TOLD)
