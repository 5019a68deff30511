"""Which texts are persons' numbers, of which kind and series, and by which of the two rules for check digits."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.no import fodselsnummer

from shared.identity.person import CheckRule, Fault, PersonKind, Series, person_number
from tests.unit.identity.numbers import help_number, issued, with_check_digits

MONTHS = {Series.ORDINARY: 0, Series.PLUS_40: 40, Series.PLUS_65: 65, Series.PLUS_80: 80}
nine_digits = st.from_regex(r"[0-9]{9}", fullmatch=True)
dates = st.dates().map(lambda each: (each.day, each.month, each.year % 100))


@pytest.mark.parametrize("series", MONTHS)
@pytest.mark.parametrize(("added_to_day", "kind"), [(0, PersonKind.FNR), (40, PersonKind.DNR)])
@pytest.mark.parametrize(
    ("first_rest", "rule"), [(0, CheckRule.OF_1964), *((each, CheckRule.OF_2032) for each in (1, 2, 3))]
)
def test_kind_series_and_rule_are_told_apart(
    series: Series, added_to_day: int, kind: PersonKind, first_rest: int, rule: CheckRule
) -> None:
    number = person_number(issued(5 + added_to_day, 3 + MONTHS[series], 44, first_rest))
    assert number.valid
    assert (number.kind, number.series, number.check_rule, number.reason) == (kind, series, rule, None)


# Skatteetaten's and Norsk helsenett's synthetic persons, known from their public test data.
@pytest.mark.parametrize(
    ("text", "kind", "series", "rule"),
    [
        ("02850097219", PersonKind.FNR, Series.PLUS_80, CheckRule.OF_1964),
        ("11845599620", PersonKind.FNR, Series.PLUS_80, CheckRule.OF_1964),
        ("13717404089", PersonKind.FNR, Series.PLUS_65, CheckRule.OF_1964),
        ("57912075186", PersonKind.DNR, Series.PLUS_80, CheckRule.OF_1964),
        ("46879700922", PersonKind.DNR, Series.PLUS_80, CheckRule.OF_1964),
        ("05834410089", PersonKind.FNR, Series.PLUS_80, CheckRule.OF_2032),
        ("05834410097", PersonKind.FNR, Series.PLUS_80, CheckRule.OF_2032),
    ],
)
def test_published_synthetic_numbers_are_known(text: str, kind: PersonKind, series: Series, rule: CheckRule) -> None:
    number = person_number(text)
    assert (number.kind, number.series, number.check_rule, number.reason) == (kind, series, rule, None)


def test_a_first_digit_of_8_or_9_is_a_common_help_number_without_a_date() -> None:
    number = person_number(help_number())
    assert (number.kind, number.series, number.valid) == (PersonKind.FHN, Series.UNKNOWN, True)


@given(st.integers(800_000_000, 999_999_999), st.integers(1, 3))
def test_a_common_help_number_never_follows_the_rule_of_2032(nine: int, first_rest: int) -> None:
    text = with_check_digits(str(nine), first_rest)
    if text is not None:
        assert person_number(text).reason is Fault.CHECK_DIGITS


@given(dates, st.sampled_from([0, 40]), st.sampled_from(list(MONTHS.values())), st.integers(4, 10))
def test_a_first_sum_that_leaves_more_than_3_is_refused(
    date: tuple[int, int, int], added_to_day: int, added_to_month: int, first_rest: int
) -> None:
    text = with_check_digits(f"{date[0] + added_to_day:02}{date[1] + added_to_month:02}{date[2]:02}123", first_rest)
    if text is not None:
        assert person_number(text).reason is Fault.CHECK_DIGITS


@given(nine_digits, st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_never_taken_under_the_rule_of_1964(nine: str, at: int, more: int) -> None:
    text = with_check_digits(nine)
    if text is not None:
        wrong = text[:at] + str((int(text[at]) + more) % 10) + text[at + 1 :]
        assert person_number(wrong).check_rule is not CheckRule.OF_1964


@pytest.mark.parametrize(
    "date",
    ["000144", "320144", "300244", "310444", "011344", "010044", "290243", "290201", "720144", "019344"],
)
def test_a_date_that_does_not_exist_is_refused(date: str) -> None:
    number = person_number(f"{date}12345")
    assert (number.reason, number.series, number.valid) == (Fault.DATE, None, False)


@pytest.mark.parametrize("year", [0, 4, 44, 96])
def test_a_leap_day_is_taken_in_years_that_end_as_leap_years_do(year: int) -> None:
    assert person_number(issued(29, 2 + 80, year)).valid


@pytest.mark.parametrize(
    "text",
    ["", "0583441007", "058344100700", "058344 10070", "058344-10070", " 05834410070", "05834410070\n", "0583441007a",
     "０５８３４４１００７０", "٠٥٨٣٤٤١٠٠٧٠", "0583441007²"],
)  # fmt: skip
def test_only_eleven_ascii_digits_are_looked_at(text: str) -> None:
    number = person_number(text)
    assert (number.kind, number.series, number.reason) == (None, None, Fault.SHAPE)


@given(st.text() | st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_no_text_raises_and_none_is_kept(text: str) -> None:
    number = person_number(text)
    assert number.valid == (number.reason is None) == (number.check_rule is not None)
    # Neither the number nor a birth date or a sex read from it.
    assert set(vars(type(number))["__slots__"]) == {"kind", "series", "check_rule", "reason"}
    if len(text) > 2 and text.isdecimal():
        assert text not in repr(number)
    with pytest.raises(dataclasses.FrozenInstanceError):
        number.reason = None  # type: ignore[misc]  # that it cannot be set is what is asked


@given(nine_digits | dates.map(lambda each: f"{each[0]:02}{each[1]:02}{each[2]:02}500"), st.integers(0, 999))
def test_python_stdnum_agrees_on_ordinary_numbers_under_the_rule_of_1964(nine: str, individual: int) -> None:
    """It derives a century and refuses those not born yet; those are left out, as we ask neither."""
    text = with_check_digits(f"{nine[:6]}{individual:03}")
    if text is None:
        return
    ours = person_number(text)
    if ours.series in (Series.PLUS_65, Series.PLUS_80) or ours.kind is PersonKind.FHN:
        # It knows no synthetic series, and no common help number.
        assert not fodselsnummer.is_valid(text)
    elif fodselsnummer.is_valid(text):
        assert ours.check_rule is CheckRule.OF_1964
    elif ours.valid:
        with pytest.raises(fodselsnummer.InvalidComponent):
            fodselsnummer.validate(text)
        no_century = individual >= 500 and int(text[4:6]) >= 40
        not_born = individual >= 500 and int(text[4:6]) < 40
        assert no_century or not_born or text[4:6] == "00"
