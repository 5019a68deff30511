"""Notes longer than a journal's field: nothing is lost, nothing is cut in the middle."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.journal.charset import codec
from shared.journal.length import Limit, parts
from shared.journal.model import Charset, HumanText, Layout, Note, NoteChoices, Statement
from shared.journal.text import as_text
from tests.unit.journal.notes import CHECK, SAMPLE, log, note, notes


def choices(layout: Layout = Layout.PROSE, charset: Charset = Charset.UTF8) -> NoteChoices:
    return NoteChoices(layout=layout, charset=charset)


@pytest.mark.parametrize("layout", Layout)
def test_a_note_that_fits_is_one_part_as_it_is(layout: Layout) -> None:
    (part,) = parts(SAMPLE, choices(layout), Limit(2000))
    assert part.text == as_text(SAMPLE, layout)
    assert part.title == SAMPLE.heading
    assert parts(SAMPLE, choices(layout)) == (part,)


@given(notes, st.sampled_from(Layout), st.sampled_from(Charset), st.integers(250, 700), st.booleans())
@settings(deadline=None)
def test_each_part_fits_and_stands_alone_and_every_word_is_there(
    given_note: Note, layout: Layout, charset: Charset, size: int, in_bytes: bool
) -> None:
    limit = Limit(size, in_bytes)
    made = parts(given_note, choices(layout, charset), limit)
    for number, part in enumerate(made, 1):
        assert limit.measure(charset)(part.text) <= size
        assert part.text.encode(codec(charset))
        assert part.body.endswith("Ref. 03083502.")
        assert part.title.startswith("Trygghetsalarm")
        assert len(made) == 1 or f"(del {number} av {len(made)})" in part.title
    if charset is Charset.UTF8:
        everything = "\n".join(part.text for part in made)
        for word in re.split(r"[ \n]+", as_text(given_note, layout)):
            assert word.strip("«».,:|") in everything.replace(" …»", "")


def test_human_text_is_cut_between_sentences_and_keeps_its_marks() -> None:
    text = " ".join(f"Setning nummer {n} er her." for n in range(40))
    made = parts(note(HumanText("Notat fra Kari", "Notat", text)), choices(), Limit(400))
    bodies = [part.body.rpartition("\n")[0] for part in made]
    assert bodies[0].startswith("Notat fra Kari: «Setning nummer 0 er her.")
    assert all(body.endswith(" er her. …»") for body in bodies[:-1])
    assert all(body.startswith("Notat fra Kari: «… Setning") for body in bodies[1:])
    assert bodies[-1].endswith("Setning nummer 39 er her.»")
    assert re.findall("[0-9]+", "".join(bodies)) == [str(n) for n in range(40)]


@pytest.mark.parametrize("layout", Layout)
def test_a_long_log_is_shortened_and_follows_whole(layout: Layout) -> None:
    made = parts(note(log(100, essential=50), CHECK), choices(layout), Limit(1000))
    first = made[0].body
    shown = [int(found) for found in re.findall(r"(?i)\bsteg ([0-9]+)", first)]
    assert shown == [0, 1, 2, 3, 4, 50, 95, 96, 97, 98, 99]
    assert f"… 89 loggoppføringer er utelatt her. Hele loggen: notat del 2–{len(made)}." in first
    assert CHECK.text in first
    rest = "".join(part.body for part in made[1:])
    assert [int(found) for found in re.findall(r"(?i)\bsteg ([0-9]+)", rest)] == list(range(100))


def test_a_log_on_one_continuation_is_told_by_its_number() -> None:
    made = parts(note(Statement("Alarmen. " * 40), log(30)), choices(), Limit(900))
    assert len(made) == 2
    assert "Hele loggen: notat del 2." in made[0].body


def test_a_table_has_its_header_in_each_part() -> None:
    made = parts(note(log(100)), choices(Layout.TABLE), Limit(500))
    assert all("Behandlingslogg\nKl. | Hendelse | Utført av\n" in part.body for part in made)


def test_a_word_longer_than_a_part_is_cut_rather_than_lost() -> None:
    made = parts(note(Statement("æ" * 3000 + ".")), choices(), Limit(400, in_bytes=True))
    assert sum(part.body.count("æ") for part in made) == 3000
    assert all(len(part.text.encode()) <= 400 for part in made)


def test_a_long_heading_has_the_number_below_it() -> None:
    long = note(log(100), heading="T" * 80)
    first, *_ = made = parts(long, choices(), Limit(600))
    assert first.title == "T" * 80
    assert first.body.startswith(f"(del 1 av {len(made)})\n")


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        parts(SAMPLE, choices(), Limit(120))
