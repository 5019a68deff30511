"""Every refusal has a code of its own, words for people, and a place in FHIR's and VKP's code lists."""

import ast
import re
from pathlib import Path

import pytest

from shared.api import reasons, refusals
from shared.errors import Finding, HubError
from shared.fhir.outcome import vkp_codes

ROOT = Path(__file__).resolve().parents[2]

# http://hl7.org/fhir/R4/codesystem-issue-type.html
ISSUE_TYPES = frozenset({
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden",
    "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
    "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store",
    "exception", "timeout", "incomplete", "throttled", "informational",
})  # fmt: skip
STATUSES = {"SEND": range(400, 500), "HUB": range(500, 600), "REC": range(500, 600)}
CODE = re.compile(r"(?:SEND|HUB|REC)_[A-Z]+(?:_[A-Z]+)*")

KINDS = refusals.kinds()
WITH_BASE: tuple[type[HubError], ...] = (HubError, *KINDS)
each_kind = pytest.mark.parametrize("kind", WITH_BASE, ids=lambda kind: kind.__name__)


def below(kind: type[HubError]) -> set[type[HubError]]:
    return {found for each in kind.__subclasses__() for found in (each, *below(each))}


def test_there_are_refusals_of_the_sender_and_of_the_hub() -> None:
    assert {kind.code.partition("_")[0] for kind in KINDS} >= {"SEND", "HUB"}


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in WITH_BASE]
    assert len(set(codes)) == len(codes)


@each_kind
def test_a_code_says_whose_fault_it_is_and_the_status_agrees(kind: type[HubError]) -> None:
    assert CODE.fullmatch(kind.code)
    assert kind.status in STATUSES[kind.code.partition("_")[0]]


@each_kind
def test_a_refusal_has_a_text_and_advice(kind: type[HubError]) -> None:
    for words in (kind.text(), kind.advice()):
        assert words.endswith(".")
        assert "\n" not in words
        assert words.isascii()


def test_texts_tell_refusals_apart() -> None:
    assert len({kind.text() for kind in KINDS}) == len(KINDS)


@each_kind
def test_a_refusal_has_an_issue_type_of_fhirs_and_a_code_of_vkps(kind: type[HubError]) -> None:
    assert kind.issue_type in ISSUE_TYPES
    assert kind.vkp_code in vkp_codes()[1]


@each_kind
def test_a_refusal_as_text_is_its_own_words_and_nothing_of_its_findings(kind: type[HubError]) -> None:
    error = kind((Finding("rule", "canary-text", "canary-expression"),))
    assert str(error) == kind.text()
    assert "canary" not in str(error)


def test_a_kind_defined_elsewhere_has_a_code_that_is_documented() -> None:
    documented = {kind.code for kind in refusals.kinds()}
    for kind in below(HubError):
        assert kind.code in documented or kind.__module__.startswith("tests."), kind


def test_every_code_in_the_source_is_documented() -> None:
    known = {kind.code for kind in WITH_BASE} | {reason.code for reason in reasons.REASONS}
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                assert node.value in known, f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"


def test_reasons_are_told_apart_from_refusals() -> None:
    codes = [reason.code for reason in reasons.REASONS]
    assert len(set(codes)) == len(codes)
    assert {kind.code for kind in KINDS}.isdisjoint(codes)
