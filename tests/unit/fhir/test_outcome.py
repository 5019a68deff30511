"""Every answer is an OperationOutcome that a caller can act on whichever part it reads."""

import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from shared import errors
from shared.api.refusals import kinds
from shared.errors import Finding, HubError, NotFhir, ScopeMissing
from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.outcome import HUB_CODES, RULES, accepted_outcome, operation_outcome, to_bytes, vkp_codes
from shared.fhir.r4.checker import check_r4
from shared.fhir.repairing.repair import repair

VKP = "http://ehelse.no/fhir/CodeSystem/vkp-operation-outcome-v090"
ISSUE_TYPES = {
    # http://hl7.org/fhir/R4/valueset-issue-type.html
    *("invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden"),
    *("suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long"),
    *("code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store"),
    *("exception", "timeout", "incomplete", "throttled", "informational"),
}


def all_errors() -> tuple[type[HubError], ...]:
    return (HubError, *kinds())


def assert_complete(outcome: dict[str, Any]) -> None:
    get_fhir_model_class("OperationOutcome").model_validate_json(to_bytes(outcome))
    findings = Findings()
    sent = parse(to_bytes(outcome), findings)
    check_r4(repair(sent, findings).message, findings)
    assert findings.rendered(sent) == ()
    for issue in outcome["issue"]:
        assert issue["severity"] in ("fatal", "error", "warning", "information")
        assert issue["code"] in ISSUE_TYPES
        assert issue["details"]["coding"]
        assert issue["details"]["text"]
        assert issue["details"]["text"] in issue["diagnostics"]
        assert all(issue["expression"])


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: kind.__name__)
def test_every_refusal_the_hub_can_give_is_a_complete_outcome(kind: type[HubError]) -> None:
    outcome = operation_outcome(kind())
    assert_complete(outcome)
    (issue,) = outcome["issue"]
    vkp, hub = issue["details"]["coding"]
    assert vkp == {"system": VKP, "code": kind.vkp_code, "display": vkp_codes()[1][kind.vkp_code]}
    assert hub == {"system": HUB_CODES, "code": kind.code}
    assert issue["diagnostics"].endswith(kind.advice())


def test_each_finding_is_an_issue_of_its_own() -> None:
    findings = (
        Finding("a-rule", "First.", "Bundle.entry[0]"),
        Finding("b-rule", "Second.", "Bundle.type", "warning", "value", "2.4"),
    )
    outcome = operation_outcome(NotFhir(findings))
    assert_complete(outcome)
    assert [(each["severity"], each["code"], each["expression"]) for each in outcome["issue"]] == [
        ("error", "invalid", ["Bundle.entry[0]"]),
        ("warning", "value", ["Bundle.type"]),
    ]
    assert [each["details"]["coding"][0]["code"] for each in outcome["issue"]] == ["2", "2.4"]
    assert {each["details"]["coding"][1]["code"] for each in outcome["issue"]} == {"SEND_NOT_FHIR"}
    assert [each["details"]["coding"][2] for each in outcome["issue"]] == [
        {"system": RULES, "code": "a-rule"},
        {"system": RULES, "code": "b-rule"},
    ]
    assert "a-rule" in outcome["issue"][0]["diagnostics"]


def test_how_to_mend_a_finding_stands_in_its_diagnostics() -> None:
    outcome = operation_outcome(NotFhir((Finding("a", "Wrong.", "Bundle", mend="Do this."),)))
    assert outcome["issue"][0]["diagnostics"] == "Wrong. (a) Do this."


def test_an_error_of_the_call_points_at_the_part_of_the_call() -> None:
    assert operation_outcome(ScopeMissing())["issue"][0]["expression"] == ["http.authorization"]


def test_an_accepted_message_is_told_its_id_and_what_to_mend() -> None:
    warning = Finding("repair-null", "Mend this.", "Bundle.id", "warning")
    outcome = accepted_outcome("4711", (warning,))
    assert_complete(outcome)
    accepted, mend = outcome["issue"]
    assert (accepted["severity"], accepted["code"]) == ("information", "informational")
    assert "4711" in accepted["details"]["text"]
    assert (mend["severity"], mend["details"]["text"]) == ("warning", "Mend this.")


def test_norwegian_letters_are_sent_as_utf_8() -> None:
    finding = Finding("a", "Blåbær.", "Bundle", vkp_code="1.3")
    sent = to_bytes(operation_outcome(NotFhir((finding,))))
    assert "Blåbær" in sent.decode()
    assert "ikke oppfylt tjenstlig behov" in sent.decode()
    assert json.loads(sent)["resourceType"] == "OperationOutcome"


def test_vkps_codes_are_those_published() -> None:
    system, codes = vkp_codes()
    assert system == VKP
    assert list(codes) == ["1", "1.1", "1.2", "1.3", "1.4", "1.5", "2", "2.1", "2.2", "2.3", "2.4", "3", "3.1"]


def test_every_module_of_errors_keeps_to_fhirs_issue_types() -> None:
    assert {kind.issue_type for kind in all_errors()} <= ISSUE_TYPES
    assert errors.HubError in set(all_errors())
