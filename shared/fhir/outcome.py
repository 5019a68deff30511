"""Answers as FHIR OperationOutcome, for a refusal and for an accepted message.

NHN's sample client shows `details.text` after a write and `diagnostics` after a read (domain/vkp-api.md 2.4), so every
issue fills both, and each alone is enough to act on. `details.coding` holds VKP's published code with its Norwegian
display, then this hub's own code, then the key of the rule. `expression` is a FHIRPath into the message as sent, or
`http.` and the part of the call, as R4 has it for errors outside the resource.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from shared.errors import Finding, HubError

HUB_CODES = "https://knutepunkt.no/fhir/CodeSystem/hub-code"
RULES = "https://knutepunkt.no/fhir/CodeSystem/rule"
"""The rules messages are judged by: docs/rules.md has a chapter on each."""
ACCEPTED = "HUB_ACCEPTED"
_WHOLE_CALL = "http.request"
_VKP_FILE = Path(__file__).parent / "data" / "vkp_operation_outcome.json"

type Outcome = dict[str, Any]


def operation_outcome(error: HubError) -> Outcome:
    """The answer to a refused call: an issue for each finding, or one for the error itself when it has none."""
    advice = error.advice()
    issues = [_issue(finding, error.code, advice) for finding in error.findings]
    return _outcome(issues or [_issue(_as_finding(error), error.code, advice)])


def accepted_outcome(message_id: str, warnings: tuple[Finding, ...] = ()) -> Outcome:
    """The answer to an accepted message: its id, then what should be mended in the next one."""
    advice = "The message is kept and will be delivered; the header Location says where to ask for its state."
    text = f"Accepted. The message's id is {message_id}."
    accepted = {
        "severity": "information",
        "code": "informational",
        "details": {"coding": [_hub_coding(ACCEPTED)], "text": text},
        "diagnostics": f"{text} {advice}",
        "expression": [_WHOLE_CALL],
    }
    mend = "The message was accepted; mend this in the next one."
    return _outcome([accepted, *(_issue(finding, ACCEPTED, mend) for finding in warnings)])


def to_bytes(outcome: Outcome) -> bytes:
    """The body of the answer: JSON in UTF-8, to be sent as application/fhir+json."""
    return json.dumps(outcome, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def vkp_codes() -> tuple[str, dict[str, str]]:
    """VKP's code system for outcomes: its URL, and the Norwegian display of each code (domain/vkp-api.md 2.4)."""
    published = json.loads(_VKP_FILE.read_text(encoding="utf-8"))
    return published["system"], published["codes"]


def _outcome(issues: list[dict[str, Any]]) -> Outcome:
    return {"resourceType": "OperationOutcome", "issue": issues}


def _as_finding(error: HubError) -> Finding:
    where = error.expression or _WHOLE_CALL
    return Finding(error.code, error.text(), where, "error", error.issue_type, error.vkp_code)


def _issue(finding: Finding, hub_code: str, advice: str) -> dict[str, Any]:
    system, displays = vkp_codes()
    vkp = {"system": system, "code": finding.vkp_code, "display": displays[finding.vkp_code]}
    coding = [vkp, _hub_coding(hub_code)]
    rule = ""
    if finding.rule != hub_code:
        coding.append({"system": RULES, "code": finding.rule})
        rule = f" ({finding.rule})"
    return {
        "severity": finding.severity,
        "code": finding.issue_type,
        "details": {"coding": coding, "text": finding.text},
        "diagnostics": f"{finding.text}{rule} {finding.mend or advice}".strip(),
        "expression": [finding.expression],
    }


def _hub_coding(code: str) -> dict[str, str]:
    return {"system": HUB_CODES, "code": code}
