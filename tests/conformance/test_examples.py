"""The published and derived examples are judged as domain/leniency.md says they should be."""

import json
from pathlib import Path

import pytest

from shared.errors import BrokenEnvelope
from shared.fhir.kinds import Kind
from shared.fhir.reading import Reading, read_message
from tests.data import EXAMPLES, NHN_ALARM

FOLDERS = ("derived-r4", "vkpobservation-0.5.2")
ANSWERS = {
    "dho-pmd-batch-response.json": "Bundle.type",
    "Bundle-pmd-Bundle-Response-example.json": "Bundle.type",
    "response-ok-message.json": "Bundle.entry[0].resource.response",
    "response-error-message.json": "Bundle.entry[0].resource.response",
}
EVENTS = [path for folder in FOLDERS for path in sorted((EXAMPLES / folder).glob("*.json")) if path.name not in ANSWERS]


def read(path: Path) -> Reading:
    sent = path.read_bytes()
    return read_message(sent, json.loads(sent)["resourceType"])


OLD_NUMBER = ("identifier-person-shape", "subject.identifier.value")
"""The observation guide's own examples put numbers of seven digits where a national number belongs."""
BY_GUIDE = [("identifier-person-shape", "performer[0].identifier.value"), OLD_NUMBER]
LOCAL_PATIENT = [("measurement-subject-system", "subject.identifier.system")]
"""The guide asks for a national number; its own examples name the patient by another."""
NO_ORGNR = ("identifier-orgnr-invalid", "performer[1].identifier.value")

DEFENDED: dict[str, list[tuple[str, str]]] = {
    "encounter-digital-supervision-document": [
        # VKP means a camera to take part in digital supervision; R4 has no place for a Device there.
        ("fhir-reference-target-vkp", "Bundle.entry[1].resource.participant[0].individual.reference"),
    ],
    "Bundle-pmd-Bundle-Request-example": [
        (rule, f"Bundle.entry[0].resource.{place}") for rule, place in BY_GUIDE
    ],
    **{
        f"Observation-{name}-create": LOCAL_PATIENT
        for name in (
            "blood-pressure", "body-height", "body-mass-index", "heart-rate", "level-of-consciousness",
            "respiratory-rate",
        )
    },
    **{
        f"Observation-vkp-{name}-create": BY_GUIDE
        for name in ("blood-pressure-profile", "body-temperature", "body-weight", "glucose", "heartrate",
                     "oxygen-saturation")
    },
    **{f"Observation-vkp-{name}-create": [NO_ORGNR, *BY_GUIDE] for name in ("cfs", "news2")},
}  # fmt: skip
"""Every warning that an example meets, by rule and place. What is not here meets none."""


def test_nhns_published_alarm_is_accepted_as_it_is_with_the_warnings_it_deserves() -> None:
    reading = read_message(NHN_ALARM.read_bytes(), "bundle")
    assert [(each.rule, each.expression, each.severity) for each in reading.warnings] == [
        ("repair-empty-string", "Bundle.entry[2].resource.identifier[0].value", "warning"),
        ("profile-text-contradicts-code", "Bundle.entry[0].resource.type.text", "warning"),
        ("profile-text-contradicts-code", "Bundle.entry[1].resource.code.text", "warning"),
    ]
    assert (reading.patient.system, reading.patient.value) == ("http://cosdoc.dips.no/lopenummer", "1302")
    event = reading.event
    assert event.business_identifier == ("Skyresponse:GlobalAlarmId", "B65B90BA7EF000120240703083502")
    assert event.occurred_at is not None
    assert event.occurred_at.isoformat() == "2024-07-03T08:35:32+00:00"
    assert (event.kind, event.said) == (Kind.SYKESIGNAL, Kind.TRYGGHETSALARM)


def test_there_are_examples() -> None:
    assert len(EVENTS) == 23
    assert DEFENDED.keys() <= {path.stem for path in EVENTS}


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_event_among_the_examples_is_accepted_with_just_the_warnings_we_defend(path: Path) -> None:
    reading = read(path)
    met = sorted((each.rule, each.expression.removeprefix("Observation.")) for each in reading.warnings)
    assert met == sorted(DEFENDED.get(path.stem, []))
    assert reading.patient.value


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_answer_among_the_examples_is_refused_as_no_event(name: str) -> None:
    (path,) = EXAMPLES.glob(f"*/{name}")
    with pytest.raises(BrokenEnvelope) as caught:
        read(path)
    assert [(each.rule, each.expression) for each in caught.value.findings] == [("envelope-answer", ANSWERS[name])]
