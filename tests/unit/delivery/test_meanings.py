"""What a receiver's status means for the message, and whatever stands in Retry-After."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.delivery.meanings import load, meaning, wait
from shared.registry.reaching import Meaning

NOW = datetime(2026, 1, 15, 8, tzinfo=UTC)
TRY_AGAIN = {408, 421, 423, 424, 425, 429}
HEADERS = st.none() | st.integers().map(str) | st.text(max_size=60) | st.datetimes().map(str)
GOOD = {f"{first}xx": "later" for first in "12345"}


@given(st.integers(100, 999))
def test_every_status_has_one_meaning(status: int) -> None:
    found = meaning(status, {})
    if 200 <= status <= 299:
        assert found is Meaning.TAKEN
    elif status == 401:
        assert found == "renew"
    elif 400 <= status <= 499 and status not in TRY_AGAIN:
        assert found is Meaning.REFUSED
    else:
        assert found is Meaning.LATER


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 413, 422])
def test_a_permanent_answer_is_not_tried_again(status: int) -> None:
    assert meaning(status, {}) is Meaning.REFUSED


@pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 304, *sorted(TRY_AGAIN), 500, 502, 503, 504])
def test_a_passing_trouble_and_a_redirect_are_tried_again(status: int) -> None:
    assert meaning(status, {}) is Meaning.LATER


@given(st.integers(400, 599), st.sampled_from(Meaning), st.integers(100, 599))
def test_a_receiver_differs_in_the_answers_it_names_and_in_no_other(own: int, said: Meaning, status: int) -> None:
    assert meaning(status, {str(own): said}) == (said if status == own else meaning(status, {}))


@pytest.mark.parametrize(
    "table",
    [
        "[]", "{}", "not json", json.dumps(GOOD | {"600": "later"}), json.dumps(GOOD | {"40x": "later"}),
        json.dumps(GOOD | {"409": "maybe"}), json.dumps(GOOD | {"409": None}), json.dumps(GOOD | {"409": ["later"]}),
        json.dumps({name: means for name, means in GOOD.items() if name != "5xx"}),
    ],
)  # fmt: skip
def test_a_table_with_a_slip_in_it_is_not_loaded(table: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(lambda: table)


def test_a_table_without_one_is() -> None:
    assert load(lambda: json.dumps(GOOD | {"409": "renew"}))["409"] == "renew"


@given(st.integers(0, 10**6))
def test_seconds_are_obeyed(seconds: int) -> None:
    assert wait(str(seconds), NOW) == timedelta(seconds=seconds)
    assert wait(f" {seconds}\t", NOW) == timedelta(seconds=seconds)


@given(st.integers(-(10**6), 10**6))
def test_a_date_is_obeyed_and_one_in_the_past_means_at_once(seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    expected = timedelta(seconds=max(seconds, 0))
    assert wait(format_datetime(moment, usegmt=True), NOW) == expected
    assert wait(moment.strftime("%a, %d %b %Y %H:%M:%S -0000"), NOW) == expected


def test_a_date_in_another_zone_is_the_same_moment() -> None:
    assert wait("Thu, 15 Jan 2026 10:00:30 +0200", NOW) == timedelta(seconds=30)


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "-5", "1.5", "5 s", "٥", "²", "0x10", "1e3", "NaN", "Thu, 99 Jan 2026"]
)
def test_nonsense_is_as_good_as_no_header(text: str) -> None:
    assert wait(text, NOW) is None


@given(HEADERS)
@example("9" * 5000)
@example("Mon, 01 Jan 9999 00:00:00 +2359")
@example("Mon, 01 Jan 0001 00:00:00 -2359")
@example("Mon, 01 Jan 0000 00:00:00 GMT")
@example("Mon, 01 Jan 2026 00:00:00 +9999")
@example("Mon, 01 Jan 2026 99999999999999999999:00:00 GMT")
def test_no_header_raises_or_asks_for_time_that_has_passed(retry_after: str | None) -> None:
    found = wait(retry_after, NOW)
    assert found is None or found >= timedelta()
