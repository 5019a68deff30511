"""Collecting findings: capped, each once, errors first, in the sender's own paths."""

import pytest

from shared.fhir.findings import LIMIT, Findings
from shared.fhir.rules import Policy, Severity


def test_what_is_found_twice_is_told_once() -> None:
    findings = Findings()
    for _ in range(2):
        findings.add("fhir-unknown-element", ("id",), near="")
    assert len(findings.rendered({"resourceType": "Patient"})) == 1


def test_errors_come_before_warnings_and_each_kind_in_the_order_found() -> None:
    findings = Findings()
    findings.add("repair-null", ("name",))
    findings.add("fhir-format", ("birthDate",))
    findings.add("fhir-not-an-array", ("name",))
    found = findings.rendered({"resourceType": "Patient"})
    assert [each.rule for each in found] == ["fhir-format", "fhir-not-an-array", "repair-null"]
    assert [each.expression for each in found] == ["Patient.birthDate", "Patient.name", "Patient.name"]


def test_more_than_the_limit_is_said_but_not_listed_and_warnings_do_not_crowd_out_errors() -> None:
    findings = Findings()
    for number in range(LIMIT + 1):
        findings.add("repair-null", ("name", number))
    findings.add("fhir-format", ("birthDate",))
    found = findings.rendered({"resourceType": "Patient"})
    assert len(found) == 1 + LIMIT + 1
    assert found[0].rule == "fhir-format"
    assert found[-1].rule == "more-findings"
    assert found[-1].severity == "warning"
    assert findings.any_error


def test_errors_beyond_the_limit_still_refuse() -> None:
    findings = Findings()
    for number in range(LIMIT + 5):
        findings.add("fhir-format", ("name", number))
    assert findings.full
    assert findings.rendered({"resourceType": "Patient"})[-1].severity == "error"


def test_a_rule_that_is_off_is_not_found() -> None:
    findings = Findings(Policy(overrides={"fhir-format": Severity.OFF}))
    findings.add("fhir-format", ())
    assert not findings.any_error
    assert findings.rendered({}) == ()


def test_paths_in_the_copy_are_told_as_the_sender_wrote_them() -> None:
    findings = Findings()
    findings.add("repair-null", ("name", 0))
    findings.paths_are_of_copy(lambda path: tuple(step + 1 if isinstance(step, int) else step for step in path))
    findings.add("fhir-format", ("name", 0))
    found = findings.rendered({"resourceType": "Patient", "name": [{}, {}]})
    assert [each.expression for each in found] == ["Patient.name[1]", "Patient.name[0]"]


def test_a_rule_nobody_wrote_is_a_programming_mistake() -> None:
    with pytest.raises(KeyError):
        Findings().add("no-such-rule", ())


def test_the_layer_of_the_first_error_says_why_a_message_is_refused() -> None:
    findings = Findings()
    assert findings.first_error_layer() is None
    findings.add("repair-null", ())
    assert findings.first_error_layer() is None
    findings.add("envelope-patient-missing", ())
    findings.add("fhir-format", ())
    assert findings.first_error_layer() == "envelope"
