"""Primitive values: R4's own expressions, its calendar, its ranges."""

import base64
import re
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.fhir.r4.definitions import definitions
from shared.fhir.r4.primitives import PRIMITIVES, base64_length, is_no_such_date

# As the definitions of the primitive types in R4 4.0.1 have them.
_YEAR = "([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?"
_ZONE = "(Z|(\\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
PUBLISHED: Final = {
    "base64Binary": "(\\s*([0-9a-zA-Z\\+\\/=]){4}\\s*)+",
    "canonical": "\\S*",
    "code": "[^\\s]+(\\s[^\\s]+)*",
    "date": f"{_YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1]))?)?",
    "dateTime": f"{_YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])(T{_TIME}{_ZONE})?)?)?",
    "id": "[A-Za-z0-9\\-\\.]{1,64}",
    "instant": f"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[1-2][0-9]|3[0-1])T{_TIME}{_ZONE}",
    "markdown": "[ \\r\\n\\t\\S]+",
    "oid": "urn:oid:[0-2](\\.(0|[1-9][0-9]*))+",
    "string": "[ \\r\\n\\t\\S]+",
    "time": _TIME,
    "uri": "\\S*",
    "url": "\\S*",
    "uuid": "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
}
TRICKY: Final = [
    *("", " ", "\n", "a", " a", "a ", "a b", "a  b", "a\tb", "a\n", "\u00a0", "a\u00a0b", "\x00", "\u2028", "å"),
    *("2026", "0000", "0001", "2026-1", "2026-13", "2026-02-29", "2024-02-29", "2026-01-15T08:00:00", "20260115"),
    *("2026-01-15T08:00:00Z", "2026-01-15T08:00:00.1234567+01:00", "2026-01-15T24:00:00Z", "2026-01-15T08:00Z"),
    *("2026-01-15T08:00:60Z", "2026-01-15T08:00:00+14:00", "2026-01-15T08:00:00+14:30", "2026-01-15 08:00:00Z"),
    *("08:00:00", "08:00", "24:00:00", "QUJD", "QU JD", "QUJ", "QQ==", "=QQ=", "urn:oid:1.2.3", "urn:oid:3.1"),
    *("urn:uuid:c757873d-ec9a-1326-a141-556f43239520", "urn:uuid:C757873D-EC9A-1326-A141-556F43239520", "x" * 65),
    "٣",
]


def test_every_primitive_type_that_elements_have_is_known() -> None:
    used = {name for row in definitions()["types"].values() for each in row["elements"] for name in each["types"]}
    assert {name for name in used if name[0].islower()} <= set(PRIMITIVES)


@pytest.mark.parametrize("type_name", sorted(PUBLISHED))
@given(written=st.sampled_from(TRICKY) | st.text(max_size=8))
@settings(max_examples=60, deadline=None)
def test_nothing_passes_that_r4s_own_expression_refuses(type_name: str, written: str) -> None:
    if PRIMITIVES[type_name].valid(written):
        assert re.fullmatch(PUBLISHED[type_name], written, re.ASCII)


@pytest.mark.parametrize("type_name", ["code", "id", "oid", "time", "uri", "uuid"])
def test_what_r4s_expression_allows_passes(type_name: str) -> None:
    written = st.from_regex(re.compile(PUBLISHED[type_name], re.ASCII), fullmatch=True)

    @given(written)
    @settings(max_examples=30, deadline=None)
    def passes(written: str) -> None:
        assert PRIMITIVES[type_name].valid(written) or written == ""

    passes()


@given(st.dates(), st.times(), st.integers(-14 * 60, 14 * 60), st.integers(0, 9))
def test_every_day_of_the_calendar_passes(day: date, time: Any, offset: int, digits: int) -> None:
    zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    fraction = "." + "1" * digits if digits else ""
    moment = f"{day.isoformat()}T{time.replace(microsecond=0).isoformat()}{fraction}{zone}"
    assert PRIMITIVES["date"].valid(day.isoformat())
    assert PRIMITIVES["dateTime"].valid(moment)
    assert PRIMITIVES["instant"].valid(moment)


@pytest.mark.parametrize("written", ["2026-02-29", "2026-04-31", "1900-02-29", "2026-02-30"])
def test_days_that_no_calendar_has_are_told_apart(written: str) -> None:
    assert not PRIMITIVES["date"].valid(written)
    assert is_no_such_date("date", written)
    assert is_no_such_date("dateTime", written)
    assert not is_no_such_date("string", written)


@pytest.mark.parametrize(
    ("type_name", "good", "bad"),
    [
        ("boolean", [True, False], [0, 1, "true", None, Decimal(1)]),
        ("integer", [0, -(2**31), 2**31 - 1], [2**31, -(2**31) - 1, True, Decimal("1.0"), "1", 1.0]),
        ("unsignedInt", [0, 2**31 - 1], [-1, 2**31, False]),
        ("positiveInt", [1, 2**31 - 1], [0, True]),
        ("decimal", [0, 1, Decimal("36.50"), Decimal("1E-5")], [True, "1", None, 1.5]),
        ("string", ["a", " a", "a\r\n\tb", "\u00a0"], ["", " ", "\t\n", "a\x00", 1, [], None]),
        ("uri", ["a", "Skyresponse:x", "urn:oid:1", "\u00a0"], ["", "a b", " a", "a\n", 1]),
        ("base64Binary", ["QUJD", "QUJD\n QUJD\n", "QQ=="], ["QU JD", "", "QUJ", "QQ=", "Q===", "Q Q", "å", " ", 1]),
    ],
)
def test_a_value_is_of_its_type_or_not(type_name: str, good: list[Any], bad: list[Any]) -> None:
    primitive = PRIMITIVES[type_name]
    assert all(primitive.valid(each) for each in good)
    assert not any(primitive.valid(each) for each in bad)


@given(st.binary(min_size=1))
def test_the_length_of_base64_is_that_of_the_bytes(content: bytes) -> None:
    assert base64_length(base64.b64encode(content).decode()) == len(content)


@given(
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())
)
def test_any_json_value_is_judged(value: Any) -> None:
    for primitive in PRIMITIVES.values():
        if primitive.valid(value):
            assert primitive.of_json_type(value)
