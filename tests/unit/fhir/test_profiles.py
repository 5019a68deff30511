"""Messages against the profiles: our examples are accepted with the findings we defend, and every departure from the
minimum of a kind is noticed where it is."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings

from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.reading import judge
from shared.fhir.repairing.repair import repair
from shared.fhir.rules import DEFAULT, STRICT, Policy
from shared.fhir.vkp.profiles import check_profiles, preload
from tests.data import EXAMPLES, example
from tests.unit.fhir.minimum_lists import GONE, MUTATIONS, Mutation
from tests.unit.fhir.strategies import fhir_like

EXPECTED: dict[str, list[str]] = {
    # Code 7 is the nurse call system, and the words say safety alarm: both are delivered.
    "nhn-vkp-samples/Bundle_OppfolgingAvVarsel_TrygghetsAlarm.json": ["profile-text-contradicts-code"] * 2,
    # A hospital system's own patient numbers: the national service would refuse them.
    "vkpobservation-0.5.2/Observation-blood-pressure-create.json": ["measurement-subject-system"],
    "vkpobservation-0.5.2/Observation-body-height-create.json": ["measurement-subject-system"],
    "vkpobservation-0.5.2/Observation-body-mass-index-create.json": ["measurement-subject-system"],
    "vkpobservation-0.5.2/Observation-heart-rate-create.json": ["measurement-subject-system"],
    "vkpobservation-0.5.2/Observation-level-of-consciousness-create.json": ["measurement-subject-system"],
    "vkpobservation-0.5.2/Observation-respiratory-rate-create.json": ["measurement-subject-system"],
    # No measurement and no alert: IHE's profiles of audit events are not this hub's.
    "audit-events/look.json": ["profile-unknown"],
    "audit-events/station.json": ["profile-unknown"],
}
"""The rules met in each example; those not listed meet none."""
FILES = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.json"))


def found(message: Any, policy: Policy = DEFAULT) -> list[tuple[str, str, str]]:
    findings = Findings(policy)
    check_profiles(message, findings)
    return [(each.severity, each.rule, each.expression) for each in findings.rendered(message)]


def repaired(body: bytes) -> Any:
    quiet = Findings()
    return repair(parse(body, quiet), quiet).message


def changed(message: Any, path: str, to: object) -> None:
    steps = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps[:-1]:
        message = message[step]
    if to is GONE:
        del message[steps[-1]]
    else:
        message[steps[-1]] = to


def prefix(about: str) -> str:
    return "Bundle." + ".".join(about.split(".")).replace("entry.", "entry[").replace(".resource", "].resource") + "."


@pytest.mark.parametrize("name", FILES)
def test_an_example_meets_just_the_rules_we_defend(name: str) -> None:
    message = repaired(example(name))
    assert sorted(rule for _, rule, _ in found(message)) == sorted(EXPECTED.get(name, []))
    assert all(severity == "warning" for severity, _, _ in found(message))


def test_the_list_of_expected_findings_names_examples_that_exist() -> None:
    assert set(EXPECTED) <= set(FILES)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_every_departure_from_the_minimum_is_noticed_where_it_is(mutation: Mutation) -> None:
    sent = json.loads(example(mutation.file))
    path = f"{mutation.about}.{mutation.path}" if mutation.about else mutation.path
    changed(sent, path, mutation.to)
    top = f"{sent['resourceType']}."
    expression = (prefix(mutation.about) if mutation.about else top) + mutation.expression
    if mutation.rule is not None:
        assert (mutation.rule, expression) in {(rule, where) for _, rule, where in found(sent)}
    else:
        body = json.dumps(sent).encode()
        assert any(each.expression.startswith(expression) for each in judge(body).findings)


def of_the_minimum(mutation: Mutation) -> bool:
    """Whether it is asked of resources that claim no profile, and leaves the message of its kind."""
    whole = mutation.rule == "profile-target" or mutation.path in (
        "bodySite",
        "method",
        "performer.0.identifier.system",
    )
    return mutation.rule is not None and not whole and mutation.path not in ("code.coding.0.code", "type")


@pytest.mark.parametrize("mutation", [each for each in MUTATIONS if of_the_minimum(each)], ids=str)
def test_the_minimum_is_asked_of_a_resource_that_claims_nothing(mutation: Mutation) -> None:
    sent = json.loads(example(mutation.file))
    without_claims(sent)
    path = f"{mutation.about}.{mutation.path}" if mutation.about else mutation.path
    changed(sent, path, mutation.to)
    assert mutation.rule in {rule for _, rule, _ in found(sent)}


def without_claims(value: Any) -> None:
    if isinstance(value, dict):
        value.pop("meta", None)
        for each in value.values():
            without_claims(each)
    elif isinstance(value, list):
        for each in value:
            without_claims(each)


@pytest.mark.parametrize(
    ("file", "path", "to"),
    [
        ("derived-r4/medication-dispense-message.json", "entry.1.resource.category", GONE),
        ("derived-r4/medication-dispense-message.json", "entry.1.resource.performer", GONE),
        ("derived-r4/medication-dispense-message.json", "entry.1.resource.subject.identifier", GONE),
        ("derived-r4/medication-dispense-message.json", "entry.1.resource.category.text", "medisin ikke utlevert"),
        ("derived-r4/alarm-document-bundle.json", "entry.1.resource.code", GONE),
        ("derived-r4/dho-blood-pressure.json", "effectiveDateTime", GONE),
        ("derived-r4/dho-blood-pressure.json", "component.0.valueQuantity.value", GONE),
    ],
)
def test_what_can_harm_a_patient_is_an_error(file: str, path: str, to: object) -> None:
    message = json.loads(example(file))
    changed(message, path, to)
    assert "error" in {severity for severity, _, _ in found(message)}


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("entry.1.resource.code.coding.0.code", "4.99"),
        ("entry.1.resource.code.coding.0.code", "7"),
        ("entry.1.resource.code.coding.0.system", "Skyresponse:code"),
        ("entry.1.resource.code.coding", GONE),
        ("entry.1.resource.patient.identifier.system", "http://cosdoc.dips.no/lopenummer"),
        ("entry.0.resource.category", GONE),
        ("entry.0.resource.author.0.identifier.system", "Skyresponse:Admin:UserName"),
        ("entry.0.resource.section.0.code.coding.0.code", "99"),
        ("entry.0.resource.event.0.code.0.coding.0.code", "2"),
    ],
)
def test_an_alarm_is_not_refused_for_a_code_or_a_number(path: str, to: object) -> None:
    message = json.loads(example("derived-r4/alarm-document-bundle.json"))
    changed(message, path, to)
    assert "error" not in {severity for severity, _, _ in found(message)}


def test_an_unknown_code_of_an_extensible_list_is_no_finding() -> None:
    message = json.loads(example("derived-r4/alarm-document-bundle.json"))
    changed(message, "entry.0.resource.section.0.code.coding.0.code", "99")
    assert found(message, STRICT) == []


def test_strict_checking_refuses_what_a_strict_successor_would() -> None:
    message = json.loads(example("derived-r4/alarm-document-bundle.json"))
    changed(message, "entry.0.resource.category", GONE)
    assert [severity for severity, _, _ in found(message, STRICT)] == ["error"]


def test_a_measurement_is_asked_its_unit_though_it_claims_only_the_general_profile() -> None:
    message = json.loads(example("vkpobservation-0.5.2/Observation-vkp-body-weight-create.json"))
    message["meta"]["profile"] = ["http://hl7.no/fhir/vkpobservation/StructureDefinition/vkp-Observation"]
    message["valueQuantity"] = {"value": 49}
    assert "measurement-unit-missing" in {rule for _, rule, _ in found(message)}


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        ("http://vendor.example/StructureDefinition/x", "profile-unknown"),
        ("http://ehelse.no/fhir/StructureDefinition/vkp-Encounter-v090", "profile-wrong-type"),
    ],
)
def test_a_claim_that_cannot_be_checked_is_a_warning(claim: str, rule: str) -> None:
    message = json.loads(example("derived-r4/note-document.json"))
    message["entry"][0]["resource"]["meta"]["profile"].append(claim)
    assert found(message) == [("warning", rule, "Bundle.entry[0].resource.meta.profile[1]")]


def test_a_withdrawn_profile_is_still_checked() -> None:
    flag = {
        "resourceType": "Flag",
        "meta": {"profile": ["http://ehelse.no/fhir/StructureDefinition/vkp-Flag-v090|0.9.0"]},
        "status": "active",
        "code": {"text": "Fall"},
        "subject": {"reference": "Patient/1"},
        "extension": [
            {
                "url": "http://ehelse.no/fhir/StructureDefinition/vkp-severity-level-v090",
                "valueCodeableConcept": {
                    "coding": [{"system": "http://ehelse.no/fhir/ValueSet/vkp-severity-level-v090", "code": "3"}]
                },
            }
        ],
    }
    assert [(rule, where) for _, rule, where in found(flag)] == [
        ("profile-withdrawn", "Flag.meta.profile[0]"),
        ("profile-required", "Flag.period"),
        ("profile-code-spelling", "Flag.extension[0].value.ofType(CodeableConcept).coding[0].system"),
        ("profile-code", "Flag.extension[0].value.ofType(CodeableConcept)"),
    ]


def test_an_extension_is_checked_by_its_url() -> None:
    dispense = json.loads(example("derived-r4/medication-dispense-message.json"))
    dispense["entry"][1]["resource"]["extension"] = [
        {
            "url": "http://ehelse.no/fhir/StructureDefinition/VkpMedicationDispenseDevice-v090",
            "extension": [{"url": "identifier", "valueString": "1"}, {"url": "displayName", "valueCode": "x"}],
        }
    ]
    at = "Bundle.entry[1].resource.extension[0].extension"
    assert [(rule, where) for _, rule, where in found(dispense)] == [
        ("profile-not-used", f"{at}[1].value.ofType(code)"),
        ("profile-slice-missing", at),
    ]


def test_a_closed_list_of_extensions_names_the_stray() -> None:
    patient = {
        "resourceType": "Patient",
        "meta": {"profile": ["http://ehelse.no/fhir/StructureDefinition/vkp-Patient-v090"]},
        "address": [{"extension": [{"url": "http://vendor.example/x", "valueString": "y"}]}],
    }
    assert found(patient) == [("warning", "profile-slice-closed", "Patient.address[0].extension[0].url")]


@settings(max_examples=60)
@given(fhir_like())
def test_no_shape_raises_or_is_changed(message: Any) -> None:
    before = copy.deepcopy(message)
    found(message)
    assert message == before


STRANGERS: list[Any] = [[], {}, 7, [None, [{}]], {"coding": [None, {"system": [], "code": {}}]}]


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("derived")])
def test_no_value_of_another_kind_anywhere_raises(name: str) -> None:
    preload()
    message = json.loads(example(name))
    for path in paths(message):
        for stranger in STRANGERS:
            there = at(message, path)
            changed(message, path, stranger)
            check_profiles(message, Findings())
            changed(message, path, there)


def at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def paths(value: Any, above: str = "") -> list[str]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found_paths: list[str] = []
    for name, member in members:
        here = f"{above}.{name}" if above else str(name)
        found_paths += [here, *paths(member, here)]
    return found_paths


def test_findings_hold_nothing_from_the_message() -> None:
    canary = "05834410070 Kari Canary"
    for mutation in MUTATIONS:
        message = json.loads(example(mutation.file))
        for path in paths(message):
            if path.endswith((".display", ".text", ".value", ".unit", ".reference")) and "div" not in path:
                changed(message, path, canary)
        path = f"{mutation.about}.{mutation.path}" if mutation.about else mutation.path
        try:
            changed(message, path, mutation.to)
        except (KeyError, TypeError):
            continue
        findings = Findings()
        check_profiles(message, findings)
        assert canary not in repr(findings.rendered(message))
