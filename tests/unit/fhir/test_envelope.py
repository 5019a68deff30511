"""The parts of a message belong together, and to one patient."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import examples
from shared.errors import Finding
from shared.fhir.envelope.check import Envelope, check_envelope
from shared.fhir.findings import Findings
from shared.fhir.identifiers import DNR, FNR, REFERENCE
from shared.fhir.json_text import parse
from shared.fhir.r4.definitions import shape_of
from shared.fhir.repairing.repair import repair
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


def judged(message: Any) -> tuple[Envelope, tuple[Finding, ...]]:
    findings = Findings()
    sent = parse(body(message), findings)
    repaired = repair(sent, Findings())
    findings.paths_are_of_copy(repaired.as_sent)
    envelope = check_envelope(repaired.message, findings)
    return envelope, findings.rendered(sent)


def found(message: Any, severity: str) -> list[tuple[str, str]]:
    return [(each.rule, each.expression) for each in judged(message)[1] if each.severity == severity]


def refused(message: Any) -> list[tuple[str, str]]:
    return found(message, "error")


def warned(message: Any) -> list[tuple[str, str]]:
    """What an accepted message is warned about."""
    assert refused(message) == []
    return found(message, "warning")


def patient_of(message: Any) -> tuple[str, str]:
    key = judged(message)[0].patient
    assert key is not None
    return key.system, key.value


def bundle(bundle_type: str, *entries: Any) -> Any:
    return {"resourceType": "Bundle", "type": bundle_type, "entry": list(entries)}


def patient(*identifiers: tuple[str, str]) -> Any:
    return {"resourceType": "Patient", "identifier": [{"system": each[0], "value": each[1]} for each in identifiers]}


def header(**changes: Any) -> Any:
    """A MessageHeader; a change to None leaves the element out."""
    whole = {
        "resourceType": "MessageHeader",
        "eventUri": "http://a",
        "source": {"endpoint": "http://a"},
        "focus": [{"reference": ALARM_URL}],
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def message_of(head: Any, *entries: Any) -> Any:
    return bundle("message", entry(head, None), *(entries or [entry(observation(), ALARM_URL)]))


def test_a_document_with_all_its_parts_passes() -> None:
    envelope, findings = judged(document())
    assert envelope.bundle_type == "document"
    assert patient_of(document()) == (FNR, KARI)
    assert findings == ()


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
    good = message_of(header())
    assert judged(good)[0].bundle_type == "message"
    assert warned(good) == []
    good["entry"].reverse()
    assert refused(good) == [("envelope-first-entry", "Bundle.entry[0].resource")]


def test_an_answer_to_a_message_is_no_event() -> None:
    answer = header(response={"identifier": "a", "code": "ok"}, focus=None)
    assert refused(bundle("message", entry(answer, None))) == [("envelope-answer", "Bundle.entry[0].resource.response")]


@pytest.mark.parametrize("bundle_type", ["batch", "collection", "transaction"])
def test_measurements_come_in_three_kinds_of_bundle(bundle_type: str) -> None:
    assert judged(bundle(bundle_type, entry(observation(), None)))[0].bundle_type == bundle_type


def test_a_reference_that_leads_nowhere_is_refused_in_a_document() -> None:
    nowhere = composition(section=[{"entry": [{"reference": "urn:uuid:00000000-0000-4000-8000-00000000dead"}]}])
    assert refused(document(nowhere, alarm())) == [
        ("envelope-reference-unresolved", "Bundle.entry[0].resource.section[0].entry[0].reference")
    ]


def test_a_reference_that_leads_nowhere_is_a_warning_elsewhere() -> None:
    lost = observation(performer=[{"reference": ALARM_URL}])
    assert warned(bundle("batch", entry(lost, None))) == [
        ("envelope-reference-dangling", "Bundle.entry[0].resource.performer[0].reference")
    ]
    assert warned(lost) == [("envelope-reference-dangling", "Observation.performer[0].reference")]


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
    assert patient_of(message) == (FNR, KARI)


def test_a_patient_resource_may_hold_an_old_number_and_a_reference_may_not_contradict_it() -> None:
    both = patient((FNR, KARI), (FNR, OLA))
    message = bundle("collection", entry(both, PATIENT_URL), entry(observation(subject=subject(OLA)), None))
    assert patient_of(message) == (FNR, min(KARI, OLA))
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
    assert patient_of(message)[0] == DNR


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
    assert patient_of(observation(subject={"identifier": spelled})) == patient_of(observation())


def test_a_patient_may_be_known_by_a_local_number_only() -> None:
    assert patient_of(observation(subject=subject(" 1302", LOCAL))) == (LOCAL, "1302")


def test_a_patient_may_be_known_by_a_literal_reference_only() -> None:
    for reference in ("Patient/17", "patient/17", "Patient/17/_history/2"):
        assert patient_of(observation(subject={"reference": reference})) == (REFERENCE, "Patient/17")


def test_a_contained_patient_is_the_patient() -> None:
    inside = patient((FNR, KARI)) | {"id": "p"}
    assert patient_of(observation(contained=[inside], subject={"reference": "#p"})) == (FNR, KARI)


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
    assert patient_of(observation(performer=[subject(OLA)])) == (FNR, KARI)


def test_faults_are_found_where_the_sender_wrote_them() -> None:
    message = document(composition(), alarm(patient=subject(OLA)))
    message["entry"].insert(1, {})
    assert refused(message) == [("envelope-patient-mixed", "Bundle.entry[2].resource.patient")]


def test_a_patient_mix_up_is_told_before_a_hundred_lost_references() -> None:
    lost = [{"reference": "urn:uuid:00000000-0000-4000-8000-00000000dead"}] * 100
    message = document(composition(section=[{"entry": lost}]), alarm(patient=subject(OLA)))
    told = refused(message)
    assert told[0] == ("envelope-patient-mixed", "Bundle.entry[1].resource.patient")
    assert told[-1] == ("more-findings", "Bundle")


def test_a_message_leads_from_its_header_to_what_it_is_about() -> None:
    for focus in (None, [], [{"display": "Observation"}]):
        assert warned(message_of(header(focus=focus))) == [("envelope-focus-missing", "Bundle.entry[0].resource.focus")]
    lost = header(focus=[{"reference": PATIENT_URL}])
    assert refused(message_of(lost)) == [
        ("envelope-reference-unresolved", "Bundle.entry[0].resource.focus[0].reference")
    ]


@pytest.mark.parametrize("bundle_type", ["batch", "collection", "transaction"])
def test_entries_that_stand_alone_each_say_whose_they_are(bundle_type: str) -> None:
    nobody = bundle(bundle_type, entry(observation(), None), entry(observation(subject=None), None))
    assert refused(nobody) == [("envelope-entry-without-patient", "Bundle.entry[1].resource.subject")]
    lost = bundle(bundle_type, entry(observation(), None), entry(alarm(patient={"reference": PATIENT_URL}), None))
    assert refused(lost) == [("envelope-entry-without-patient", "Bundle.entry[1].resource.patient")]


def test_the_parts_of_a_document_need_not_repeat_the_patient() -> None:
    part = observation(subject=None)
    whole = composition(section=[{"entry": [{"reference": ALARM_URL}]}])
    assert warned(document(whole, part)) == []


def test_what_a_document_does_not_lead_to_is_told() -> None:
    device = {"resourceType": "Device"}
    lonely = document(composition(), alarm())
    lonely["entry"] += [entry(device, "urn:uuid:00000000-0000-4000-8000-0000000000d0")]
    assert warned(lonely) == [("envelope-unreachable-entry", "Bundle.entry[2]")]
    lonely["entry"][1]["resource"]["author"] = {"reference": "urn:uuid:00000000-0000-4000-8000-0000000000d0"}
    assert warned(lonely) == []
    lonely["entry"] += [entry({"resourceType": "Provenance"}, None)]
    assert warned(lonely) == []


ADDRESS = "https://vendor.example/fhir/"


@pytest.mark.parametrize("reference", ["DetectedIssue/7", f"{ADDRESS}DetectedIssue/7", "DetectedIssue/7/_history/2"])
def test_a_relative_reference_is_resolved_against_the_address_of_its_own_entry(reference: str) -> None:
    message = document(composition(section=[{"entry": [{"reference": reference}]}]), alarm(id="7"))
    message["entry"][0]["fullUrl"] = f"{ADDRESS}Composition/3"
    message["entry"][1]["fullUrl"] = f"{ADDRESS}DetectedIssue/7"
    assert warned(message) == []


def test_a_relative_reference_beside_uuids_finds_its_resource_by_id_with_a_warning() -> None:
    message = document(composition(section=[{"entry": [{"reference": "DetectedIssue/7"}]}]), alarm(id="7"))
    assert warned(message) == [("envelope-reference-by-id", "Bundle.entry[0].resource.section[0].entry[0].reference")]


def test_a_uuid_without_its_prefix_is_followed_with_a_warning() -> None:
    bare = ALARM_URL.removeprefix("urn:uuid:")
    message = document(composition(section=[{"entry": [{"reference": bare}]}]))
    assert warned(document(composition(section=[{"entry": [{"reference": bare}]}]), alarm())) == [
        ("envelope-reference-bare-uuid", "Bundle.entry[0].resource.section[0].entry[0].reference")
    ]
    message = document()
    message["entry"][1]["fullUrl"] = bare
    assert warned(message) == []


def test_a_document_that_refers_to_a_server_is_warned_and_a_single_resource_is_not() -> None:
    away = alarm(author={"reference": "Practitioner/9"})
    assert warned(document(composition(), away)) == [
        ("envelope-reference-outside", "Bundle.entry[1].resource.author.reference")
    ]
    assert warned(observation(performer=[{"reference": "Practitioner/9"}])) == []


def test_a_patient_without_a_number_is_not_joined_to_one_with() -> None:
    nameless = entry({"resourceType": "Patient", "name": [{"text": "x"}]}, PATIENT_URL)
    by_reference = observation(subject={"reference": PATIENT_URL})
    only = bundle("collection", entry(by_reference, None), nameless)
    assert refused(only) == [("envelope-patient-missing", "Bundle")]
    both = bundle("collection", entry(observation(), None), entry(by_reference, None), nameless)
    assert refused(both) == [("envelope-patient-mixed", "Bundle.entry[1].resource.subject")]


def test_who_answered_is_another_patient_only_when_the_reference_says_so() -> None:
    nurse = {"identifier": {"system": FNR, "value": OLA}}
    for claimed, rules in ((None, []), ("Practitioner", []), ("Patient", ["envelope-patient-mixed"])):
        performer = nurse | ({"type": claimed} if claimed else {})
        assert [rule for rule, _ in refused(observation(performer=[performer]))] == rules


def test_a_number_in_the_place_of_a_name_may_not_be_somebody_else_s() -> None:
    for shown, rules in ((KARI, []), ("05834410071", []), (f"{OLA[:6]} {OLA[6:]}", ["envelope-patient-mixed"])):
        assert [rule for rule, _ in refused(observation(subject=subject() | {"display": shown}))] == rules
    assert refused(observation(subject={"display": KARI})) == [("envelope-patient-missing", "Observation")]


def test_another_record_of_the_same_person_is_no_other_person() -> None:
    linked = patient((FNR, KARI)) | {"link": [{"type": "seealso", "other": {"reference": "Patient/old"}}]}
    message = bundle("collection", entry(linked, PATIENT_URL), entry(observation(), None))
    assert patient_of(message) == (FNR, KARI)


def places_that_name_a_patient(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a national number stands that is the patient's."""
    if isinstance(value, dict):
        if value.get("system") == FNR and value.get("value") != NURSE:
            yield path
        for name, member in value.items():
            yield from places_that_name_a_patient(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from places_that_name_a_patient(member, (*path, index))


NURSE = "18858442121"


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize("name", sorted(examples.names()))
def test_a_second_person_is_found_wherever_an_example_of_any_kind_names_one(name: str) -> None:
    places = list(places_that_name_a_patient(json.loads(examples.body(name))))
    assert places
    for place in places if len(places) > 1 else ():
        message = json.loads(examples.body(name))
        at(message, place)["value"] = OLA
        assert [rule for rule, _ in refused(message)] == ["envelope-patient-mixed"]


IN_USE = (
    "CarePlan",
    "Communication",
    "Composition",
    "DetectedIssue",
    "Device",
    "Encounter",
    "Flag",
    "MedicationDispense",
    "Observation",
    "QuestionnaireResponse",
)
MAY_NAME_A_PATIENT = [
    (kind, element.name, element.repeats)
    for kind in IN_USE
    for element in shape_of(kind).elements.values()
    if element.type_name == "Reference" and (not element.targets or "Patient" in element.targets)
]


@given(st.sampled_from(MAY_NAME_A_PATIENT), st.integers(0, 3), st.booleans())
def test_a_second_person_is_found_in_every_element_that_may_hold_a_patient(
    place: tuple[str, str, bool], depth: int, contained: bool
) -> None:
    kind, name, repeats = place
    other = subject(OLA) | {"type": "Patient"}
    hidden: Any = {"resourceType": kind, name: [other] if repeats else other}
    for _ in range(depth):
        hidden = {"resourceType": "List", "contained": [hidden]} if contained else bundle("batch", entry(hidden, None))
    message = bundle("collection", entry(observation(), None), entry(hidden, None))
    assert "envelope-patient-mixed" in [rule for rule, _ in refused(message)]
