"""What is not R4 is refused at its place; what R4 allows and R4B does not is taken."""

from typing import Any

import pytest

from shared.errors import Finding, NotFhir, UnknownAddress
from shared.fhir.json_text import parse
from shared.fhir.repair import repair
from shared.fhir.resources import ADDRESSES, check_resource, preload, resource_type_at
from tests.unit.fhir.messages import body, observation, subject


def check(message: Any, resource_type: str = "Observation") -> None:
    sent = parse(body(message)).message
    check_resource(repair(sent), sent, resource_type)


def refusals(message: Any, resource_type: str = "Observation") -> tuple[Finding, ...]:
    with pytest.raises(NotFhir) as caught:
        check(message, resource_type)
    return caught.value.findings


def refused(message: Any, resource_type: str = "Observation") -> list[tuple[str, str]]:
    return [(each.rule, each.expression) for each in refusals(message, resource_type)]


def batch(*resources: Any) -> Any:
    return {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": each} for each in resources]}


@pytest.mark.parametrize("spelled", ["bundle", "Bundle", "BUNDLE", "medicationDispense", "Observation"])
def test_addresses_are_taken_in_any_letter_case(spelled: str) -> None:
    assert resource_type_at(spelled).lower() == spelled.lower()


@pytest.mark.parametrize("spelled", ["patient", "", "bundles", "KARI"])
def test_other_addresses_do_not_exist(spelled: str) -> None:
    with pytest.raises(UnknownAddress):
        resource_type_at(spelled)


@pytest.mark.parametrize("resource_type", sorted(ADDRESSES.values()))
def test_every_address_knows_its_type(resource_type: str) -> None:
    assert ("fhir-unknown-resource-type", f"{resource_type}.resourceType") not in refused(
        {"resourceType": resource_type, "nothing": 1}, resource_type
    )


def test_preloading_takes_every_type_of_the_addresses() -> None:
    preload()


def test_a_good_observation_passes() -> None:
    check(
        observation(
            valueQuantity={"value": 36.50, "unit": "Cel"}, extension=[{"url": "http://a", "valueTime": "08:00:00"}]
        )
    )


@pytest.mark.parametrize("claimed", ["Bundle", "observation", "", None, 5, {"a": 1}])
def test_a_resource_of_another_type_than_its_address_is_refused(claimed: Any) -> None:
    ((rule, where),) = refused({"resourceType": claimed})
    assert rule == "fhir-wrong-resource-type"
    assert where in ("Bundle.resourceType", "Resource.resourceType")


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"status": None}, ("fhir-required", "Observation.status")),
        ({"code": None}, ("fhir-required", "Observation.code")),
        ({"subjekt": 1}, ("fhir-unknown-element", "Observation.*")),
        ({"fhir_comments": "x"}, ("fhir-unknown-element", "Observation.*")),
        ({"resource_type": "Observation"}, ("fhir-unknown-element", "Observation.*")),
        ({"status__ext": {"id": "x"}}, ("fhir-unknown-element", "Observation.*")),
        ({"subject": {"resourceType": "Reference"}}, ("fhir-unknown-element", "Observation.subject.resourceType")),
        ({"subject": '{"reference": "Patient/1"}'}, ("fhir-not-an-object", "Observation.subject")),
        ({"subject": [subject(), subject()]}, ("fhir-not-one-value", "Observation.subject")),
        ({"category": [[{"text": "x"}]]}, ("fhir-not-one-value", "Observation.category[0]")),
        ({"status": ["final", "final"]}, ("fhir-json-type", "Observation.status")),
        ({"status": 7}, ("fhir-json-type", "Observation.status")),
        ({"valueBoolean": "true"}, ("fhir-json-type", "Observation.value.ofType(boolean)")),
        ({"valueInteger": "5"}, ("fhir-json-type", "Observation.value.ofType(integer)")),
        ({"valueInteger": 5.0}, ("fhir-json-type", "Observation.value.ofType(integer)")),
        ({"valueInteger": True}, ("fhir-json-type", "Observation.value.ofType(integer)")),
        ({"valueInteger": 2**31}, ("fhir-range", "Observation.value.ofType(integer)")),
        ({"valueQuantity": {"value": "36.5"}}, ("fhir-json-type", "Observation.value.ofType(Quantity).value")),
        ({"effectiveDateTime": 1720000000}, ("fhir-json-type", "Observation.effective.ofType(dateTime)")),
        ({"effectiveDateTime": "2024-07-03T08:35:32"}, ("fhir-format", "Observation.effective.ofType(dateTime)")),
        ({"effectiveDateTime": "2024-02-31"}, ("fhir-format", "Observation.effective.ofType(dateTime)")),
        ({"issued": "2024-07-03"}, ("fhir-format", "Observation.issued")),
        ({"id": "a b"}, ("fhir-format", "Observation.id")),
        ({"valueString": "a", "valueBoolean": True}, ("fhir-one-choice", "Observation.value.ofType(boolean)")),
        ({"_status": {"x": 1, "id": "a"}}, ("fhir-unknown-element", "Observation.status.*")),
        ({"status": None, "_status": {"id": "a"}}, ("fhir-required", "Observation.status")),
        ({"contained": [{"id": "p"}]}, ("fhir-missing-resource-type", "Observation.contained[0].resourceType")),
        ({"extension": [{"url": "http://a", "valueRatioRange": {}, "id": "x"}]}, None),
    ],
)
def test_one_fault_gives_one_finding_at_its_place(change: dict[str, Any], finding: tuple[str, str] | None) -> None:
    message = observation(**change)
    if finding is None:
        check(message)
    else:
        assert refused(message) == [finding]


def test_a_type_of_value_that_only_r4b_has_is_refused() -> None:
    extension = {"url": "http://a", "valueCodeableReference": {"concept": {"text": "x"}}}
    assert refused(observation(extension=[extension])) == [("fhir-unknown-element", "Observation.extension[0].*")]


def test_what_r4_has_and_r4b_lacks_is_taken() -> None:
    meta = {"url": "http://a", "valueMeta": {"versionId": "1"}}
    uuid = {"url": "http://a", "valueUuid": "urn:uuid:c757873d-ec9a-1326-a141-556f43239520"}
    check(observation(extension=[meta, uuid]))


@pytest.mark.parametrize(
    "claimed", ["Foo", "HumanName", "Resource", "DomainResource", "x" * 100, "FHIRPrimitiveExtension"]
)
def test_an_entry_of_no_known_type_is_refused(claimed: str) -> None:
    message = batch(observation(), {"resourceType": claimed})
    ((rule, where),) = refused(message, "Bundle")
    assert (rule, where) == ("fhir-unknown-resource-type", "Bundle.entry[1].resource.resourceType")


def test_the_nearest_name_is_offered_and_the_senders_own_never() -> None:
    (finding,) = refusals(observation(subjekt=1))
    assert finding.text.endswith("The nearest is subject.")
    assert "subjekt" not in finding.text


def test_faults_are_found_where_the_sender_wrote_them() -> None:
    entries = [{"resource": {}}, {"resource": observation()}, "", {"resource": observation(status=7)}]
    assert refused({"resourceType": "Bundle", "type": "batch", "entry": entries}, "Bundle") == [
        ("fhir-json-type", "Bundle.entry[3].resource.status")
    ]


def test_all_faults_are_told_at_once() -> None:
    message = observation(subjekt=1, status=None, code=None, issued="i går", valueString="a", valueInteger=1)
    assert refused(message) == [
        ("fhir-required", "Observation.code"),
        ("fhir-required", "Observation.status"),
        ("fhir-unknown-element", "Observation.*"),
        ("fhir-one-choice", "Observation.value.ofType(integer)"),
        ("fhir-format", "Observation.issued"),
    ]


def test_a_message_header_without_event_is_refused() -> None:
    message = batch({"resourceType": "MessageHeader", "source": {"endpoint": "http://a"}})
    assert refused(message, "Bundle") == [("fhir-required", "Bundle.entry[0].resource.event")]


def test_no_more_than_fifty_findings_are_listed() -> None:
    found = refusals(observation(category=[{"x": index} for index in range(20_000)]))
    assert len(found) == 51
    assert found[-1].rule == "more-findings"
    found = refusals(observation(category=[{"text": "a", "coding": [{"code": "a  b"}]}] * 3_000))
    assert len(found) == 51


def test_the_deepest_message_that_json_allows_is_judged() -> None:
    extension: Any = {"url": "http://a", "valueInteger": 1}
    for _ in range(47):
        extension = {"url": "http://a", "extension": [extension]}
    check(observation(extension=[extension]))
