"""What the layer of Norwegian identifiers finds in a message, where, and how grave it is in which environment."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Finding
from shared.fhir.findings import LIMIT, Findings
from shared.fhir.numbers import check_identifiers
from shared.fhir.rules import DEFAULT, STRICT, Policy, rules
from shared.identity.series import Environment
from shared.identity.systems import DNR, DUF, FHN, FNR, HER, HNR, HPR, ORGNR, RESH
from tests.data import EXAMPLES
from tests.unit.fhir.messages import KARI, alarm, composition, document, observation, subject
from tests.unit.fhir.strategies import fhir_like
from tests.unit.identity.numbers import help_number, issued, organisation, with_check_digits

PRODUCTION, TEST = Environment.PRODUCTION, Environment.TEST
ORDINARY = issued(5, 3, 44)
D_NUMBER = issued(45, 83, 44)
HELP = help_number()
LOCAL = issued(5, 43, 44)
NEXT_DIGIT = str.maketrans("0123456789", "1234567890")
WRONG = KARI[:-1] + KARI[-1].translate(NEXT_DIGIT)


def found(message: Any, environment: Environment = TEST, policy: Policy = DEFAULT) -> list[Finding]:
    findings = Findings(policy)
    check_identifiers(message, environment, findings)
    return list(findings.rendered(message))


def told(message: Any, environment: Environment = TEST, policy: Policy = DEFAULT) -> list[tuple[str, str, str]]:
    return [(each.rule, each.severity, each.expression) for each in found(message, environment, policy)]


def of_subject(number: str, system: str = FNR, environment: Environment = TEST) -> list[tuple[str, str]]:
    """Rules and severities met by a measurement of a patient under this number."""
    return [(rule, severity) for rule, severity, _ in told(observation(subject=subject(number, system)), environment)]


def test_a_synthetic_patient_in_a_test_has_nothing_to_say_about() -> None:
    assert told(document()) == []


def test_an_ordinary_patient_in_production_has_nothing_to_say_about() -> None:
    assert of_subject(ORDINARY, FNR, PRODUCTION) == []


@pytest.mark.parametrize(
    ("system", "rule"),
    [
        (FNR, "identifier-fnr-invalid"),
        (DNR, "identifier-dnr-invalid"),
        (FHN, "identifier-fhn-invalid"),
        ("http://hl7.no/fhir/NamingSystem/FNR", "identifier-fnr-invalid"),
    ],
)
def test_a_wrong_digit_is_an_error_at_the_value(system: str, rule: str) -> None:
    (finding,) = found(observation(subject=subject(WRONG, system)))
    assert (finding.rule, finding.severity, finding.vkp_code) == (rule, "error", "2.1")
    assert finding.expression == "Observation.subject.identifier.value"
    assert "the check digits do not fit" in finding.text


def test_a_date_that_does_not_exist_is_named_as_the_fault() -> None:
    impossible = with_check_digits("310244123") or with_check_digits("310244124")
    (finding,) = found(observation(subject=subject(impossible or "")))
    assert finding.rule == "identifier-fnr-invalid"
    assert "there is no such date" in finding.text


@pytest.mark.parametrize("number", ["1000239", "22", KARI + "0", KARI[:-1] + "x", KARI[:6] + "-" + KARI[6:]])
def test_what_is_not_eleven_digits_is_a_warning_and_an_error_for_the_strict(number: str) -> None:
    message = observation(subject=subject(number))
    assert told(message) == [("identifier-person-shape", "warning", "Observation.subject.identifier.value")]
    assert [each.severity for each in found(message, policy=STRICT)] == ["error"]


def test_blanks_inside_are_a_warning_and_the_digits_are_judged_all_the_same() -> None:
    assert of_subject(f"{KARI[:6]} {KARI[6:]}") == [("identifier-person-blanks", "warning")]
    assert of_subject(f"{WRONG[:6]} {WRONG[6:]}") == [
        ("identifier-fnr-invalid", "error"),
        ("identifier-person-blanks", "warning"),
    ]


@pytest.mark.parametrize(
    ("number", "system", "due"),
    [(D_NUMBER, FNR, DNR), (KARI, DNR, FNR), (HELP, FNR, FHN), (KARI, FHN, FNR), (D_NUMBER, HNR, DNR)],
)
def test_a_number_under_the_system_of_another_kind_is_a_warning_that_names_the_right_one(
    number: str, system: str, due: str
) -> None:
    identifier = {"system": system, "value": number, "assigner": {"display": "Solvik"}}
    (finding,) = found(observation(subject={"identifier": identifier}))
    assert (finding.rule, finding.severity) == ("identifier-person-kind", "warning")
    assert finding.expression == "Observation.subject.identifier.system"
    # The mending text of a rule is the same for all; the kind is named in the text.
    assert f"system {due}" in f"{finding.text} {finding.mend}"


@pytest.mark.parametrize(("month", "series"), [(83, "+80"), (68, "+65"), (43, "+40")])
def test_production_refuses_synthetic_persons(month: int, series: str) -> None:
    (finding,) = found(observation(subject=subject(issued(5, month, 44))), PRODUCTION)
    assert (finding.rule, finding.severity, finding.vkp_code) == ("identifier-person-synthetic", "error", "2.1")
    assert series in finding.text


def test_a_test_environment_refuses_numbers_that_may_be_a_living_persons() -> None:
    assert of_subject(ORDINARY) == [("identifier-person-real", "error")]
    assert of_subject(issued(45, 3, 44), DNR) == [("identifier-person-real", "error")]


def test_a_registration_can_let_old_test_persons_through() -> None:
    lenient = Policy(overrides={"identifier-person-real": rules()["identifier-person-shape"].severity})
    assert [each.severity for each in found(observation(subject=subject(ORDINARY)), policy=lenient)] == ["warning"]


@pytest.mark.parametrize("environment", Environment)
def test_common_and_local_help_numbers_are_taken_in_every_environment(environment: Environment) -> None:
    assert of_subject(HELP, FHN, environment) == []
    local = {"system": HNR, "value": LOCAL, "assigner": {"display": "Solvik"}}
    assert told(observation(subject={"identifier": local}), environment) == []


def test_a_local_help_number_needs_its_assigner() -> None:
    message = observation(subject={"identifier": {"system": HNR, "value": LOCAL}})
    assert told(message) == [("identifier-hnr-assigner", "warning", "Observation.subject.identifier.assigner")]


def test_a_local_help_number_with_wrong_digits_is_a_warning_only() -> None:
    wrong = {"system": HNR, "value": LOCAL[:-1] + LOCAL[-1].translate(NEXT_DIGIT), "assigner": {"display": "Solvik"}}
    assert [each[:2] for each in told(observation(subject={"identifier": wrong}))] == [
        ("identifier-hnr-invalid", "warning")
    ]


@pytest.mark.parametrize("number", ["314159265", "103", "310 900 001"])
def test_a_wrong_organisation_number_is_a_warning(number: str) -> None:
    message = observation(performer=[{"identifier": {"system": ORGNR, "value": number}}])
    (finding,) = found(message)
    assert (finding.rule, finding.severity, finding.vkp_code) == ("identifier-orgnr-invalid", "warning", "2.2")
    assert finding.expression == "Observation.performer[0].identifier.value"


def test_synthetic_organisations_are_refused_in_production_only() -> None:
    message = observation(
        subject=subject(ORDINARY), performer=[{"identifier": {"system": ORGNR, "value": organisation("1090000", "3")}}]
    )
    expected = ("identifier-orgnr-synthetic", "error", "Observation.performer[0].identifier.value")
    assert told(message, PRODUCTION) == [expected]
    assert expected not in told(message)


@pytest.mark.parametrize(
    ("system", "good", "wrong", "rule"),
    [
        (HPR, "9999999", "0123", "identifier-hpr-shape"),
        (HER, "8099991", "HERID:8099991", "identifier-her-shape"),
        (RESH, "100320", "x", "identifier-resh-shape"),
        (DUF, "200205705502", "20020570550", "identifier-duf-shape"),
        (DUF, "200205705502", "200205705503", "identifier-duf-check-digits"),
    ],
)
def test_other_registers_numbers_are_judged_by_what_is_known_of_them(
    system: str, good: str, wrong: str, rule: str
) -> None:
    def message(number: str) -> Any:
        return observation(performer=[{"identifier": {"system": system, "value": number}}])

    assert told(message(good)) == []
    assert told(message(wrong)) == [(rule, "warning", "Observation.performer[0].identifier.value")]


@pytest.mark.parametrize("system", ["https://vendor.example/patient", HPR, ORGNR, HER, DUF, None])
def test_a_national_number_under_a_system_that_is_not_for_it_is_a_warning(system: str | None) -> None:
    identifier = {"system": system, "value": KARI} if system else {"value": KARI}
    message = observation(subject={"identifier": identifier})
    assert told(message) == [("identifier-person-system", "warning", "Observation.subject.identifier.system")]


@pytest.mark.parametrize(
    ("system", "number"),
    [("https://vendor.example/serial", HELP), ("https://vendor.example/patient", LOCAL), ("phone", KARI)],
)
def test_numbers_that_may_well_be_something_else_are_left_alone(system: str, number: str) -> None:
    assert of_subject(number, system) == []


@pytest.mark.parametrize("text", [KARI, f"{KARI[:6]} {KARI[6:]}", f"Kari Nordmann ({KARI})", f"fnr:{KARI}"])
def test_a_national_number_in_a_display_is_a_warning_there(text: str) -> None:
    message = observation(subject=subject() | {"display": text})
    assert told(message) == [("identifier-person-out-of-place", "warning", "Observation.subject.display")]


@pytest.mark.parametrize("text", ["Kari Nordmann", WRONG, f"x{KARI}", f"{KARI}0", HELP])
def test_a_display_without_one_is_left_alone(text: str) -> None:
    assert told(observation(subject=subject() | {"display": text})) == []


def test_a_national_number_in_an_id_or_an_address_is_a_warning_there() -> None:
    message = observation(id=KARI, subject={"reference": f"Patient/{KARI}"})
    assert told(message) == [
        ("identifier-person-out-of-place", "warning", "Observation.id"),
        ("identifier-person-out-of-place", "warning", "Observation.subject.reference"),
    ]


def test_every_identifier_is_looked_at_however_deep_and_in_the_order_of_the_message() -> None:
    message = document(
        composition(subject=subject(WRONG), author=[{"display": "x"}, {"identifier": {"system": HPR, "value": "0"}}]),
        alarm(
            patient=subject(WRONG),
            contained=[{"resourceType": "Patient", "id": "p", "identifier": [subject(WRONG)["identifier"]]}],
            extension=[{"url": "https://vendor.example/x", "valueIdentifier": {"system": FNR, "value": WRONG}}],
        ),
    )
    assert [each.expression for each in found(message)] == [
        "Bundle.entry[0].resource.subject.identifier.value",
        "Bundle.entry[1].resource.patient.identifier.value",
        "Bundle.entry[1].resource.contained[0].identifier[0].value",
        "Bundle.entry[1].resource.extension[0].value.ofType(Identifier).value",
        "Bundle.entry[0].resource.author[1].identifier.value",
    ]


def test_a_message_full_of_wrong_numbers_is_told_so_in_few_findings() -> None:
    message = observation(performer=[{"identifier": {"system": FNR, "value": WRONG}}] * 1000)
    assert len(found(message)) == LIMIT + 1


PERSONS = st.from_regex(r"[0-9]{11}", fullmatch=True)
NUMBERS = st.text(max_size=13) | PERSONS | st.sampled_from([KARI, WRONG, ORDINARY, HELP, D_NUMBER])
SYSTEMS = st.sampled_from([FNR, DNR, FHN, HNR, HPR, HER, RESH, DUF, ORGNR, "", "phone"]) | st.text(max_size=3)


@given(NUMBERS, SYSTEMS, st.sampled_from(Environment))
def test_no_finding_tells_the_number(number: str, system: str, environment: Environment) -> None:
    message = observation(subject=subject(number, system) | {"display": f"nr {number}."})
    for finding in found(message, environment):
        words = json.dumps([finding.text, finding.mend, finding.expression], ensure_ascii=False)
        assert not re.search(r"[0-9]{5}", words.replace("2.16.578.1.12", ""))
        # What has no digit is no number, and may be a word of ours.
        assert repr(finding).count(number) == 0 or len(number) < 4 or not re.search(r"[0-9]", number)


@given(fhir_like(), st.sampled_from(Environment))
def test_no_message_raises_and_none_is_changed(message: Any, environment: Environment) -> None:
    before = copy.deepcopy(message)
    found(message, environment)
    assert message == before


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.json")), ids=lambda path: path.stem)
def test_published_and_derived_examples_have_no_error_in_a_test_environment(path: Path) -> None:
    assert [each for each in told(json.loads(path.read_bytes())) if each[1] == "error"] == []


@pytest.mark.parametrize("path", sorted((EXAMPLES / "nhn-vkp-samples").glob("*.json")), ids=lambda path: path.stem)
@pytest.mark.parametrize("environment", Environment)
def test_norsk_helsenetts_sample_has_nothing_to_say_about(path: Path, environment: Environment) -> None:
    assert told(json.loads(path.read_bytes()), environment) == []


def test_every_rule_of_the_layer_is_met_by_a_test_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for key, rule in rules().items():
        if rule.layer == "identifiers":
            assert key in source, key
