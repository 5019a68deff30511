"""Organisation numbers, DUF numbers, and the registers that publish no check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.no import orgnr

from shared.identity.duf import DufFault, duf_fault
from shared.identity.organisation import OrganisationFault, OrganisationSeries, organisation_number
from shared.identity.registers import is_her_id, is_hpr_number, is_resh_id
from tests.unit.identity.numbers import organisation

SHAPES = ["", "31090000", "3109000011", "310 900 001", "31090000a", " 310900001", "３１０９００００１", "31090000²"]


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_python_stdnum_agrees_on_organisation_numbers(text: str) -> None:
    assert organisation_number(text).valid == orgnr.is_valid(text)


@given(st.integers(0, 9_999_990), st.sampled_from("2389"))
def test_python_stdnum_agrees_on_valid_organisation_numbers(seven: int, first: str) -> None:
    text = organisation(f"{seven:07}", first)
    assert organisation_number(text).valid
    assert orgnr.is_valid(text)


@pytest.mark.parametrize(
    ("first", "series"),
    [
        ("8", OrganisationSeries.REAL),
        ("9", OrganisationSeries.REAL),
        ("2", OrganisationSeries.SYNTHETIC),
        ("3", OrganisationSeries.SYNTHETIC),
        ("7", OrganisationSeries.NOT_ISSUED),
    ],
)
def test_the_first_digit_tells_real_organisations_from_synthetic_ones(first: str, series: OrganisationSeries) -> None:
    number = organisation_number(organisation("1090000", first))
    assert (number.series, number.reason) == (series, None)


def test_norsk_helsenetts_published_test_organisation_fails_its_check_digit() -> None:
    assert organisation_number("314159265").reason is OrganisationFault.CHECK_DIGIT


@pytest.mark.parametrize("text", SHAPES)
def test_only_nine_ascii_digits_are_looked_at(text: str) -> None:
    assert organisation_number(text).reason is OrganisationFault.SHAPE


# From open tests of a parser of such numbers: known to be good ones, of nobody.
@pytest.mark.parametrize("text", ["200205705502", "200900595509"])
def test_duf_numbers_known_as_good_are_taken(text: str) -> None:
    assert duf_fault(text) is None


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_ten_digits_have_one_pair_of_check_digits(ten: str) -> None:
    taken = [end for end in range(100) if duf_fault(f"{ten}{end:02}") is None]
    assert len(taken) == 1
    assert taken[0] <= 10


@pytest.mark.parametrize("text", ["", "20020570550", "2002057055020", "2002 05705502", "20020570550a", "²00205705502"])
def test_only_twelve_ascii_digits_are_a_duf_number(text: str) -> None:
    assert duf_fault(text) is DufFault.SHAPE


@pytest.mark.parametrize("text", ["1", "9144889", "565501872"])
def test_an_hpr_number_has_one_to_nine_digits(text: str) -> None:
    assert is_hpr_number(text)


@pytest.mark.parametrize("text", ["", "0123", "1234567890", "12 34", "-12", "１２３"])
def test_other_texts_are_no_hpr_number(text: str) -> None:
    assert not is_hpr_number(text)


@pytest.mark.parametrize("judge", [is_her_id, is_resh_id])
@pytest.mark.parametrize(("text", "fits"), [("80", True), ("8099991", True), (" 8099991", False), ("0", False)])
def test_ids_of_registers_are_positive_integers(judge: object, text: str, *, fits: bool) -> None:
    assert callable(judge)
    assert judge(text) is fits


@given(st.text())
def test_no_text_raises(text: str) -> None:
    organisation_number(text)
    duf_fault(text)
    is_hpr_number(text)
    is_her_id(text)
