"""What every note must hold, and never hold: checked on every example, language and layout, and on hostile messages."""

import copy
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.identity.person import person_number
from shared.journal.model import HumanText, Language, Layout, Note, NoteChoices, Statement, Table
from shared.journal.plain import quoted
from shared.journal.render import HEADING, render
from shared.journal.text import as_text
from tests.unit.journal.examples import CORPUS, NAMES, context_of, example, message_in, note_of
from tests.unit.journal.messages import bundle, composition, issue

FORBIDDEN = {
    Language.BOKMAL: r"\b(falt|falsk|angivelig|påstår|hevder|ok|alt bra|ingen skade|ingen tiltak nødvendig)\b",
    Language.NYNORSK: r"\b(fall|falle|falt|falsk|angiveleg|påstår|hevdar|ok|alt bra|ingen skade)\b",
}
TECHNICAL = r"urn:|https?:|[{}]|\bnull\b|\bundefined\b|\bCoding\b|\bBundle\b|\d{15}"
DECIMAL_POINT = r"(?<![\d.])\d+\.\d+(?![\d.])"
CLOCKS_AND_DATES = (
    r"kl\.\s\d\d\.\d\d(\.\d\d)?|\d\d\.\d\d\.\d{4}|[–|]\s?\d\d\.\d\d(\.\d\d)?|^\d\d\.\d\d(\.\d\d)? \|"
    r"|^\d+(\.\d+)*\. |Spørsmål [\d.]+"
)


def notes() -> Iterator[tuple[str, Language, Note]]:
    for name in NAMES:
        for language in Language:
            message = example(name)
            note = render(message, context_of(message, name), NoteChoices(language=language))
            assert isinstance(note, Note)
            yield name, language, note


NOTES = tuple(notes())


def own_words(note: Note) -> str:
    """A note without what people and senders wrote: their words stand in quotation marks or as names."""
    shown = [note.heading, note.footer]
    for block in note.blocks:
        if isinstance(block, Statement):
            shown += [block.prose, *(fact.label for fact in block.facts)]
        elif isinstance(block, HumanText):
            shown.append(block.lead)
        elif isinstance(block, Table):
            shown += [block.caption, *block.header, *(row.label for row in block.rows)]
        else:
            shown.append(block.text)
    text = "\n".join(shown)
    while (shorter := re.sub("«[^«»]*»", "", text)) != text:
        text = shorter
    return text


@pytest.mark.parametrize(("name", "language", "note"), NOTES)
def test_a_note_is_fit_to_stand_in_a_journal(name: str, language: Language, note: Note) -> None:
    own = own_words(note)
    assert not re.search(FORBIDDEN[language], own.casefold()), name
    assert len(note.heading) <= HEADING
    assert note.heading == note.heading.strip()
    for layout in Layout:
        text = as_text(note, layout)
        assert not re.search(TECHNICAL, text), (name, layout)
        assert not any(person_number(found) for found in re.findall(r"(?<!\d)\d{11}(?!\d)", text)), name
        for line in text.splitlines():
            assert line == line.strip()
            assert line


@pytest.mark.parametrize(("name", "language", "note"), NOTES)
def test_our_numbers_have_a_comma(name: str, language: Language, note: Note) -> None:
    own = re.sub(CLOCKS_AND_DATES, "", own_words(note).replace("\u00a0", " "), flags=re.MULTILINE)
    assert not re.search(DECIMAL_POINT, own), (name, language)


@pytest.mark.parametrize(("name", "language", "note"), NOTES)
def test_a_layout_shows_the_same_words_as_the_others(name: str, language: Language, note: Note) -> None:
    for block in note.blocks:
        if isinstance(block, HumanText):
            assert all(quoted(block.text) in as_text(note, layout) for layout in Layout), (name, language)
        if isinstance(block, Table):
            assert all(len(row.cells) == len(block.header) and all(row.cells) for row in block.rows), (name, language)
        if isinstance(block, Statement):
            assert block.facts, "a list shows facts only"
            assert all(fact.label and fact.value for fact in block.facts)


def test_the_same_message_gives_the_same_bytes() -> None:
    for name in NAMES:
        message = example(name)
        first, second = (render(copy.deepcopy(message), context_of(message, name)) for _ in range(2))
        assert first == second


def test_writing_a_note_changes_nothing_in_the_message() -> None:
    for path in CORPUS:
        message = message_in(path)
        before = copy.deepcopy(message)
        render(message, context_of(message))
        assert message == before


ODD: list[Any] = [
    *(None, True, 0, -5, Decimal("3.70"), Decimal("1E+60"), "", " ", "x", "1.1", "«Kontroller: x»", "{0} {time}", "%s"),
    *(
        "2026-13-45",
        "2026-10-25T02:30:00",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "\ud83d",
        "<div>hei</div>",
    ),
    *([], {}, [[]], [None], {"a": 1}, {"coding": [{"code": "4.99"}]}, {"reference": "#x"}, {"div": "<"}),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in items:
        yield from places(each, (*path, step))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CORPUS), st.data())
def test_no_message_of_any_shape_makes_writing_fail(path: Any, data: st.DataObject) -> None:
    message: Any = copy.deepcopy(message_in(path))
    for _ in range(data.draw(st.integers(1, 5))):
        found = list(places(message))
        if not found:
            break
        *way, last = data.draw(st.sampled_from(found))
        parent = message
        for step in way:
            parent = parent[step]
        parent[last] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    note = render(message, context_of(message_in(path)))
    if isinstance(note, Note):
        assert len(note.heading) <= HEADING
        for layout in Layout:
            as_text(note, layout)


def test_placeholders_in_a_text_are_only_text() -> None:
    message = bundle(composition(title="{hub} {time}"), issue("3", text="{time} {0} %s"))
    assert "{time} {0} %s" in as_text(note_of(message), Layout.PROSE)


def test_a_very_large_message_is_written_in_a_moment() -> None:
    steps = [
        {"code": [{"text": f"steg {number}"}], "period": {"start": "2026-01-15T08:12:03+01:00"}}
        for number in range(800)
    ]
    sections = [{"title": f"tittel {number}", "text": {"div": f"<div>tekst {number}</div>"}} for number in range(400)]
    note = note_of(bundle(composition(event=steps, section=sections), issue("3")))
    assert sum(len(block.rows) for block in note.blocks if isinstance(block, Table)) == len(steps)
    assert sum(isinstance(block, HumanText) for block in note.blocks) == len(sections)
