"""The written form of a time: exact, sortable, and nothing else is taken for one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import clock

# A day from both ends of the calendar, so that every zone's view of the moment exists.
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(MOMENTS)
def test_a_written_time_reads_back_as_the_same_moment_in_utc(moment: datetime) -> None:
    again = clock.read(clock.written(moment))
    assert again == moment
    assert again.tzinfo is UTC


@given(MOMENTS, MOMENTS)
def test_of_two_written_times_the_earlier_sorts_first(one: datetime, other: datetime) -> None:
    assert (clock.written(one) < clock.written(other)) == (one < other)


def test_a_time_long_before_our_days_does_not_poison_a_lane() -> None:
    assert clock.written(datetime(950, 1, 1, tzinfo=UTC)) == "0950-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000", "2026-01-01T00:00:00.000000+00:00",
     "2026-02-30T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z ", "２026-01-01T00:00:00.000000Z"],
)  # fmt: skip
def test_anything_else_is_no_written_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|day|range"):
        clock.read(text)


@given(st.text(max_size=40))
def test_reading_garbage_raises_nothing_but_value_error(text: str) -> None:
    try:
        clock.read(text)
    except ValueError:
        return
    assert clock.written(clock.read(text)) == text


def test_now_is_in_utc() -> None:
    assert clock.utc_now().tzinfo is UTC
