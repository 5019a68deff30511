"""Tjenstlig behov: a service code of the EPJ fits a pattern as the municipality meant it, and in bounded time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.registry.partner import fits
from tests.unit.registry.samples import PARTNER

TEXTS = st.text(alphabet="a.1%", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "code", "fitting"),
    [
        ("%.2.3", "1.2.3", True),
        ("%.2.3", ".2.3", True),
        ("%.2.3", "1.2.34", False),
        ("%.2.3", "1.2.3.2.3", True),
        ("1.1", "1.1", True),
        ("1.1", "11", False),
        ("1.1", "1x1", False),
        ("a%b%c", "abc", True),
        ("a%b%c", "a-b-b-c", True),
        ("a%a", "a", False),
        ("%a%", "bab", True),
        ("%a%", "bbb", False),
        ("A", "a", False),
    ],
)
def test_a_code_fits_its_pattern(pattern: str, code: str, fitting: bool) -> None:
    assert fits(pattern, code) is fitting


@given(TEXTS, st.text(alphabet="a.1", max_size=12))
def test_fitting_is_what_a_regular_expression_would_say(pattern: str, code: str) -> None:
    expression = ".*".join(re.escape(part) for part in pattern.split("%"))
    assert fits(pattern, code) is (re.fullmatch(expression, code) is not None)


def test_need_is_met_by_one_service_of_one_code_and_by_nothing_less() -> None:
    assert PARTNER.met({"GPS"}, {"9.9", "7.2.3"})
    assert PARTNER.met({"GPS", "TA"}, {"1.1"})
    assert not PARTNER.met({"GPS"}, {"1.1"})
    assert not PARTNER.met({"GPS"}, set())
    assert not PARTNER.met(set(), {"1.1"})
    assert not PARTNER.met({"MD"}, {"1.1", "7.2.3"})
    assert not PARTNER.met({"gps"}, {"7.2.3"})
