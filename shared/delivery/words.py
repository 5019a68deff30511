"""What a receiver says with its answer, as far as it is kept: codes of a closed list, and its first words."""

import json
from collections.abc import Iterator
from typing import Any, Final

MOST: Final = 2000
"""Characters."""
_MOST_ISSUES: Final = 20
_ISSUE_TYPES: Final = frozenset({
    "business-rule", "code-invalid", "conflict", "deleted", "duplicate", "exception", "expired", "extension",
    "forbidden", "incomplete", "informational", "invalid", "invariant", "lock-error", "login", "multiple-matches",
    "no-store", "not-found", "not-supported", "processing", "required", "security", "structure", "suppressed",
    "throttled", "timeout", "too-costly", "too-long", "transient", "unknown", "value",
})  # fmt: skip
"""FHIR R4's http://hl7.org/fhir/issue-type, all of it."""


def issues(body: bytes) -> tuple[str, ...]:
    """The codes of an OperationOutcome's issues, each once, in order; nothing when it is none.

    Only codes that FHIR knows: they can be kept and shown anywhere, whatever a receiver writes.
    """
    found = dict.fromkeys(code for issue in _issues(body) if isinstance(code := issue.get("code"), str))
    return tuple(code for code in found if code in _ISSUE_TYPES)[:_MOST_ISSUES]


def words(body: bytes) -> str:
    """What a person should read: the texts of an OperationOutcome, else the body itself. Cut short, printable."""
    said = [text for issue in _issues(body) for text in _texts(issue)]
    text = " · ".join(dict.fromkeys(said)) if said else body[: 4 * MOST].decode("utf-8", "replace")
    return "".join(each if each.isprintable() else " " for each in text[:MOST]).strip()


def _issues(body: bytes) -> Iterator[dict[str, Any]]:
    try:
        outcome = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(outcome, dict) and outcome.get("resourceType") == "OperationOutcome":
        found = outcome.get("issue")
        yield from (each for each in found if isinstance(each, dict)) if isinstance(found, list) else ()


def _texts(issue: dict[str, Any]) -> Iterator[str]:
    details = issue.get("details")
    for text in (details.get("text") if isinstance(details, dict) else None, issue.get("diagnostics")):
        if isinstance(text, str) and text.strip():
            yield text.strip()
