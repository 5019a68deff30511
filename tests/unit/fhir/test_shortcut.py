"""Most messages need no mending, and are not walked for it: nobody can tell the difference."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given

from shared.errors import HubError
from shared.fhir import reading
from shared.fhir.reading import judge
from tests.unit.fhir.messages import body, observation
from tests.unit.fhir.strategies import examples, fhir_like, mutated_examples


def told(sent: bytes) -> Any:
    """All that judging these bytes comes to."""
    try:
        found = judge(sent)
    except HubError as error:
        return error.code, error.findings
    return found.findings, found.message, type(found.refusal), found.envelope.patient, found.envelope.bundle_type


def told_the_long_way(sent: bytes) -> Any:
    with patch.object(reading, "_is_sound", lambda *_: False):
        return told(sent)


@pytest.mark.parametrize("sent", examples())
def test_an_example_is_judged_the_same_with_and_without_the_short_cut(sent: bytes) -> None:
    assert told(sent) == told_the_long_way(sent)


@given(mutated_examples())
def test_an_altered_example_is_judged_the_same_with_and_without_the_short_cut(message: Any) -> None:
    sent = json.dumps(message).encode()
    assert told(sent) == told_the_long_way(sent)
    unescaped = json.dumps(message, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
    assert told(unescaped) == told_the_long_way(unescaped)


@given(fhir_like())
def test_anything_is_judged_the_same_with_and_without_the_short_cut(message: Any) -> None:
    sent = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert told(sent) == told_the_long_way(sent)


@pytest.mark.parametrize(
    "value", [" 1", "1 ", "\t1", "1\n", "\u00a01", "1\u2003", " ,1", "1: ", '" "', "\\ ", "1\\ ", "\u3000", "å "]
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_blanks_around_an_identifier_are_never_passed_by(value: str, ascii_only: bool) -> None:
    message = observation(identifier=[{"system": "urn:a", "value": value}])
    sent = json.dumps(message, ensure_ascii=ascii_only).encode()
    rules = {each.rule for each in judge(sent).findings}
    expected = {"repair-trimmed"} if value.strip() not in ("", value) else set()
    assert expected <= rules
    assert told(sent) == told_the_long_way(sent)


def test_a_sound_message_takes_the_short_cut() -> None:
    sent = body(observation(identifier=[{"system": "urn:a", "value": "1"}]))
    with patch.object(reading, "repair", side_effect=AssertionError("was walked for repairs")):
        judge(sent)
