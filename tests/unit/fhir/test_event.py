"""The event a message tells of: every kind by its codes, and nothing that was not said."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from sandbox import examples
from shared.fhir.codes import code_lists
from shared.fhir.envelope.check import check_envelope
from shared.fhir.event import MessageEvent, Scale, Severity, Standing, event_of
from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.kinds import CODES, SERVICES, Kind
from shared.fhir.repairing.repair import repair
from tests.data import NHN_ALARM
from tests.unit.fhir.messages import KARI, alarm, body, composition, document, observation
from tests.unit.fhir.strategies import fhir_like

CODE_SYSTEM = "http://ehelse.no/fhir/CodeSystem/"


def event(message: bytes | Any) -> MessageEvent:
    sent = parse(message if isinstance(message, bytes) else body(message), Findings())
    repaired = repair(sent, Findings()).message
    return event_of(repaired, check_envelope(repaired, Findings()))


def coded(system: str, code: str, display: str | None = None) -> Any:
    coding = {"system": CODE_SYSTEM + system, "code": code}
    return {"coding": [coding | ({"display": display} if display else {})]}


def dispense(code: str, display: str | None = None, system: str = "vkp-medicationdispense-events-v090") -> Any:
    return {"resourceType": "MedicationDispense", "category": coded(system, code, display)}


def severity(code: str) -> Any:
    url = "http://ehelse.no/fhir/StructureDefinition/vkp-severity-level-v090"
    return {"url": url, "valueCodeableConcept": coded("vkp-severity-level-v090", code)}


KINDS = {
    "composition": Kind.NOTAT,
    "digital-supervision-event-based": Kind.TILSYN_HENDELSE,
    "digital-supervision-planned": Kind.TILSYN_PLANLAGT,
    "door-lock": Kind.DORLAS,
    "door-opened": Kind.DOR,
    "encounter": Kind.TILSYN_PLANLAGT,
    "fall-alarm": Kind.FALL,
    "fire-alarm": Kind.BRANN,
    "home-monitoring-form": Kind.SKJEMA,
    "home-monitoring-inactive": Kind.INAKTIV_PASIENT,
    "home-monitoring-measurement-alert": Kind.MALEVARSEL,
    "home-monitoring-missing-form": Kind.SKJEMA_MANGLER,
    "home-monitoring-missing-measurement": Kind.MALING_MANGLER,
    "home-monitoring-summary": Kind.HJEMMEOPPFOLGING,
    "inactivity": Kind.INAKTIVITET,
    "incontinence": Kind.INKONTINENS,
    "left-bed": Kind.SENG_ELLER_STOL,
    "left-room": Kind.ROM,
    "location-alarm": Kind.LOKALISERING,
    "measurement": Kind.MALING,
    "medication-dispensed": Kind.MEDISIN_UTLEVERT,
    "medication-dispensed-as-needed": Kind.MEDISIN_UTLEVERT_BEHOV,
    "medication-dispensed-travel": Kind.MEDISIN_UTLEVERT_REISE,
    "medication-message-read": Kind.MEDISIN_MELDING_LEST,
    "medication-not-dispensed": Kind.MEDISIN_AVVIK,
    "medication-technical-fault": Kind.MEDISIN_TEKNISK,
    "message-medication-dispensed": Kind.MEDISIN_UTLEVERT,
    "message-safety-alarm": Kind.TRYGGHETSALARM,
    "note": Kind.NOTAT,
    "nurse-call": Kind.SYKESIGNAL,
    "safety-alarm": Kind.TRYGGHETSALARM,
}


@pytest.mark.parametrize("name", sorted(examples.names()))
def test_every_example_is_of_its_kind(name: str) -> None:
    expected = max((each for each in KINDS if name.startswith(each)), key=len)
    found = event(examples.body(name))
    assert found.kind is KINDS[expected]
    assert found.said is None
    assert found.patient is not None
    assert found.occurred_at is not None


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_code_of_a_list_that_tells_the_kind_has_one(name: str) -> None:
    assert set(CODES[name]) == set(code_lists()[name].codes)


def test_every_kind_of_a_service_belongs_to_it() -> None:
    without = {Kind.SYKESIGNAL, Kind.INKONTINENS, Kind.DORLAS, Kind.NOTAT, Kind.MELDING, Kind.UKJENT}
    assert set(SERVICES) == set(Kind) - without
    assert {service for each in SERVICES.values() for service in each} == {"TA", "GPS", "MD", "DT", "DHO"}


def test_words_that_contradict_an_alarm_s_code_are_told_beside_it() -> None:
    found = event(NHN_ALARM.read_bytes())
    assert (found.kind, found.said, found.services) == (Kind.SYKESIGNAL, Kind.TRYGGHETSALARM, ("TA",))
    assert found.device is not None


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        (dispense("2"), Kind.MEDISIN_UTLEVERT_REISE),
        (dispense("2", "medisin utlevert reise"), Kind.MEDISIN_UTLEVERT_REISE),
        (dispense("2", "medisin_ikke_utlevert"), Kind.MEDISIN_UKJENT),
        (dispense("3", "medisin_mangler_bekreftelse"), Kind.MEDISIN_UKJENT),
        (dispense("2", system="vkp-medicationdispense-events-v06"), Kind.MEDISIN_AVVIK),
        (dispense("2", system="vkp-medicationdispense-events-v05"), Kind.MEDISIN_AVVIK),
        (dispense("7"), Kind.MEDISIN_AVVIK),
        (dispense("99"), Kind.MEDISIN_UKJENT),
        ({"resourceType": "MedicationDispense"}, Kind.MEDISIN_UKJENT),
    ],
)
def test_medicine_counts_as_handed_out_only_when_the_code_can_mean_nothing_else(category: Any, kind: Kind) -> None:
    assert event(category).kind is kind


def test_an_old_edition_s_alert_about_medicine_is_unclear_when_its_code_has_changed_meaning() -> None:
    assert event(alarm(code=coded("vkp-alert-code-v06", "1.7"))).kind is Kind.MEDISIN_UKJENT
    assert event(alarm(code=coded("vkp-alert-code-v06", "1.8"))).kind is Kind.MEDISIN_TEKNISK


def test_an_alert_with_an_unknown_code_is_unknown_and_not_its_parent() -> None:
    for code in (coded("vkp-alert-code-v090", "4.99"), {"text": "Trygghetsalarm"}, "x", None):
        assert event(alarm(code=code)).kind is Kind.UKJENT


def test_a_removed_list_of_alerts_is_read_by_its_own_numbers() -> None:
    flag = {"resourceType": "Flag", "code": coded("vkp-flag-code-v090", "2")}
    assert event(flag).kind is Kind.INAKTIV_PASIENT


def test_of_several_alerts_the_one_the_note_is_about_counts() -> None:
    fall, door = (alarm(code=coded("vkp-alert-code-v090", code)) for code in ("4.1", "4.15"))
    assert event(document(composition(), fall, door)).kind is Kind.FALL
    about = composition(type=coded("vkp-alert-code-v090", "4.15"))
    assert event(document(about, fall, door)).kind is Kind.DOR


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (alarm(), None),
        (alarm(severity="moderate"), Severity(Scale.R4, "moderate")),
        (alarm(severity="grave"), None),
        (alarm(severity="high", extension=[severity("20")]), Severity(Scale.VKP, "20")),
        (alarm(severity="high", extension=[severity("0")]), Severity(Scale.R4, "high")),
        (alarm(extension=[severity("2")]), None),
        (document(composition(), alarm(severity="low"), alarm(severity="high")), Severity(Scale.R4, "high")),
        (document(composition(), alarm(extension=[severity("40"), severity("10")])), Severity(Scale.VKP, "40")),
    ],
)
def test_a_severity_is_what_the_sender_said_on_the_sender_s_own_scale(message: Any, expected: Severity | None) -> None:
    assert event(message).severity == expected


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("final", Standing.NEW),
        ("preliminary", Standing.PRELIMINARY),
        ("amended", Standing.CORRECTED),
        ("entered-in-error", Standing.WITHDRAWN),
    ],
)
def test_a_note_s_status_says_whether_it_is_the_first_word(status: str, standing: Standing) -> None:
    assert event(document(composition(status=status), alarm())).standing is standing
    assert event(observation(status=status)).standing is standing


def test_a_note_that_replaces_another_is_a_correction() -> None:
    replaced = {"code": "replaces", "targetIdentifier": {"value": "1"}}
    assert event(document(composition(relatesTo=[replaced]), alarm())).standing is Standing.CORRECTED


def test_a_device_is_its_sort_and_never_its_number() -> None:
    device = {
        "resourceType": "Device",
        "serialNumber": "S-1",
        "deviceName": [{"name": "Knapp 2", "type": "model-name"}],
    }
    assert event(device).device == "Knapp 2"
    assert event(device | {"type": {"text": "Trygghetsalarm"}}).device == "Trygghetsalarm"
    assert event({"resourceType": "Device", "serialNumber": "S-1"}).device is None
    assert event(examples.body("digital-supervision-planned")).device == "Kamera"
    assert event(examples.body("medication-dispensed-assisted")).device == "Medisindispenser Hjemme 4"


def test_the_event_s_own_moment_counts_before_what_led_to_it() -> None:
    form = event(examples.body("home-monitoring-measurement-alert"))
    assert form.occurred_at == datetime(2026, 11, 20, 7, 31, 20, tzinfo=UTC)
    reported = {"code": [coded("vkp-composition-event-v090", "0")], "period": {"start": "2026-01-15T08:01:00+01:00"}}
    untimed = document(composition(event=[reported]), alarm(identifiedDateTime=None))
    assert event(untimed).occurred_at == datetime(2026, 1, 15, 7, 1, tzinfo=UTC)


def test_a_message_is_known_by_its_identifier_else_by_its_header() -> None:
    message = json.loads(examples.body("message-medication-dispensed"))
    header = message["entry"][0]["resource"]["id"]
    assert event(message).business_identifier == ("urn:ietf:rfc:3986", f"urn:uuid:{header}")
    assert event(message | {"identifier": {"system": "s", "value": "1"}}).business_identifier == ("s", "1")
    assert event(examples.body("measurement-batch")).business_identifier is None


def test_an_event_shows_no_person_and_no_number() -> None:
    shown = repr(event(document()))
    assert KARI not in shown
    assert "999" not in shown


@settings(max_examples=40)
@given(fhir_like())
def test_a_message_of_any_shape_has_an_envelope_and_an_event(message: Any) -> None:
    sent = json.loads(json.dumps(message))
    event_of(sent, check_envelope(sent, Findings()))
