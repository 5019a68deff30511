"""NHN's published alarm (VKP.Samples), line by line as a nurse should read it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.journal.model import Layout, NoteChoices, Omission
from shared.journal.text import as_text
from tests.data import EXAMPLES, NHN_ALARM
from tests.unit.journal.examples import context_of, message_in, note_of
from tests.unit.journal.messages import text_of

RECEIVED = datetime(2024, 7, 3, 8, 36, 40, tzinfo=UTC)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    message = message_in(NHN_ALARM)
    return text_of(message, None, replace(context_of(message), received_at=RECEIVED)).splitlines()


def test_the_heading_is_the_senders_word_and_norwegian_time(lines: list[str]) -> None:
    assert lines[0] == "Trygghetsalarm 03.07.2024 kl. 10.35"


def test_what_is_not_told_is_said_to_be_missing(lines: list[str]) -> None:
    assert lines[1] == "Alarmen ble utløst kl. 10.35.32. Årsak og tiltak er ikke oppgitt i meldingen."


def test_the_log_names_the_operator_and_not_the_user_name(lines: list[str]) -> None:
    assert lines[2] == (
        "Behandlingslogg: meldt kl. 10.35.32, behandling startet kl. 10.35.39 av KRASS DALSIDE, "
        "kvittert ut kl. 10.36.23 av KRASS DALSIDE."
    )


def test_the_systems_text_is_quoted_under_its_own_title(lines: list[str]) -> None:
    assert "Alarm location: «Siste kjente sted: POE_001d940dfec5»" in lines


def test_code_and_text_that_differ_are_a_doubt(lines: list[str]) -> None:
    doubt = "Kontroller: Avsender kaller hendelsen «Trygghetsalarm», men koden (7) betyr sykesignalanlegg."
    assert [line for line in lines if line.startswith("Kontroller")] == [doubt]


def test_the_last_line_says_where_it_comes_from(lines: list[str]) -> None:
    assert (
        lines[-1] == "Automatisk notat fra Trygghetsvakt via Knutepunkt. Mottatt 03.07.2024 kl. 10.36. Ref. 03083502."
    )


def test_the_device_is_named_by_its_model(lines: list[str]) -> None:
    assert "Utstyr: GPT3-WTRSB." in lines


def test_ids_are_left_out_and_listed_as_left_out() -> None:
    message = message_in(NHN_ALARM)
    note = note_of(message)
    text = as_text(note, Layout.LIST)
    for hidden in ("B65B90BA7EF000120240703083502", "C02_00867G_0_4627", "C02_00756d_0_4627", "1302", "kda@kommune"):
        assert hidden not in text
    why = {each.path: each.why for each in note.left_out}
    assert why["Bundle.entry.resource.title"] is Omission.IDENTIFIER
    assert why["Bundle.entry.resource.serialNumber"] is Omission.IDENTIFIER
    assert why["Bundle.entry.resource.section.orderedBy"] is Omission.TECHNICAL


def test_the_deviation_example_reads_as_the_layouts_show_it() -> None:
    lines = text_of(message_in(EXAMPLES / "derived-r4" / "medication-deviation-document.json")).splitlines()
    assert lines[:4] == [
        "Medisindispenser: dose ikke utlevert 15.01.2026 kl. 08.12",
        "Notat fra Ola Syntetisk: «Ringte bruker, dose tatt 08:25»",
        "Varsel: «Medisin ikke utlevert kl. 08»",
        "Behandlingslogg: meldt kl. 08.12.03, kvittert ut kl. 08.26.00.",
    ]


def test_the_same_message_gives_the_same_note() -> None:
    message = message_in(NHN_ALARM)
    assert note_of(message) == note_of(message)
    assert note_of(message, NoteChoices()) == note_of(message)
