"""The tricky cases of journal notes, one by one: what a nurse must see when a message is odd."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.journal.model import Language, Note, NoteChoices, PatientWord
from shared.journal.render import HEADING, render
from tests.unit.journal.examples import context_of, note_of
from tests.unit.journal.messages import (
    bundle,
    checks,
    composition,
    concept,
    dispense,
    event,
    issue,
    observation,
    quantity,
    section,
    text_of,
)


def alarm(code: str = "3", at: str | None = "2026-01-15T08:12:03+01:00", text: str | None = None, **note: Any) -> Any:
    written = composition(type=concept("alert-code", code), title="Trygghetsalarm", **note)
    return bundle(written, issue(code, text, at))


def test_without_a_time_the_note_says_when_the_message_was_sent_and_the_heading_has_none() -> None:
    lines = text_of(alarm(at=None)).splitlines()
    assert lines[0] == "Trygghetsalarm – kvittering ikke oppgitt"
    assert "Tidspunkt for hendelsen er ikke oppgitt. Meldingen ble sendt 15.01.2026 kl. 08.30." in lines[1]


def test_an_alarm_whose_text_is_another_codes_name_shows_both() -> None:
    lines = text_of(alarm("4.11", text="Dør åpnet")).splitlines()
    assert lines[0].startswith("Dør åpnet 15.01.2026 kl. 08.12")
    assert "Kontroller: Avsender kaller hendelsen «Dør åpnet», men koden (4.11) betyr brannalarm." in lines


def test_the_senders_own_words_stand_beside_our_term() -> None:
    assert "Avsender kaller hendelsen «Utløst fra badet»." in text_of(alarm(text="Utløst fra badet"))


def test_a_fall_alarm_is_never_a_fall() -> None:
    text = text_of(alarm("4.1"))
    assert text.startswith("Fallalarm 15.01.2026 kl. 08.12\nSensor utløste fallalarm kl. 08.12.03.")
    assert "falt" not in text


def test_kvittert_is_not_avklart() -> None:
    text = text_of(alarm(event=[event("0", "2026-01-15T08:12:03+01:00"), event("3", "2026-01-15T08:20:00+01:00")]))
    assert text.splitlines()[0] == "Trygghetsalarm 15.01.2026 kl. 08.12"
    assert "kvittert ut kl. 08.20.00" in text
    assert "avklart" not in text
    assert "ingen tiltak" not in text.casefold()


def test_an_alarm_that_nobody_acknowledged_says_so_in_its_heading() -> None:
    text = text_of(alarm(event=[event("0", "2026-01-15T08:12:03+01:00")]))
    assert text.splitlines()[0] == "Trygghetsalarm 15.01.2026 kl. 08.12 – ikke kvittert"


def test_an_alarm_handed_to_responders_says_so_in_its_heading() -> None:
    text = text_of(alarm(event=[event("0", "2026-01-15T08:12:03+01:00"), event("4", "2026-01-15T08:14:00+01:00")]))
    assert text.splitlines()[0] == "Trygghetsalarm 15.01.2026 kl. 08.12 – til utrykning"


def test_a_log_that_runs_backwards_is_shown_as_sent_with_a_doubt() -> None:
    message = alarm(event=[event("0", "2026-01-15T08:12:00+01:00"), event("3", "2026-01-15T08:10:00+01:00")])
    assert checks(message) == ["Kontroller: Kvittering (kl. 08.10) er tidligere enn melding (kl. 08.12)."]
    assert "Behandlingslogg: meldt kl. 08.12.00, kvittert ut kl. 08.10.00." in text_of(message)


def test_a_step_that_no_list_has_is_shown_by_its_code() -> None:
    assert "ukjent loggkode 2 kl. 08.13.00" in text_of(alarm(event=[event("2", "2026-01-15T08:13:00+01:00")]))


def test_a_user_name_is_a_user_and_another_operator_is_not_the_author() -> None:
    text = text_of(alarm(event=[event("3", "2026-01-15T08:13:00+01:00", "kda@kommune")]))
    assert "kvittert ut kl. 08.13.00 av bruker kda@kommune" in text
    assert "av Ola Syntetisk" not in text
    known = text_of(alarm(event=[event("3", "2026-01-15T08:13:00+01:00", "op-1")]))
    assert "kvittert ut kl. 08.13.00 av Ola Syntetisk" in known


def test_an_unknown_code_is_called_unknown_and_never_the_nearest() -> None:
    lines = text_of(bundle(composition(), issue("4.99"))).splitlines()
    assert lines[0] == "Ukjent hendelsestype (kode 4.99) 15.01.2026 kl. 08.12"
    worded = text_of(bundle(composition(), issue("4.99", text="Varmeovn på"))).splitlines()
    assert worded[0] == "Varmeovn på 15.01.2026 kl. 08.12"


def test_a_message_more_than_a_day_late_says_how_late() -> None:
    message = alarm()
    late = replace(context_of(message), received_at=datetime(2026, 1, 18, 9, tzinfo=UTC))
    assert checks(message, late) == ["Kontroller: Meldingen kom 3 døgn etter hendelsen."]


def test_an_event_after_its_message_has_no_time_in_its_heading() -> None:
    message = alarm(at="2028-01-15T08:12:03+01:00")
    assert text_of(message).splitlines()[0] == "Trygghetsalarm – kvittering ikke oppgitt"
    assert checks(message) == ["Kontroller: Tidspunktet 15.01.2028 kl. 08.12 er etter at meldingen ble mottatt."]


def test_a_clock_that_starts_in_1970_is_a_doubt() -> None:
    message = alarm(at="1970-01-01T00:00:03Z")
    assert checks(message) == ["Kontroller: Tidspunktet 01.01.1970 kl. 01.00 er før år 2000."]


def test_the_hour_that_comes_twice_says_which_it_is() -> None:
    message = alarm("4.9", at=None)
    message["entry"][1]["resource"]["identifiedPeriod"] = {
        "start": "2026-10-25T02:30:00+02:00",
        "end": "2026-10-25T02:10:00+01:00",
    }
    message["timestamp"] = "2026-10-25T03:00:00+01:00"
    assert "kl. 02.30 (sommertid)–02.10 (normaltid) (40 min)" in text_of(message)


def test_a_time_that_does_not_exist_is_shown_as_sent_with_a_doubt() -> None:
    message = alarm(at="2026-03-29T02:15:00")
    assert text_of(message).startswith("Trygghetsalarm 29.03.2026 kl. 02.15")
    assert "Kontroller: Klokkeslettet 02.15 finnes ikke denne natten (overgang til sommertid)." in checks(message)


def test_another_time_zone_is_turned_into_norwegian_time_with_a_doubt() -> None:
    message = alarm(at="2026-01-15T02:12:03-05:00")
    assert text_of(message).startswith("Trygghetsalarm 15.01.2026 kl. 08.12")
    assert any("annen tidssone" in line for line in checks(message))


def test_seconds_are_cut_off_and_never_rounded_up() -> None:
    assert "kl. 08.36.37" in text_of(alarm(at="2026-01-15T07:36:37.9978092+00:00"))


def test_a_section_with_nothing_or_an_id_is_no_section() -> None:
    message = alarm(section=[section("2", "", "Alarm info"), section("2", "Id: HENDELSE-0001.", "Alarm id")])
    text = text_of(message)
    assert "Alarm" not in text.split("\n", 2)[2]
    assert "Årsak og tiltak er ikke oppgitt i meldingen." in text


def test_human_text_stands_before_a_systems_text() -> None:
    text = text_of(alarm(section=[section("2", "Maskinens tekst", "Info"), section("1.1", "Menneskets tekst")]))
    assert text.index("Menneskets tekst") < text.index("Maskinens tekst")


def test_a_line_that_looks_like_ours_stays_inside_its_quotation() -> None:
    text = text_of(alarm(section=[section("1", "Hei<br/>Kontroller: dette er vår linje<br/>Automatisk notat fra X")]))
    lines = text.splitlines()
    assert not [line for line in lines if line.startswith("Kontroller:")]
    assert len([line for line in lines if line.startswith("Automatisk notat")]) == 1


def test_a_national_number_in_a_text_is_hidden_and_remarked_on() -> None:
    note = note_of(alarm(section=[section("1", "Gjelder 058344 10070, ring 99999999")]))
    text = str(note.blocks)
    assert "10070" not in text
    assert "[fødselsnummer fjernet]" in text
    assert "99999999" in text
    assert "national-number-masked" in note.remarks


def test_a_key_box_code_is_kept_and_remarked_on_or_hidden_when_wanted() -> None:
    message = alarm(section=[section("1", "Nøkkelboks ved døra, kode 4512.")])
    assert "4512" in text_of(message)
    assert "key-code" in note_of(message).remarks
    masked = text_of(message, NoteChoices(mask_key_codes=True))
    assert "4512" not in masked
    assert "[kode skjult]" in masked


def test_the_name_and_number_of_the_patient_are_never_written() -> None:
    text = text_of(alarm())
    assert "Kari Syntetisk" not in text
    assert "05834410070" not in text


def test_the_municipality_chooses_what_the_patient_is_called() -> None:
    message = dispense("3", "medisin melding til bruker")
    assert "bekreftet av tjenestemottakeren" in text_of(message, NoteChoices(patient_word=PatientWord.RECIPIENT))
    nynorsk = NoteChoices(language=Language.NYNORSK, patient_word=PatientWord.USER)
    assert "stadfesta av brukaren" in text_of(message, nynorsk)


def test_a_deviation_without_follow_up_says_that_there_is_none() -> None:
    text = text_of(bundle(composition(), issue("1.1")))
    assert "Oppfølging er ikke oppgitt i meldingen." in text


@pytest.mark.parametrize("code", ["1.5", "1.6", "1.7", "1.8", "1.9", "1.18", "1.20"])
def test_a_technical_fault_says_that_the_dose_is_unknown(code: str) -> None:
    assert "Det går ikke fram av meldingen om planlagt dose er utlevert." in text_of(bundle(composition(), issue(code)))


def test_a_dispense_is_never_a_dose_taken() -> None:
    text = text_of(dispense("1.1", "medisin utlevert uassistert"))
    assert text.startswith("Medisin utlevert fra dispenser 15.01.2026 kl. 08.00 (uassistert)\n")
    assert "Dispenseren registrerer utlevering, ikke om medisinen er tatt." in text


def test_a_dispense_that_was_stopped_is_not_called_dispensed() -> None:
    text = text_of(dispense("1", status="stopped"))
    assert text.startswith("Medisindispenser: utlevering ikke gjennomført 15.01.2026 kl. 08.00")
    assert "Dispenseren registrerer" not in text


def test_a_dispense_and_a_deviation_in_one_message_are_two_facts() -> None:
    text = text_of(bundle(composition(), issue("1.1"), dispense("1", whenHandedOver="2026-01-15T08:25:00+01:00")))
    assert text.startswith("Medisindispenser: dose ikke utlevert 15.01.2026 kl. 08.12")
    assert "Utlevering: Medisin utlevert fra dispenser kl. 08.25" in text
    assert "løst" not in text


def test_the_daily_list_is_the_municipalitys_choice() -> None:
    times = ["2026-01-15T08:00:00+01:00", "2026-01-15T14:02:00+01:00"]
    message = bundle(*(dispense("1", whenHandedOver=at) for at in times), type="collection")
    wanted = "Medisinutlevering 15.01.2026: kl. 08.00 (Multidose), kl. 14.02 (Multidose) – 2 utleveringer."
    assert wanted in text_of(message, NoteChoices(daily_dispense_list=True))
    assert wanted not in text_of(message)


def test_coordinates_are_the_municipalitys_choice() -> None:
    position = {"latitude": Decimal("59.54321"), "longitude": Decimal("10.12345")}
    message = bundle(composition(), issue("2"), {"resourceType": "Location", "position": position})
    assert "59" not in text_of(message).replace("15.01", "")
    assert "Posisjon er mottatt, men ikke tatt inn i notatet." in text_of(message)
    assert "Koordinater: 59,54321 / 10,12345" in text_of(message, NoteChoices(coordinates=True))


def test_severity_is_the_senders_and_its_zero_is_nothing() -> None:
    level = {"url": "http://ehelse.no/fhir/StructureDefinition/vkp-severity-level-v090"}
    for code, shown in (("30", "Alvorlighetsgrad oppgitt av avsender: alvorlig."), ("0", "")):
        graded = level | {"valueCodeableConcept": concept("severity-level", code)}
        text = text_of(bundle(composition(), issue("3", extension=[graded])))
        assert (shown in text) if shown else ("Alvorlighetsgrad" not in text)


def test_an_old_scale_is_printed_as_sent_with_a_doubt() -> None:
    level = {"url": "http://ehelse.no/fhir/StructureDefinition/vkp-severity-level-v090"}
    graded = level | {"valueCodeableConcept": concept("severity-level", "2", "nivå to")}
    message = bundle(composition(), issue("3", extension=[graded]))
    assert "«nivå to»" in text_of(message)
    assert any("eldre skala" in line for line in checks(message))


def test_a_preliminary_note_says_so_in_its_heading() -> None:
    assert text_of(alarm(status="preliminary")).splitlines()[0].count("(foreløpig)") == 1


def test_a_heading_is_never_longer_than_a_list_can_show() -> None:
    message = bundle(composition(), issue("4.99", text="Et svært langt navn på hendelsen " * 8))
    note = note_of(message)
    assert len(note.heading) <= HEADING
    assert "15.01.2026" in note.heading
    assert "…" in note.heading
    assert ("Et svært langt navn på hendelsen " * 8).strip() in text_of(message)


def test_the_template_and_the_time_go_with_the_note() -> None:
    note = note_of(alarm())
    assert note.template == "alert/1"
    assert note.occurred_at == datetime(2026, 1, 15, 7, 12, 3, tzinfo=UTC)


def test_a_message_whose_sender_has_no_name_says_so() -> None:
    message = observation("8310-5", valueQuantity=quantity(37, "Cel", "Cel"))
    context = replace(context_of(message), sender_system="")
    note = render(message, context)
    assert isinstance(note, Note)
    assert note.footer.startswith("Automatisk notat fra avsendersystem som ikke er oppgitt via Knutepunkt.")


def test_the_received_time_is_norwegian() -> None:
    message = alarm()
    received = context_of(message).received_at + timedelta(0)
    assert received.tzinfo is UTC
    assert "Mottatt 15.01.2026 kl. 08.30." in text_of(message)


def test_a_status_that_no_list_has_is_not_shown() -> None:
    note = note_of(dispense("1.2", status="https://a.example/" + "x" * 90))
    assert "example" not in note.heading
    assert len(note.heading) <= HEADING
