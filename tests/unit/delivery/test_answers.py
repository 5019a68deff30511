"""What a receiver's answer means, for every status and whatever stands in Retry-After."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.delivery.answers import Later, Refused, Taken, from_status

NOW = datetime(2026, 1, 15, 8, tzinfo=UTC)
TRY_AGAIN = {408, 425, 429}
HEADERS = st.none() | st.integers().map(str) | st.text(max_size=60) | st.datetimes().map(str)


def wait(retry_after: str | None, status: int = 503) -> timedelta | None:
    answer = from_status(status, retry_after, NOW)
    assert isinstance(answer, Later)
    return answer.retry_after


@given(st.integers(100, 599), HEADERS)
def test_every_status_has_one_meaning_whatever_the_header_says(status: int, retry_after: str | None) -> None:
    answer = from_status(status, retry_after, NOW)
    if 200 <= status <= 299:
        assert answer == Taken(status)
    elif 400 <= status <= 499 and status not in TRY_AGAIN:
        assert answer == Refused(f"REC_HTTP_{status}", status)
    else:
        assert isinstance(answer, Later)
        assert answer.code == f"REC_HTTP_{status}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422])
def test_a_permanent_answer_is_not_tried_again(status: int) -> None:
    assert isinstance(from_status(status, "5", NOW), Refused)


@pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 304, *sorted(TRY_AGAIN), 500, 502, 503, 504])
def test_a_passing_trouble_and_a_redirect_are_tried_again(status: int) -> None:
    assert isinstance(from_status(status, None, NOW), Later)


@given(st.integers(0, 10**6))
def test_seconds_are_obeyed(seconds: int) -> None:
    assert wait(str(seconds)) == timedelta(seconds=seconds)
    assert wait(f" {seconds}\t") == timedelta(seconds=seconds)


@given(st.integers(-(10**6), 10**6))
def test_a_date_is_obeyed_and_one_in_the_past_means_at_once(seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    expected = timedelta(seconds=max(seconds, 0))
    assert wait(format_datetime(moment, usegmt=True)) == expected
    assert wait(moment.strftime("%a, %d %b %Y %H:%M:%S -0000")) == expected


def test_a_date_in_another_zone_is_the_same_moment() -> None:
    assert wait("Thu, 15 Jan 2026 10:00:30 +0200") == timedelta(seconds=30)


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "-5", "1.5", "5 s", "٥", "²", "0x10", "1e3", "NaN", "Thu, 99 Jan 2026"]
)
def test_nonsense_is_as_good_as_no_header(text: str) -> None:
    assert wait(text) is None


@given(HEADERS, st.sampled_from([429, 503]))
@example("9" * 5000, 503)
@example("Mon, 01 Jan 9999 00:00:00 +2359", 503)
@example("Mon, 01 Jan 0001 00:00:00 -2359", 503)
@example("Mon, 01 Jan 0000 00:00:00 GMT", 503)
@example("Mon, 01 Jan 2026 00:00:00 +9999", 503)
@example("Mon, 01 Jan 2026 99999999999999999999:00:00 GMT", 503)
def test_no_header_raises_or_asks_for_time_that_has_passed(retry_after: str | None, status: int) -> None:
    found = wait(retry_after, status)
    assert found is None or found >= timedelta()
