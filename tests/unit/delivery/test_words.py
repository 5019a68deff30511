"""What a receiver says: codes of a closed list for everybody, its first words for those who may look."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.words import MOST, issues, words

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)
CODES = st.sampled_from(["structure", "duplicate", "conflict", "01880012345", "Kari", ""]) | JSON


def outcome(*found: Any) -> bytes:
    return json.dumps({"resourceType": "OperationOutcome", "issue": found}, ensure_ascii=False).encode()


def test_codes_are_those_of_the_issues_each_once_in_order() -> None:
    body = outcome({"code": "structure"}, {"code": "duplicate"}, {"code": "structure"}, {"code": "not-found"})
    assert issues(body) == ("structure", "duplicate", "not-found")


@given(st.lists(CODES, max_size=40))
def test_only_codes_that_fhir_knows_are_kept(codes: list[Any]) -> None:
    assert set(issues(outcome(*({"code": code} for code in codes)))) <= {"structure", "duplicate", "conflict"}


def test_words_are_those_of_the_issues() -> None:
    body = outcome(
        {"details": {"text": "Ukjent pasient"}, "diagnostics": "linje 3"}, {"details": {"text": "Ukjent pasient"}}, {}
    )
    assert words(body) == "Ukjent pasient · linje 3"


@pytest.mark.parametrize("body", [b"No such\npatient\x00", "Ingen pasient på Ås".encode(), b"<html>no</html>"])
def test_words_of_what_is_no_outcome_are_its_beginning(body: bytes) -> None:
    assert words(body) == body.decode().replace("\n", " ").replace("\x00", " ").strip()


@given(JSON | st.text().map(str))
def test_no_shape_of_an_outcome_is_too_much(value: Any) -> None:
    for body in (outcome(value), json.dumps(value).encode(), outcome({"details": value, "diagnostics": value})):
        assert len(words(body)) <= MOST
        assert issues(body) == ()


@given(st.binary(max_size=9000))
def test_no_bytes_are_too_much_and_what_comes_of_them_is_one_line(body: bytes) -> None:
    said = words(body)
    assert len(said) <= MOST
    assert said == "" or said.isprintable()


def test_a_body_nested_deeply_is_no_outcome() -> None:
    assert issues(b"[" * 60_000) == ()
    assert words(b"[" * 60_000) == "[" * MOST
