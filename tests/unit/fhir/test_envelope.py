"""The parts of a message belong together, and to one patient."""

from typing import Any

import pytest

from shared.errors import BrokenEnvelope
from shared.fhir.envelope import Envelope, check_envelope
from shared.fhir.identifiers import DNR, FNR, REFERENCE
from shared.fhir.json_text import parse
from shared.fhir.repair import repair
from shared.fhir.resources import check_resource
from tests.unit.fhir.messages import (
    ALARM_URL,
    KARI,
    OLA,
    alarm,
    body,
    composition,
    document,
    entry,
    observation,
    subject,
)

LOCAL = "http://cosdoc.dips.no/lopenummer"
PATIENT_URL = "urn:uuid:00000000-0000-4000-8000-0000000000aa"


def check(message: Any) -> Envelope:
    sent = parse(body(message)).message
    repaired = repair(sent)
    check_resource(repaired, sent, message["resourceType"])
    return check_envelope(repaired, sent)


def refused(message: Any) -> list[tuple[str, str]]:
    with pytest.raises(BrokenEnvelope) as caught:
        check(message)
    return [(each.rule, each.expression) for each in caught.value.findings if each.severity == "error"]


def warned(message: Any) -> list[tuple[str, str]]:
    warnings = check(message).warnings
    assert all(each.severity == "warning" for each in warnings)
    return [(each.rule, each.expression) for each in warnings]


def bundle(bundle_type: str, *entries: Any) -> Any:
    return {"resourceType": "Bundle", "type": bundle_type, "entry": list(entries)}


def patient(*identifiers: tuple[str, str]) -> Any:
    return {"resourceType": "Patient", "identifier": [{"system": each[0], "value": each[1]} for each in identifiers]}


def header(**changes: Any) -> Any:
    return {"resourceType": "MessageHeader", "eventUri": "http://a", "source": {"endpoint": "http://a"}} | changes


def test_a_document_with_all_its_parts_passes() -> None:
    found = check(document())
    assert found.bundle_type == "document"
    assert found.patient.value == KARI
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"identifier": {"value": "1"}}, ("envelope-document-identifier", "Bundle.identifier.system")),
        ({"identifier": {"system": "s", "value": ""}}, ("envelope-document-identifier", "Bundle.identifier.value")),
        ({"timestamp": None}, ("envelope-document-timestamp", "Bundle.timestamp")),
        ({"type": "dokument"}, ("envelope-bundle-type", "Bundle.type")),
        ({"type": "searchset"}, ("envelope-answer", "Bundle.type")),
    ],
)
def test_a_document_without_one_of_its_parts_is_refused(changes: dict[str, Any], finding: tuple[str, str]) -> None:
    assert refused(document(**changes)) == [finding]


def test_a_document_begins_with_its_composition() -> None:
    assert refused(document(alarm(), alarm())) == [("envelope-first-entry", "Bundle.entry[0].resource")]


def test_a_message_begins_with_its_header() -> None:
    good = bundle("message", entry(header(), None), entry(observation(), None))
    assert check(good).bundle_type == "message"
    good["entry"].reverse()
    assert refused(good) == [("envelope-first-entry", "Bundle.entry[0].resource")]


def test_an_answer_to_a_message_is_no_event() -> None:
    answer = header(response={"identifier": "a", "code": "ok"})
    assert refused(bundle("message", entry(answer, None))) == [("envelope-answer", "Bundle.entry[0].resource.response")]


@pytest.mark.parametrize("bundle_type", ["batch", "collection", "transaction"])
def test_measurements_come_in_three_kinds_of_bundle(bundle_type: str) -> None:
    assert check(bundle(bundle_type, entry(observation(), None))).bundle_type == bundle_type


def test_a_reference_that_leads_nowhere_is_refused_in_a_document() -> None:
    nowhere = composition(section=[{"entry": [{"reference": "urn:uuid:00000000-0000-4000-8000-00000000dead"}]}])
    assert refused(document(nowhere, alarm())) == [
        ("envelope-reference-unresolved", "Bundle.entry[0].resource.section[0].entry[0].reference")
    ]


def test_a_reference_that_leads_nowhere_is_a_warning_elsewhere() -> None:
    lost = observation(performer=[{"reference": ALARM_URL}])
    assert warned(bundle("batch", entry(lost, None))) == [
        ("envelope-reference-unresolved", "Bundle.entry[0].resource.performer[0].reference")
    ]
    assert warned(lost) == [("envelope-reference-unresolved", "Observation.performer[0].reference")]


def test_a_reference_is_followed_by_resource_id_when_there_is_no_full_url() -> None:
    message = document(composition(), alarm(id=ALARM_URL.removeprefix("urn:uuid:")))
    del message["entry"][1]["fullUrl"]
    assert warned(message) == [("envelope-reference-by-id", "Bundle.entry[0].resource.section[0].entry[0].reference")]


def test_uuids_are_compared_without_regard_to_case() -> None:
    message = document()
    message["entry"][1]["fullUrl"] = ALARM_URL.upper().replace("URN:UUID", "urn:uuid")
    assert warned(message) == []


def test_the_uri_that_a_detected_issue_calls_reference_is_no_reference() -> None:
    assert warned(document(composition(), alarm(reference="urn:uuid:00000000-0000-4000-8000-00000000dead"))) == []


def test_two_entries_under_one_full_url_are_refused() -> None:
    message = document()
    message["entry"][0]["fullUrl"] = ALARM_URL
    assert refused(message) == [("envelope-full-url-twice", "Bundle.entry[1].fullUrl")]


def test_two_patients_in_one_message_are_refused_where_the_second_is() -> None:
    assert refused(document(composition(), alarm(patient=subject(OLA)))) == [
        ("envelope-patient-mixed", "Bundle.entry[1].resource.patient")
    ]


def test_a_second_patient_is_seen_however_deep_it_is() -> None:
    inner = bundle("collection", entry(observation(subject=subject(OLA)), None))
    assert refused(bundle("batch", entry(observation(), None), entry(inner, None))) == [
        ("envelope-patient-mixed", "Bundle.entry[1].resource.entry[0].resource.subject")
    ]
    assert refused(observation(contained=[observation(id="o", subject=subject(OLA))])) == [
        ("envelope-patient-mixed", "Observation.contained[0].subject")
    ]


def test_one_patient_under_identifiers_that_nothing_joins_is_refused() -> None:
    assert refused(document(composition(), alarm(patient=subject("1302", LOCAL)))) == [
        ("envelope-patient-mixed", "Bundle.entry[1].resource.patient")
    ]


def test_a_patient_resource_joins_identifiers() -> None:
    message = bundle(
        "collection",
        entry(observation(), None),
        entry(observation(subject=subject("1302", LOCAL)), None),
        entry(observation(subject={"reference": PATIENT_URL}), None),
        entry(patient((LOCAL, "1302"), (FNR, KARI)), PATIENT_URL),
    )
    assert check(message).patient.value == KARI


def test_a_patient_resource_may_hold_an_old_number_and_a_reference_may_not_contradict_it() -> None:
    both = patient((FNR, KARI), (FNR, OLA))
    message = bundle("collection", entry(both, PATIENT_URL), entry(observation(subject=subject(OLA)), None))
    assert check(message).patient.value == min(KARI, OLA)
    pointing = observation(subject={"reference": PATIENT_URL} | subject(OLA))
    contradicted = bundle("collection", entry(patient((FNR, KARI)), PATIENT_URL), entry(pointing, None))
    assert refused(contradicted) == [("envelope-patient-mixed", "Bundle.entry[1].resource.subject")]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_shared_local_number_does_not_join_two_national_ones(reverse: bool) -> None:
    both = [entry(patient((LOCAL, "1"), (FNR, KARI)), None), entry(patient((LOCAL, "1"), (FNR, OLA)), None)]
    assert refused(bundle("collection", *(reversed(both) if reverse else both))) == [
        ("envelope-patient-mixed", "Bundle.entry[1].resource")
    ]


def test_a_shared_reference_does_not_join_two_national_numbers() -> None:
    one, other = ({"reference": "Patient/17"} | subject(number) for number in (KARI, OLA))
    message = bundle("batch", entry(observation(subject=one), None), entry(observation(subject=other), None))
    assert refused(message) == [("envelope-patient-mixed", "Bundle.entry[1].resource.subject")]


def test_a_d_number_under_the_system_of_national_numbers_is_the_same_person() -> None:
    number = "45834410070"
    message = document(composition(subject=subject(number)), alarm(patient=subject(number, DNR)))
    assert check(message).patient.system == DNR


@pytest.mark.parametrize(
    "spelled",
    [
        {"system": "2.16.578.1.12.4.1.4.1", "value": KARI},
        {"system": "URN:OID:2.16.578.1.12.4.1.4.1 ", "value": f" {KARI}"},
        {"system": "http://hl7.no/fhir/NamingSystem/FNR", "value": KARI},
        {"system": "urn:oid:2.16.578.1.12.4.1.4.2", "value": KARI},
    ],
)
def test_one_person_is_one_key_in_every_spelling(spelled: dict[str, str]) -> None:
    assert check(observation(subject={"identifier": spelled})).patient == check(observation()).patient


def test_a_patient_may_be_known_by_a_local_number_only() -> None:
    key = check(observation(subject=subject(" 1302", LOCAL))).patient
    assert (key.system, key.value) == (LOCAL, "1302")


def test_a_patient_may_be_known_by_a_literal_reference_only() -> None:
    for reference in ("Patient/17", "patient/17", "Patient/17/_history/2"):
        key = check(observation(subject={"reference": reference})).patient
        assert (key.system, key.value) == (REFERENCE, "Patient/17")


def test_a_contained_patient_is_the_patient() -> None:
    inside = patient((FNR, KARI)) | {"id": "p"}
    assert check(observation(contained=[inside], subject={"reference": "#p"})).patient.value == KARI


@pytest.mark.parametrize(
    "about",
    [
        None,
        {"display": "Testesen, Kari"},
        {"reference": "Device/17"},
        {"type": "Group"} | subject(),
        {"reference": PATIENT_URL},
        {"identifier": {"system": FNR}},
    ],
)
def test_a_message_about_no_patient_is_refused(about: Any) -> None:
    assert refused(observation(subject=about)) == [("envelope-patient-missing", "Observation")]


def test_who_sent_or_performed_is_not_the_patient() -> None:
    assert check(observation(performer=[subject(OLA)])).patient.value == KARI


def test_faults_are_found_where_the_sender_wrote_them() -> None:
    message = document(composition(), alarm(patient=subject(OLA)))
    message["entry"].insert(1, {})
    assert refused(message) == [("envelope-patient-mixed", "Bundle.entry[2].resource.patient")]


def test_a_patient_mix_up_is_told_before_a_hundred_lost_references() -> None:
    lost = [{"reference": "urn:uuid:00000000-0000-4000-8000-00000000dead"}] * 100
    message = document(composition(section=[{"entry": lost}]), alarm(patient=subject(OLA)))
    found = refused(message)
    assert found[0] == ("envelope-patient-mixed", "Bundle.entry[1].resource.patient")
    assert found[-1] == ("more-findings", "Bundle")
