"""What three checks say about the same bytes: ours, `fhirkit-rs`, and the R4B models of `fhir.resources`.

An opinion is the faults that a check tells; there are none when it takes the message.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import fhirkit
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from shared.errors import EmptyBody, Finding, HubError, NotJson
from shared.fhir.findings import Findings
from shared.fhir.json_text import check_size, parse
from shared.fhir.r4.checker import check_r4
from shared.fhir.reading import judge

_OF_TYPE: Final = re.compile(r"(?:not a valid|The type) (\w+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that one check finds wrong."""

    says: str
    """For ours the rule, with the primitive type it is about; for the others their own words."""
    at: tuple[str | int, ...] = ()
    """The members and indices that lead there; empty where only words tell."""
    value: Any = None
    """What is there."""


type Opinion = tuple[Fault, ...]


def of_our_base(sent: bytes) -> Opinion:
    """Errors of the JSON layer and of base R4; nothing is repaired first."""
    noted = Findings()
    try:
        check_size(sent)
        message = parse(sent, noted)
    except EmptyBody:
        return (Fault("json-nothing"),)
    except NotJson as refusal:
        return _errors(refusal.findings, sent)
    check_r4(message, noted)
    return _errors(noted.rendered(message), message)


def of_our_judge(sent: bytes) -> tuple[Opinion, frozenset[str]]:
    """Errors of all layers, on the repaired copy, and the rules that only warn."""
    try:
        judgement = judge(sent)
    except EmptyBody:
        return (Fault("json-nothing"),), frozenset()
    except NotJson as refusal:
        return _errors(refusal.findings, sent), frozenset()
    warned = frozenset(each.rule for each in judgement.findings if each.severity != "error")
    refusal_or_none: HubError | None = judgement.refusal
    errors = _errors(judgement.findings, json.loads(sent.removeprefix(b"\xef\xbb\xbf")))
    assert bool(errors) == (refusal_or_none is not None)
    return errors, warned


def _errors(findings: Sequence[Finding], message: Any) -> Opinion:
    return tuple(
        Fault(_rule(each), each.path, _at(message, each.path)) for each in findings if each.severity == "error"
    )


def _rule(finding: Finding) -> str:
    about = _OF_TYPE.search(finding.text) if finding.rule in ("fhir-format", "fhir-json-type", "fhir-range") else None
    return finding.rule if about is None else f"{finding.rule} {about[1]}"


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def of_fhirkit(sent: bytes) -> Opinion:
    """Errors of fhirkit-rs, which knows R4 4.0.1."""
    try:
        issues = fhirkit.validate(sent)
    except fhirkit.ParseError as error:
        return (Fault(str(error)),)
    return tuple(Fault(each.message) for each in issues if each.severity == "error")


def of_fhir_resources(sent: bytes) -> Opinion:
    """Errors of fhir.resources, which has no R4; its R4B is nearly the same."""
    try:
        claimed = json.loads(sent)["resourceType"]
        get_fhir_model_class(claimed).model_validate_json(sent)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False)
        return tuple(Fault(f"{each['type']}: {each['msg']}", each["loc"], each["input"]) for each in told)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Beside its own errors it lets out Python's: a KeyError for a type it has not, for one.
        return (Fault(f"{type(error).__name__}: {error}"),)
    return ()
