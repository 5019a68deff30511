"""Corrections and withdrawals are new notes that point at the old one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.journal.model import Earlier, Language, NoteChoices, NoteContext, Omission
from tests.unit.journal.examples import context_of, note_of
from tests.unit.journal.messages import bundle, composition, issue, section, text_of

BEFORE = bundle(composition(section=[section("1.1", "Sår på høyre albue")]), issue("3"))
AFTER = bundle(composition(section=[section("1.1", "Sår på venstre albue")], status="amended"), issue("3"))
HAPPENED = datetime(2026, 1, 15, 7, 12, 3, tzinfo=UTC)


def correcting(message: Any, before: Any = BEFORE) -> NoteContext:
    return replace(context_of(message), corrects=Earlier(HAPPENED, "02917744", before))


def test_a_correction_says_so_in_its_heading_and_names_the_note_it_corrects() -> None:
    lines = text_of(AFTER, None, correcting(AFTER)).splitlines()
    assert lines[0].startswith("Rettelse: Trygghetsalarm 15.01.2026 kl. 08.12")
    assert lines[1] == "Retter notat 15.01.2026 kl. 08.12 (ref. 02917744)."


def test_a_correction_says_what_changed_from_old_to_new() -> None:
    wanted = "Endret: Oppfølging (Ola Syntetisk) – fra «Sår på høyre albue» til «Sår på venstre albue»."
    assert wanted in text_of(AFTER, None, correcting(AFTER)).splitlines()


def test_what_is_gone_and_what_is_new_is_said() -> None:
    after = bundle(composition(section=[section("1.3", "Datter informert")], status="amended"), issue("3"))
    text = text_of(after, None, correcting(after))
    assert "Lagt til: Kommentar (Ola Syntetisk) – «Datter informert»." in text
    assert "Ikke lenger med: Oppfølging (Ola Syntetisk) – «Sår på høyre albue»." in text


def test_a_correction_without_a_difference_says_that_there_is_none() -> None:
    same = bundle(composition(section=[section("1.1", "Sår på høyre albue")], status="amended"), issue("3"))
    assert "Teksten i notatet er den samme som før." in text_of(same, None, correcting(same))


def test_a_correction_of_an_unknown_note_says_so() -> None:
    assert "Retter et tidligere notat fra samme avsender." in text_of(AFTER)


def test_new_content_under_an_old_identifier_is_a_correction() -> None:
    after = bundle(composition(section=[section("1.1", "Sår på venstre albue")]), issue("3"))
    assert text_of(after, None, correcting(after)).startswith("Rettelse: ")
    assert not text_of(after).startswith("Rettelse: ")


def test_a_correction_in_nynorsk() -> None:
    lines = text_of(AFTER, NoteChoices(language=Language.NYNORSK), correcting(AFTER)).splitlines()
    assert lines[0].startswith("Retting: Tryggleiksalarm")
    assert lines[1] == "Rettar notat 15.01.2026 kl. 08.12 (ref. 02917744)."


def test_a_withdrawal_repeats_nothing_of_what_was_wrong() -> None:
    gone = bundle(composition(status="entered-in-error", section=[section("1.1", "Sår på høyre albue")]), issue("3"))
    context = correcting(gone)
    text = text_of(gone, None, context)
    assert text.splitlines()[0] == "Trukket tilbake: notat 15.01.2026 kl. 08.12"
    told = "Trukket tilbake: Avsender opplyser at notatet 15.01.2026 kl. 08.12 (ref. 02917744) er sendt ved en feil."
    assert told in text
    assert "albue" not in text
    assert "Trygghetsalarm" not in text
    assert len(text.splitlines()) == 4
    assert [each.why for each in note_of(gone, None, context).left_out] == [Omission.WITHDRAWN]


def test_a_withdrawal_of_an_unknown_note_says_only_that() -> None:
    gone = bundle(composition(status="entered-in-error"), issue("3"))
    assert "Avsender opplyser at et tidligere notat er sendt ved en feil." in text_of(gone)
