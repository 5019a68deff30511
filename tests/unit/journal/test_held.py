"""When no note is written: two patients, and medication events that nobody can be sure of."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.journal.model import Earlier
from tests.unit.journal.examples import NAMES, context_of, example
from tests.unit.journal.messages import (
    OTHER_PATIENT,
    bundle,
    composition,
    concept,
    dispense,
    held,
    issue,
    observation,
    text_of,
)


def test_two_patients_are_held() -> None:
    assert held(bundle(composition(), issue("3", patient=OTHER_PATIENT))) == "two-patients"


@settings(max_examples=30)
@given(st.sampled_from([name for name in NAMES if name != "safety-alarm-withdrawn"]), st.randoms(use_true_random=False))
def test_a_second_patient_anywhere_in_an_example_is_held(name: str, random: Any) -> None:
    message: Any = example(name)
    extra = observation(
        "8310-5", subject={"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "05834410070"}}
    )
    resources = [entry["resource"] for entry in message.get("entry", [])] or [message]
    random.shuffle(resources)
    assert held(bundle(extra, *resources)) == "two-patients"


def test_a_message_about_nobody_is_held() -> None:
    assert held({"resourceType": "Observation", "status": "final", "code": {"text": "puls"}}) == "no-patient"


def test_a_message_that_is_no_event_is_held() -> None:
    assert held({"resourceType": "OperationOutcome", "issue": []}) == "nothing-to-tell"


@pytest.mark.parametrize(
    "category",
    [
        concept("medicationdispense-events", "2", "medisin_ikke_utlevert"),
        concept("medicationdispense-events", "2", "Medisin ikke utlevert"),
        concept("medicationdispense-events", "3", "medisin mangler bekreftelse"),
        concept("medicationdispense-events", "2", text="Medisin ikkje utlevert"),
        concept("medicationdispense-events", "4", "medisin_teknisk_feil"),
    ],
)
def test_a_dispense_whose_words_contradict_its_code_is_held(category: Any) -> None:
    assert held(dispense("2", category=category)) == "medication-contradicts"


def test_a_dispense_of_an_older_edition_is_held() -> None:
    old = {"coding": [{"system": "http://ehelse.no/fhir/CodeSystem/vkp-medicationdispense-events-v05", "code": "2"}]}
    assert held(dispense("2", category=old)) == "medication-contradicts"


def test_a_dispense_of_edition_v06_means_what_v06_says() -> None:
    old = {"coding": [{"system": "http://ehelse.no/fhir/CodeSystem/vkp-medicationdispense-events-v06", "code": "2"}]}
    text = text_of(dispense("2", category=old))
    assert text.startswith("Medisindispenser: medisin ikke utlevert 15.01.2026 kl. 08.00")
    assert "Kontroller: Meldingen bruker en eldre kodeliste." in text
    test = {"coding": [{"system": "http://ehelse.no/fhir/CodeSystem/vkp-medicationdispense-events-v06", "code": "0"}]}
    assert held(dispense("0", category=test)) == "test-message"


def test_a_dispense_with_a_code_that_nobody_knows_is_held() -> None:
    assert held(dispense("99")) == "medication-unknown"
    assert held(dispense("1", category={"text": "utlevert"})) == "medication-unknown"


@pytest.mark.parametrize(
    ("code", "text"),
    [("1.4", "Teknisk feil"), ("1.7", "Ikke utlevert"), ("1.5", "Feil ved rull"), ("1.1", "Full skuff")],
)
def test_a_dispensers_alert_whose_words_contradict_its_code_is_held(code: str, text: str) -> None:
    assert held(bundle(composition(), issue(code, text))) == "medication-contradicts"


def test_another_alarm_whose_words_contradict_its_code_is_not_held() -> None:
    assert held(bundle(composition(), issue("7", "Trygghetsalarm"))) == ""


def test_a_dose_of_tomorrow_is_held() -> None:
    assert (
        held(dispense("1", whenHandedOver="2026-01-20T08:00:00+01:00"), context_of(dispense("1")))
        == "medication-future"
    )


def test_a_triage_for_those_not_expected_to_live_is_held() -> None:
    triage = {
        "url": "http://ehelse.no/fhir/StructureDefinition/vkp-triage-v090",
        "valueCodeableConcept": concept("triage", "BL", "black"),
    }
    assert held(bundle(composition(), issue("3", extension=[triage]))) == "triage-expectant"


def test_a_correction_of_another_patients_note_is_held() -> None:
    message = bundle(composition(status="amended"), issue("3"))
    before = bundle(composition(subject=OTHER_PATIENT), issue("3", patient=OTHER_PATIENT))
    context = replace(context_of(message), corrects=Earlier(None, "REF00001", before))
    assert held(message, context) == "wrong-patient"
