"""The published and derived examples are judged as domain/leniency.md says they should be."""

import json
from pathlib import Path

import pytest

from shared.errors import BrokenEnvelope
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


def test_nhns_published_alarm_is_accepted_as_it_is_with_one_warning() -> None:
    reading = read_message(NHN_ALARM.read_bytes(), "bundle")
    assert [(each.rule, each.expression, each.severity) for each in reading.warnings] == [
        ("repair-empty-string", "Bundle.entry[2].resource.identifier[0].value", "warning")
    ]
    assert (reading.patient.system, reading.patient.value) == ("http://cosdoc.dips.no/lopenummer", "1302")
    assert reading.business_identifier == ("Skyresponse:GlobalAlarmId", "B65B90BA7EF000120240703083502")
    assert reading.occurred_at is not None
    assert reading.occurred_at.isoformat() == "2024-07-03T08:35:32+00:00"


def test_there_are_examples() -> None:
    assert len(EVENTS) == 23


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_event_among_the_examples_is_accepted_without_a_warning(path: Path) -> None:
    reading = read(path)
    assert reading.warnings == ()
    assert reading.patient.value


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_answer_among_the_examples_is_refused_as_no_event(name: str) -> None:
    (path,) = EXAMPLES.glob(f"*/{name}")
    with pytest.raises(BrokenEnvelope) as caught:
        read(path)
    assert [(each.rule, each.expression) for each in caught.value.findings] == [("envelope-answer", ANSWERS[name])]
