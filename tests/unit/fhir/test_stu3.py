"""Messages in STU3's shape are told so once, and read as R4 where their sender may send them."""

import copy
import json
from typing import Any

import pytest
from fhir.resources.STU3 import get_fhir_model_class as stu3_model
from hypothesis import given, settings

from sandbox import examples
from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.r4.checker import check_r4
from shared.fhir.r4.definitions import shape_of
from shared.fhir.repairing.repair import Repaired, repair
from shared.fhir.repairing.stu3 import _ELEMENTS, as_r4, mapped, recognised
from tests.unit.fhir.messages import body, subject
from tests.unit.fhir.strategies import fhir_like

REASON = {"coding": [{"system": "http://ehelse.no/fhir/CodeSystem/vkp-encounter-reason-v06", "code": "1"}]}
ENCOUNTER = {
    "resourceType": "Encounter",
    "status": "finished",
    "subject": subject(),
    "reason": [REASON],
    "period": {"start": "2019-05-01T08:00:00Z"},
}
DISPENSE = {
    "resourceType": "MedicationDispense",
    "status": "completed",
    "subject": subject(),
    "medicationCodeableConcept": {"text": "Ukjent medisin"},
    "dosageInstruction": [{"text": "1 pose", "doseQuantity": {"value": 1, "unit": "pose"}}],
}
CARE_PLAN = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": subject(),
    "context": {"reference": "Encounter/1"},
}
ALERT = {
    "resourceType": "DetectedIssue",
    "status": "final",
    "category": {"text": "fall"},
    "date": "2019-05-01T08:00:00Z",
}
NOTE = {
    "resourceType": "Composition",
    "status": "final",
    "type": {"text": "notat"},
    "class": {"text": "oppfølging"},
    "subject": subject(),
    "date": "2019-05-01T08:00:00Z",
    "author": [{"display": "vakt"}],
    "title": "Notat",
}
MEASUREMENT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "puls"},
    "comment": "etter trapp",
    "context": {"reference": "Encounter/1"},
}
MAPPABLE: list[Any] = [ENCOUNTER, DISPENSE, CARE_PLAN, ALERT, NOTE, MEASUREMENT]


def judged(message: Any, *, allowed: bool) -> tuple[Any, list[tuple[str, str]], list[str]]:
    """The copy, rules with expressions, and texts, of the layers up to R4."""
    findings = Findings()
    sent = parse(body(message), findings)
    repaired = as_r4(repair(sent, findings), findings, allowed=allowed)
    findings.paths_are_of_copy(repaired.as_sent)
    check_r4(repaired.message, findings)
    rendered = findings.rendered(sent)
    return repaired.message, [(each.rule, each.expression) for each in rendered], [each.text for each in rendered]


@pytest.mark.parametrize("message", MAPPABLE, ids=lambda each: str(each["resourceType"]))
def test_a_message_in_the_old_shape_is_told_so_once(message: Any) -> None:
    _, rules, texts = judged(message, allowed=False)
    assert [rule for rule, _ in rules] == ["stu3-shaped"]
    assert " in R4" in texts[0]


@pytest.mark.parametrize("message", MAPPABLE, ids=lambda each: str(each["resourceType"]))
def test_a_sender_that_may_send_it_is_told_what_it_is_read_as(message: Any) -> None:
    _, rules, _ = judged(message, allowed=True)
    assert {rule for rule, _ in rules} == {"stu3-mapped"}


def test_what_the_old_elements_say_stands_where_r4_has_it() -> None:
    assert judged(ENCOUNTER, allowed=True)[0]["reasonCode"] == [REASON]
    dosage = judged(DISPENSE, allowed=True)[0]["dosageInstruction"][0]
    assert dosage == {"text": "1 pose", "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "pose"}}]}
    assert judged(CARE_PLAN, allowed=True)[0]["encounter"] == {"reference": "Encounter/1"}
    alert = judged(ALERT, allowed=True)[0]
    assert (alert["code"], alert["identifiedDateTime"]) == ({"text": "fall"}, "2019-05-01T08:00:00Z")
    assert judged(NOTE, allowed=True)[0]["category"] == [{"text": "oppfølging"}]
    assert judged(MEASUREMENT, allowed=True)[0]["note"] == [{"text": "etter trapp"}]


def test_what_is_wrong_beside_the_old_shape_is_told_where_the_sender_wrote_it() -> None:
    wrong = DISPENSE | {"dosageInstruction": [{"doseQuantity": {"value": "1"}}], "status": "ferdig"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{}, {"resource": wrong}]}
    _, rules, _ = judged(bundle, allowed=False)
    places = {rule: expression.removesuffix(".*") for rule, expression in rules}
    assert places["stu3-shaped"] == "Bundle.entry[1].resource.dosageInstruction[0]"
    assert places["fhir-code"] == "Bundle.entry[1].resource.status"
    assert places["fhir-json-type"] == "Bundle.entry[1].resource.dosageInstruction[0]"


def test_a_fault_in_an_old_element_is_told_under_its_old_name() -> None:
    _, rules, _ = judged(ENCOUNTER | {"reason": [{"text": 5}]}, allowed=True)
    assert all("reasonCode" not in expression for _, expression in rules)
    assert "fhir-json-type" in [rule for rule, _ in rules]


@pytest.mark.parametrize(
    "message",
    [
        CARE_PLAN | {"context": {"reference": "EpisodeOfCare/1"}},
        ALERT | {"code": {"text": "noe annet"}},
        {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, "related": [{"type": "has-member"}]},
        DISPENSE | {"notDone": True},
    ],
)
def test_what_r4_has_no_place_for_is_not_mapped_even_for_those_who_may(message: Any) -> None:
    _, rules, _ = judged(message, allowed=True)
    assert "fhir-unknown-element" in [rule for rule, _ in rules]


def test_names_that_are_mended_for_everybody_are_no_sign() -> None:
    header = {
        "resourceType": "MessageHeader",
        "event": {"system": "s", "code": "c"},
        "timestamp": "2019-05-01T08:00:00Z",
        "source": {"endpoint": "http://a"},
        "receiver": {"display": "b"},
    }
    message = {"resourceType": "Bundle", "type": "message", "entry": [{"fullUrl": "urn:uuid:x", "resource": header}]}
    assert [rule for rule, _ in judged(message, allowed=False)[1]] == [
        "repair-receiver",
        "repair-event",
        "repair-timestamp",
    ]


@pytest.mark.parametrize("name", sorted(examples.names()))
def test_r4_is_not_taken_for_something_older(name: str) -> None:
    message = json.loads(examples.body(name))
    assert not recognised(message)
    assert mapped(message, Findings()) is message


@pytest.mark.parametrize("type_name", sorted(_ELEMENTS))
def test_each_sign_is_an_element_that_only_the_old_edition_has(type_name: str) -> None:
    old = {field.alias for field in stu3_model(type_name).model_fields.values()}
    new = shape_of(type_name).elements
    for name, element in _ELEMENTS[type_name].items():
        assert name not in new
        assert {name, f"{name}CodeableConcept"} & old
        assert element.now is None or element.now in new


@settings(max_examples=40)
@given(fhir_like())
def test_any_message_can_be_mapped_once_and_stays_as_it_is(message: Any) -> None:
    before = copy.deepcopy(message)
    repaired = repair(message, Findings())
    once = as_r4(repaired, Findings(), allowed=True)
    assert message == before
    again = as_r4(Repaired(once.message, once.origins), Findings(), allowed=True)
    assert again.message == once.message
