"""Numbers and units as a note writes them."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.model import Language
from shared.journal.quantities import blood_pressure, compared, grams, number, quantity, unit_text, units_agree
from shared.journal.writing import NBSP


def spaced(text: str) -> str:
    return text.replace(NBSP, " ")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("6.30", "6,30"),
        ("-5", "–5"),
        ("1000", "1000"),
        ("72500", "72 500"),
        ("1234567.5", "1 234 567,5"),
        ("0", "0"),
        ("1E+2", "100"),
        ("-0.0", "–0,0"),
        ("0.001", "0,001"),
        ("1e40", "1 × 10^40"),
        ("2.5E-300", "2,5 × 10^-300"),
    ],
)
def test_a_number_keeps_its_precision_and_has_a_comma(written: str, shown: str) -> None:
    assert spaced(number(Decimal(written))) == shown


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4))
def test_a_number_can_be_read_back_exactly(value: Decimal) -> None:
    shown = number(value)
    assert Decimal(shown.replace(NBSP, "").replace(",", ".").replace("–", "-")) == value
    assert not re.search(r"[0-9]\.[0-9]", shown)


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers())
def test_any_number_is_written_in_few_characters(value: Decimal | int) -> None:
    assert 0 < len(number(value)) < 120


@pytest.mark.parametrize(
    ("unit", "code", "shown"),
    [
        ("mmHg", "mm[Hg]", "mmHg"),
        ("mmol/l", "mmol/L", "mmol/L"),
        ("Cel", "Cel", "°C"),
        ("grader", "Cel", "°C"),
        (None, "Cel", "°C"),
        ("kg", "g", "kg"),
        ("score", "{score}", ""),
        (None, "1", ""),
        ("skritt", "{steps}", "skritt"),
        (None, "ng/mL", "ng/mL"),
        (None, None, None),
        ("", None, None),
    ],
)
def test_a_unit_is_written_as_journals_do_or_as_sent(unit: str | None, code: str | None, shown: str | None) -> None:
    assert unit_text(unit, code) == shown


def test_units_contradict_each_other_only_when_both_are_known() -> None:
    assert not units_agree("kg", "g")
    assert not units_agree("mg/dL", "mmol/L")
    assert units_agree("mmol/l", "mmol/L")
    assert units_agree("slag/min", "/min")
    assert units_agree("stk", "kg")
    assert units_agree(None, "g")


def test_values_stand_before_their_unit() -> None:
    assert quantity(Decimal("37.2"), "°C") == f"37,2{NBSP}°C"
    assert quantity(3, "") == quantity(3, None) == "3"
    assert spaced(grams(72500)) == "72 500 g (72,5 kg)"
    assert spaced(grams(900)) == "900 g"
    assert spaced(blood_pressure(128, 81, "mmHg")) == "128/81 mmHg"


def test_comparators_are_words() -> None:
    assert compared("<", "35,0", Language.BOKMAL) == "under 35,0"
    assert compared(">=", "35,0", Language.BOKMAL) == "35,0 eller høyere"
    assert compared(">=", "35,0", Language.NYNORSK) == "35,0 eller høgare"
    assert compared("ad", "35,0", Language.NYNORSK) == "ad 35,0"
