"""Dates, clock times and spans as a note writes them."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal import writing
from shared.journal.model import Language
from shared.journal.writing import NBSP
from tests.data import REPOSITORY

NB, NN = Language.BOKMAL, Language.NYNORSK


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def spaced(text: str) -> str:
    """With plain spaces, for reading."""
    return text.replace(NBSP, " ")


def test_a_clock_time_is_norwegian_with_a_full_stop_and_a_no_break_space() -> None:
    assert writing.clock(at("2026-06-05T06:05:09Z"), NB) == f"kl.{NBSP}08.05"
    assert writing.clock(at("2026-01-05T06:05:09Z"), NN, seconds=True) == f"kl.{NBSP}07.05.09"


def test_seconds_are_cut_off_and_never_rounded() -> None:
    assert writing.hours(at("2024-07-03T08:36:37.999999+00:00"), NB, seconds=True) == "10.36.37"
    assert writing.hours(at("2024-07-03T08:36:59.9+00:00"), NB) == "10.36"


@pytest.mark.parametrize(("language", "summer"), [(NB, "sommertid"), (NN, "sommartid")])
def test_the_hour_that_comes_twice_says_which_it_is(language: Language, summer: str) -> None:
    first, second = at("2026-10-25T00:30:00Z"), at("2026-10-25T01:10:00Z")
    assert spaced(writing.span(first, second, language)) == f"kl. 02.30 ({summer})–02.10 (normaltid)"
    assert writing.duration(second - first) == f"40{NBSP}min"
    assert writing.hours(at("2026-10-25T02:00:00Z"), language) == "03.00"
    assert writing.hours(at("2026-10-24T23:59:00Z"), language) == "01.59"


def test_the_hour_that_is_skipped_in_spring_is_known() -> None:
    assert writing.missing_hour(datetime(2026, 3, 29, 2, 15))  # noqa: DTZ001 - a wall clock has no zone
    assert not writing.missing_hour(datetime(2026, 3, 29, 3, 0))  # noqa: DTZ001
    assert not writing.missing_hour(datetime(2026, 10, 25, 2, 15))  # noqa: DTZ001


def test_a_date_is_the_day_in_norway() -> None:
    assert writing.date_text(at("2025-12-31T23:30:00Z")) == "01.01.2026"
    assert writing.date_text(date(2026, 6, 5)) == "05.06.2026"
    assert spaced(writing.date_in_prose(at("2026-06-05T10:00:00Z"))) == "5. juni 2026"


@pytest.mark.parametrize(
    ("written", "shown"),
    [("2022-03-16", "16.03.2022"), ("2022-03", "mars 2022"), ("2022", "2022"), ("2022-02-30", None), ("i går", None)],
)
def test_a_date_is_written_as_precisely_as_it_was_told(written: str, shown: str | None) -> None:
    assert writing.partial_date(written) == shown


def test_a_span_has_its_date_once_or_twice() -> None:
    start = at("2025-12-24T22:50:00Z")
    same, over = start + timedelta(minutes=5), start + timedelta(minutes=20)
    assert spaced(writing.span(start, same, NB)) == "kl. 23.50–23.55"
    assert spaced(writing.span(start, same, NB, dated=True)) == "24.12.2025 kl. 23.50–23.55"
    assert spaced(writing.span(start, over, NB)) == "24.12.2025 kl. 23.50 – 25.12.2025 kl. 00.10"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (51, "51 s"), (250, "4 min 10 s"), (240, "4 min"), (7_500, "2 t 5 min"), (266_400, "3 døgn 2 t")],
)
def test_a_duration_has_at_most_two_units(seconds: int, shown: str) -> None:
    assert spaced(writing.duration(timedelta(seconds=seconds, milliseconds=900))) == shown


def test_a_negative_duration_is_never_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        writing.duration(timedelta(seconds=-1))


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=zones), st.sampled_from(Language))
def test_any_moment_can_be_written_and_its_zone_does_not_matter(moment: datetime, language: Language) -> None:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        return
    shown = writing.date_and_clock(in_utc, language, seconds=True)
    assert writing.date_and_clock(moment, language, seconds=True) == shown or moment.year in (1, 9999)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_two_moments_a_minute_apart_are_never_written_alike(moment: datetime) -> None:
    later = moment + timedelta(minutes=1)
    assert writing.date_and_clock(moment, NB) != writing.date_and_clock(later, NB)


def test_time_zones_come_with_the_packages_where_the_machine_has_none() -> None:
    # PYTHONTZPATH empty: zoneinfo looks nowhere but in the package tzdata.
    code = "from shared.journal.writing import OSLO; print(OSLO.key)"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Europe/Oslo\n"
