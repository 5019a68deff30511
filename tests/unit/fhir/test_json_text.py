"""Bytes become JSON that can be read in one way only, or a refusal that says where."""

import json
from decimal import Decimal

import pytest

from shared.errors import EmptyBody, Finding, NotJson, TooLarge
from shared.fhir.findings import Findings
from shared.fhir.json_text import MAX_BYTES, MAX_DEPTH, check_size, parse
from shared.fhir.values import JsonObject


def read(body: bytes) -> JsonObject:
    findings = Findings()
    message = parse(body, findings)
    assert findings.rendered(message) == ()
    return message


def refusals(body: bytes) -> tuple[Finding, ...]:
    with pytest.raises(NotJson) as caught:
        parse(body, Findings())
    return caught.value.findings


def refused(body: bytes) -> list[tuple[str, str]]:
    return [(finding.rule, finding.expression) for finding in refusals(body)]


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_decimals_are_kept_as_written() -> None:
    message = read(b'{"a": 6.30, "b": 0.10000000000000000001, "c": 1.0E2, "d": -7}')
    assert [str(each) for each in message.values()] == ["6.30", "0.10000000000000000001", "1.0E+2", "-7"]
    assert isinstance(message["a"], Decimal)


def test_a_byte_order_mark_is_taken_with_a_warning() -> None:
    findings = Findings()
    message = parse(b'\xef\xbb\xbf{"resourceType": "Bundle"}', findings)
    assert message == {"resourceType": "Bundle"}
    assert [(each.rule, each.severity) for each in findings.rendered(message)] == [("json-byte-order-mark", "warning")]


def test_text_that_is_not_utf_8_is_refused() -> None:
    assert refused('{"a": "å"}'.encode("latin-1")) == [("json-not-utf-8", "Resource")]
    assert refused('{"a": 1}'.encode("utf-16")) == [("json-not-utf-8", "Resource")]
    assert refused(b'{"a": "\xed\xa0\x80"}') == [("json-not-utf-8", "Resource")]


def test_a_member_name_used_twice_is_refused_where_it_is() -> None:
    body = b'{"resourceType": "Patient", "name": [{"family": "A", "given": ["B"], "family": "C"}]}'
    assert refused(body) == [("json-duplicate-key", "Patient.name[0].family")]


def test_a_doubled_name_that_is_no_element_is_not_repeated_to_the_sender() -> None:
    assert refused(b'{"resourceType": "Patient", "kari05834410070": 1, "kari05834410070": 2}') == [
        ("json-duplicate-key", "Patient")
    ]


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused(written: str) -> None:
    body = f'{{"resourceType": "Observation", "valueQuantity": {{"value": {written}}}}}'
    assert refused(body.encode()) == [("json-not-a-number", "Observation.value.ofType(Quantity).value")]


@pytest.mark.parametrize("written", ["1e999", "-1e999", "1e-999", "1" * 5000, "0." + "1" * 5000, "1e" + "9" * 50])
def test_numbers_beyond_a_double_or_64_characters_are_refused(written: str) -> None:
    body = f'{{"resourceType": "Observation", "valueInteger": {written}}}'
    assert refused(body.encode()) == [("json-number-range", "Observation.value.ofType(integer)")]


@pytest.mark.parametrize("written", ["0", "-0", "0.000", "0e999", "1e308", "1e-300", "9" * 64])
def test_other_numbers_are_taken(written: str) -> None:
    assert read(f'{{"a": {written}}}'.encode())["a"] == Decimal(written)


def test_half_a_surrogate_pair_is_refused_and_a_whole_one_taken() -> None:
    assert read(rb'{"a": "\ud83d\ude00"}') == {"a": "\U0001f600"}
    assert refused(rb'{"resourceType": "Patient", "language": "\uD83D"}') == [
        ("json-lone-surrogate", "Patient.language")
    ]
    assert refused(rb'{"\udc00": 1}') == [("json-lone-surrogate", "Resource")]


def test_depth_is_capped_whatever_the_strings_hold() -> None:
    assert read(nested(MAX_DEPTH))
    assert refused(nested(MAX_DEPTH + 1)) == [("json-too-deep", "Resource")]
    brackets = json.dumps({"a": "[" * 500, "b": '"[\\"{' * 300, "c": ["{"] * 300})
    assert read(brackets.encode())["a"] == "[" * 500


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MAX_BYTES,
        b'{"a":' * (MAX_BYTES // 5),
        b"[]" * (MAX_BYTES // 2),
        b'"' + b"\\" * (MAX_BYTES - 1),
        b'\\"' * (MAX_BYTES // 2),
        b"1" * MAX_BYTES,
        b"{" + b'"a":1,' * (MAX_BYTES // 6 - 1) + b'"b":1}',
        b'{"a":[' + b"NaN," * (MAX_BYTES // 4 - 3) + b"1]}",
    ],
    ids=["arrays", "objects", "flat", "backslashes", "quotes", "digits", "doubled", "nan"],
)
def test_a_mebibyte_of_malice_is_refused_as_any_other_fault(body: bytes) -> None:
    assert refused(body)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"a"', b"1", b"NaN"])
def test_the_top_must_be_an_object(body: bytes) -> None:
    assert len(refused(body)) == 1


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"{'a': 1}", b'{"a": 01}', b'{"a": "\n"}', b'{"a": 1} x', b"{,}"])
def test_what_is_not_json_is_refused_with_line_and_column(body: bytes) -> None:
    (finding,) = refusals(body)
    assert finding.rule == "json-syntax"
    assert "line" in finding.text


def test_size_is_checked_to_the_byte() -> None:
    check_size(b"x" * MAX_BYTES)
    with pytest.raises(TooLarge):
        check_size(b"x" * (MAX_BYTES + 1))
    with pytest.raises(EmptyBody):
        check_size(b"")
