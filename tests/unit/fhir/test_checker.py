"""What is not R4 is found at its place; what R4 allows is taken."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.fhir.findings import Findings
from shared.fhir.r4 import targets
from shared.fhir.r4.checker import USUAL_TYPES, check_r4, preload
from shared.fhir.r4.compiled import CHECKS
from shared.fhir.r4.invariants import facts, resources
from shared.fhir.rules import STRICT, Policy, Severity
from tests.unit.fhir.messages import ALARM_URL, alarm, composition, document, entry, observation, subject
from tests.unit.fhir.r4 import findings, found, unrepaired
from tests.unit.fhir.strategies import fhir_like


def batch(*resources: Any) -> Any:
    request = {"method": "POST", "url": "x"}
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": each, "request": request} for each in resources],
    }


def test_a_good_message_has_no_finding() -> None:
    assert found(document()) == []
    extension = {"url": "http://a", "valueTime": "08:00:00"}
    assert found(observation(valueQuantity={"value": 36.50, "unit": "Cel"}, extension=[extension])) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"status": None}, ("fhir-required", "Observation.status")),
        ({"code": None}, ("fhir-required", "Observation.code")),
        ({"subjekt": 1}, ("fhir-unknown-element", "Observation")),
        ({"fhir_comments": "x"}, ("fhir-unknown-element", "Observation")),
        ({"resource_type": "Observation"}, ("fhir-unknown-element", "Observation")),
        ({"status__ext": {"id": "x"}}, ("fhir-unknown-element", "Observation")),
        ({"id": "a", "_id": {"id": "x"}}, ("fhir-unknown-element", "Observation")),
        (
            {"subject": {"resourceType": "Reference", "display": "x"}},
            ("fhir-unknown-element", "Observation.subject"),
        ),
        ({"subject": '{"reference": "Patient/1"}'}, ("fhir-not-an-object", "Observation.subject")),
        ({"subject": [subject(), subject()]}, ("fhir-not-one-value", "Observation.subject")),
        ({"category": [[{"text": "x"}]]}, ("fhir-not-one-value", "Observation.category[0]")),
        ({"status": ["final", "final"]}, ("fhir-not-one-value", "Observation.status")),
        ({"status": 7}, ("fhir-json-type", "Observation.status")),
        ({"status": "finale"}, ("fhir-code", "Observation.status")),
        ({"status": "a  b"}, ("fhir-format", "Observation.status")),
        ({"valueBoolean": "true"}, ("fhir-json-type", "Observation.value.ofType(boolean)")),
        ({"valueInteger": "5"}, ("fhir-json-type", "Observation.value.ofType(integer)")),
        ({"valueInteger": 5.0}, ("fhir-json-type", "Observation.value.ofType(integer)")),
        ({"valueInteger": True}, ("fhir-json-type", "Observation.value.ofType(integer)")),
        ({"valueInteger": 2**31}, ("fhir-range", "Observation.value.ofType(integer)")),
        ({"valueQuantity": {"value": "36.5"}}, ("fhir-json-type", "Observation.value.ofType(Quantity).value")),
        ({"effectiveDateTime": 1720000000}, ("fhir-json-type", "Observation.effective.ofType(dateTime)")),
        ({"effectiveDateTime": "2024-07-03T08:35:32"}, ("fhir-format", "Observation.effective.ofType(dateTime)")),
        ({"effectiveDateTime": "2024-02-31"}, ("fhir-no-such-date", "Observation.effective.ofType(dateTime)")),
        ({"issued": "2024-07-03"}, ("fhir-format", "Observation.issued")),
        ({"id": "a b"}, ("fhir-format", "Observation.id")),
        ({"valueString": "a", "valueBoolean": True}, ("fhir-one-choice", "Observation.value.ofType(boolean)")),
        ({"_status": {"x": 1, "id": "a"}}, ("fhir-unknown-element", "Observation.status")),
        ({"status": None, "_status": {"id": "a"}}, ("ele-1", "Observation.status")),
        ({"subject": {"id": "a"}}, ("ele-1", "Observation.subject")),
        ({"contained": ["x"]}, ("fhir-not-an-object", "Observation.contained[0]")),
    ],
)
def test_one_fault_gives_one_finding_at_its_place(change: dict[str, Any], finding: tuple[str, str]) -> None:
    assert found(observation(**change)) == [finding]


def test_a_primitive_may_have_extensions_beside_its_value_or_in_its_place() -> None:
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    assert found(observation(status=None, _status=absent)) == []
    assert found(observation(_status={"id": "a"})) == []
    name = {"given": ["Kari", None], "_given": [None, absent], "_family": absent}
    assert unrepaired({"resourceType": "Patient", "name": [name]}) == []


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ({"given": ["Kari", None]}, ("fhir-null", "Patient.name[0].given[1]")),
        ({"given": ["Kari", None], "_given": [None, None]}, ("fhir-null", "Patient.name[0].given[1]")),
        ({"given": ["Kari"], "_given": [None, {"id": "b"}]}, ("fhir-twin-length", "Patient.name[0].given")),
        ({"given": ["Kari"], "_given": ["x"]}, ("fhir-not-an-object", "Patient.name[0].given[0]")),
        ({"given": ["Kari"], "_given": {"id": "x"}}, ("fhir-not-an-array", "Patient.name[0].given")),
        ({"given": "Kari"}, ("fhir-not-an-array", "Patient.name[0].given")),
        ({"given": []}, ("fhir-empty", "Patient.name[0].given")),
        ({"given": None, "family": "a"}, ("fhir-null", "Patient.name[0].given")),
        ({"period": None, "family": "a"}, ("fhir-null", "Patient.name[0].period")),
        ({"family": None, "text": "a"}, ("fhir-null", "Patient.name[0].family")),
        ({"family": ""}, ("fhir-format", "Patient.name[0].family")),
        ({"family": " \n"}, ("fhir-format", "Patient.name[0].family")),
        ({"family": "a\x07"}, ("fhir-format", "Patient.name[0].family")),
        ({}, ("ele-1", "Patient.name[0]")),
    ],
)
def test_what_a_repair_would_mend_is_found_where_nobody_did(name: Any, finding: tuple[str, str]) -> None:
    assert finding in unrepaired({"resourceType": "Patient", "name": [name]})


def test_a_type_of_value_that_r4_has_not_is_refused() -> None:
    extension = {"url": "http://a", "valueCodeableReference": {"concept": {"text": "x"}}}
    rules = [rule for rule, _ in found(observation(extension=[extension]))]
    assert rules == ["fhir-unknown-element"]


def test_what_only_r4_has_is_taken() -> None:
    meta = {"url": "http://a", "valueMeta": {"versionId": "1"}}
    uuid = {"url": "http://a", "valueUuid": "urn:uuid:c757873d-ec9a-1326-a141-556f43239520"}
    assert found(observation(extension=[meta, uuid])) == []


@pytest.mark.parametrize("claimed", ["Foo", "HumanName", "Resource", "DomainResource", "x" * 100, "Bundle.entry", 7])
def test_an_entry_of_no_known_type_is_refused(claimed: Any) -> None:
    assert found(batch(observation(), {"resourceType": claimed, "id": "a"})) == [
        ("fhir-unknown-resource-type", "Bundle.entry[1].resource.resourceType")
    ]


def test_a_resource_that_says_no_type_is_refused() -> None:
    assert found(batch({"id": "a"})) == [("fhir-missing-resource-type", "Bundle.entry[0].resource.resourceType")]


def test_the_nearest_name_is_offered_and_the_senders_own_never() -> None:
    (finding,) = findings(observation(subjekt=1))
    assert finding.text.endswith("The nearest is subject.")
    assert "subjekt" not in finding.text + finding.mend


def test_the_codes_that_are_allowed_are_told() -> None:
    (finding,) = findings(composition(status="ferdig"))
    assert "amended, entered-in-error, final, preliminary" in finding.text


def test_faults_are_found_where_the_sender_wrote_them() -> None:
    entries = [{"resource": {}}, batch(observation())["entry"][0], "", batch(observation(status=7))["entry"][0]]
    assert found(batch() | {"entry": entries}) == [("fhir-json-type", "Bundle.entry[3].resource.status")]


def test_all_faults_are_told_at_once() -> None:
    message = observation(subjekt=1, status=None, code=None, issued="i går", valueString="a", valueInteger=1)
    assert sorted(found(message)) == [
        ("fhir-format", "Observation.issued"),
        ("fhir-one-choice", "Observation.value.ofType(integer)"),
        ("fhir-required", "Observation.code"),
        ("fhir-required", "Observation.status"),
        ("fhir-unknown-element", "Observation"),
    ]


def test_a_required_choice_is_asked_for_by_its_name() -> None:
    (finding,) = findings(batch({"resourceType": "MessageHeader", "source": {"endpoint": "http://a"}}))
    assert (finding.rule, finding.expression) == ("fhir-required", "Bundle.entry[0].resource.event")
    assert "event[x]" in finding.text


def test_a_hostile_number_of_faults_is_capped() -> None:
    for message in (
        observation(category=[{"x": index} for index in range(20_000)]),
        observation(category=[{"coding": [{"code": "a  b"}], "text": "a"}] * 3_000),
    ):
        listed = findings(message)
        assert len(listed) == 51
        assert listed[-1].rule == "more-findings"


def test_each_value_that_is_no_object_is_told_at_its_own_index() -> None:
    message = observation(category=[None, {"text": "a"}, None, "a"])
    assert unrepaired(message) == [
        ("fhir-null", "Observation.category[0]"),
        ("fhir-null", "Observation.category[2]"),
        ("fhir-not-an-object", "Observation.category[3]"),
    ]


def test_no_work_grows_with_the_square_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    objects = facts.objects

    def counted(value: Any) -> Any:
        nonlocal looked
        for each in objects(value):
            looked += 1
            yield each

    for module in (targets, resources):
        monkeypatch.setattr(module, "objects", counted)
    many = 300
    coding = [{"code": f"a{index}"} for index in range(many)]
    people = [{"resourceType": "Practitioner", "id": f"p{index}"} for index in range(many)]
    found(
        observation(
            code={"coding": coding},
            component=[{"code": {"coding": [{"code": "b"}] * many}}],
            valueString="a",
            contained=people,
            performer=[{"reference": f"#p{index}"} for index in range(many)],
        )
    )
    assert many < looked < 10 * many


def test_an_error_behind_a_thousand_warnings_is_an_error_still() -> None:
    lenient = Policy(overrides={"fhir-unknown-element": Severity.WARNING})
    message = observation(category=[{"text": "a", "x": index} for index in range(1_000)], valueInteger="x")
    noted = Findings(lenient)
    check_r4(message, noted)
    assert noted.any_error


def test_the_deepest_message_that_json_allows_is_judged() -> None:
    extension: Any = {"url": "http://a", "valueInteger": "1"}
    for _ in range(47):
        extension = {"url": "http://a", "extension": [extension]}
    ((rule, where),) = found(observation(extension=[extension]))
    assert rule == "fhir-json-type"
    assert where.count("extension[0]") == 48


def test_elements_of_one_resource_have_ids_of_their_own() -> None:
    twice = observation(code={"id": "a", "text": "x"}, category=[{"id": "a", "text": "y"}])
    (finding,) = found(twice)
    assert finding[0] == "fhir-element-id-twice"
    once = observation(code={"id": "a", "text": "x"})
    assert found(batch(once, once)) == []


@pytest.mark.parametrize(
    ("subject", "finding"),
    [
        ({"reference": "Patient/1"}, None),
        ({"reference": "Practitioner/1"}, "fhir-reference-target"),
        ({"reference": "https://a.example/fhir/Practitioner/1/_history/2"}, "fhir-reference-target"),
        ({"reference": "https://a.example/Nobody/1"}, None),
        ({"reference": "urn:uuid:00000000-0000-4000-8000-0000000000ff"}, None),
        ({"type": "Patient", "display": "x"}, None),
        ({"type": "Practitioner", "display": "x"}, "fhir-reference-type"),
        ({"type": "http://hl7.org/fhir/StructureDefinition/Practitioner", "display": "x"}, "fhir-reference-type"),
        ({"type": "Pasient", "display": "x"}, None),
    ],
)
def test_a_reference_leads_to_a_type_that_r4_allows(subject: Any, finding: str | None) -> None:
    rules = [rule for rule, _ in found(observation(subject=subject))]
    assert rules == ([finding] if finding is not None else [])


def test_a_reference_is_judged_by_the_entry_it_leads_to() -> None:
    anything = document(composition(subject={"reference": ALARM_URL}), alarm())
    assert found(anything) == []
    for spelled in (ALARM_URL, f" {ALARM_URL} ", ALARM_URL.replace("urn:uuid:", "URN:UUID:")):
        message = document(composition(encounter={"reference": spelled}), alarm())
        assert found(message) == [("fhir-reference-target", "Bundle.entry[0].resource.encounter.reference")]
    (finding,) = findings(message)
    assert "Encounter" in finding.text


def test_what_vkp_allows_beyond_r4_is_a_warning_and_strictly_an_error() -> None:
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "VR"},
        "participant": [{"individual": {"reference": "Device/1"}}],
    }
    (finding,) = findings(visit)
    assert (finding.rule, finding.severity) == ("fhir-reference-target-vkp", "warning")
    assert findings(visit, STRICT)[0].severity == "error"


def test_a_full_url_in_two_entries_leaves_a_reference_open() -> None:
    message = document(composition(), alarm())
    message["entry"].append(entry(alarm(meta={"versionId": "2"}), ALARM_URL))
    assert ("fhir-reference-ambiguous", "Bundle.entry[0].resource.section[0].entry[0].reference") in found(message)


def contained(*resources: Any, **reference: Any) -> Any:
    return observation(contained=list(resources), performer=[reference])


PRACTITIONER = {"resourceType": "Practitioner", "id": "p"}


@pytest.mark.parametrize(
    ("message", "finding"),
    [
        (contained(PRACTITIONER, reference="#p"), None),
        (contained(PRACTITIONER, reference="#q"), ("ref-1", "Observation.performer[0].reference")),
        (contained(PRACTITIONER, display="x"), ("dom-3", "Observation.contained[0]")),
        (
            contained(PRACTITIONER | {"meta": {"versionId": "1"}}, reference="#p"),
            ("dom-4", "Observation.contained[0].meta.versionId"),
        ),
        (
            contained(PRACTITIONER | {"meta": {"security": [{"code": "R"}]}}, reference="#p"),
            ("dom-5", "Observation.contained[0].meta.security"),
        ),
        (
            contained(PRACTITIONER | {"contained": [{"resourceType": "Location", "id": "l"}]}, reference="#p"),
            ("dom-2", "Observation.contained[0].contained"),
        ),
        (
            contained({"resourceType": "Location", "id": "p"}, reference="#p"),
            ("fhir-reference-target", "Observation.performer[0].reference"),
        ),
        (
            contained(
                {
                    "resourceType": "Provenance",
                    "id": "v",
                    "target": [{"reference": "#"}],
                    "recorded": "2026-01-15T08:00:00Z",
                }
                | {"agent": [{"who": {"display": "x"}}]},
                display="x",
            ),
            None,
        ),
        (
            contained(
                {"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "#p"}},
                PRACTITIONER,
                reference="#r",
            ),
            None,
        ),
    ],
)
def test_contained_resources_are_referred_to_and_belong_to_what_they_are_in(
    message: Any, finding: tuple[str, str] | None
) -> None:
    listed = found(message)
    assert (finding in listed) if finding is not None else (listed == [])


def test_a_required_code_may_be_one_of_several_codings() -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    own, active = {"system": "http://a", "code": "7"}, {"system": system, "code": "active"}

    def condition(*codings: Any) -> Any:
        return {"resourceType": "Condition", "subject": {"display": "x"}, "clinicalStatus": {"coding": list(codings)}}

    assert found(condition(own, active)) == []
    assert found(condition(own)) == [("fhir-code", "Condition.clinicalStatus")]
    assert found(condition({"system": "http://a", "code": "active"})) == [("fhir-code", "Condition.clinicalStatus")]


def test_preloading_compiles_the_usual_types_and_what_they_are_made_of() -> None:
    preload()
    assert {*USUAL_TYPES, "Bundle.entry", "CodeableConcept", "Coding", "Identifier", "Reference", "Period"} <= set(
        CHECKS
    )


@given(fhir_like())
@settings(max_examples=100, deadline=None)
def test_whatever_is_in_a_message_it_is_judged_and_stays_as_it_is(message: Any) -> None:
    as_it_was = copy.deepcopy(message)
    noted = Findings()
    check_r4(message, noted)
    noted.rendered(message)
    assert message == as_it_was


@given(fhir_like(), st.sampled_from(["Kanarifugl", "kanari/fugl", "<kanari/>"]))
@settings(max_examples=80, deadline=None)
def test_no_value_and_no_unknown_name_of_a_message_is_told(message: Any, canary: str) -> None:
    def planted(value: Any) -> Any:
        if isinstance(value, str):
            return canary + value
        if isinstance(value, list):
            return [planted(each) for each in value]
        if isinstance(value, dict):
            names = {"resourceType": value["resourceType"]} if "resourceType" in value else {}
            return {name: planted(each) for name, each in value.items()} | {canary: 1} | names
        return value

    message = planted(message)
    noted = Findings()
    check_r4(message, noted)
    for finding in noted.rendered(message):
        assert "anari" not in finding.text + finding.mend + finding.expression
        assert "{" not in finding.text + finding.mend


def test_numbers_as_they_come_from_json_are_taken() -> None:
    message = observation(valueQuantity={"value": Decimal("36.50")})
    assert unrepaired(message) == []
    message["valueQuantity"]["value"] = 36
    assert unrepaired(message) == []
