"""How many calls a caller may make: the bucket's arithmetic, and what a flood may cost."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions import http
from shared.access.modes import DpopMode
from shared.errors import TooManyCalls
from shared.fhir import outcome
from shared.registry.model import RateLimit
from shared.road.limits import Bucket, Limits, Strangers, take, wait_s

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RATES = st.builds(RateLimit, st.integers(1, 1000), st.integers(1, 10_000))
SMALL = st.builds(RateLimit, st.integers(1, 20), st.integers(1, 20))


@dataclass
class Hands:
    """A clock that is set by hand."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def refused(limits: Limits, vkp_id: str = "vkp", orgnr: str = "310000019", own: RateLimit | None = None) -> int:
    """0 when the call is let through, else Retry-After."""
    try:
        limits.system(vkp_id, orgnr, own)
    except TooManyCalls as error:
        return error.retry_after_s
    return 0


@given(SMALL, st.lists(st.floats(0, 3), max_size=80))
def test_never_more_calls_than_the_burst_and_what_has_come_since(limit: RateLimit, waits: list[float]) -> None:
    bucket: Bucket | None = None
    clock, let_through = Hands(), 0
    for wait in waits:
        clock.on(wait)
        bucket = take(bucket, limit, clock())
        let_through += not bucket.refused
        assert let_through <= limit.burst + (clock.now - NOON).total_seconds() * limit.per_second + 1e-6


@given(RATES, st.integers(1, 20))
def test_whoever_waits_as_told_is_let_through(limit: RateLimit, more: int) -> None:
    bucket = Bucket(0.5, NOON)
    for _ in range(more):
        bucket = take(bucket, limit, NOON)
        assert bucket.refused
    after = NOON + timedelta(seconds=wait_s(bucket, limit))
    assert not take(bucket, limit, after).refused


@given(RATES, st.floats(0, 1e6))
def test_a_clock_set_back_fills_nothing_and_locks_nobody_out(limit: RateLimit, back: float) -> None:
    earlier = NOON - timedelta(seconds=back)
    bucket = take(Bucket(0.0, NOON), limit, earlier)
    assert bucket.refused
    assert not take(bucket, limit, earlier + timedelta(seconds=1)).refused


def test_a_refused_call_takes_nothing_from_the_bucket() -> None:
    limits = Limits(RateLimit(1, 1), clock := Hands())
    assert refused(limits) == 0
    assert [refused(limits) for _ in range(50)] == [1] * 50
    clock.on(1)
    assert refused(limits) == 0


def test_systems_and_municipalities_have_buckets_of_their_own() -> None:
    limits = Limits(RateLimit(1, 1), Hands())
    assert refused(limits, "a", "1") == refused(limits, "a", "2") == refused(limits, "b", "1") == 0
    assert refused(limits, "a", "1") == refused(limits, "a", "2") == refused(limits, "b", "1") == 1


def test_what_the_register_says_of_a_system_goes_before_what_is_usual() -> None:
    limits = Limits(RateLimit(1, 1), Hands())
    assert [refused(limits, own=RateLimit(1, 3)) for _ in range(4)] == [0, 0, 0, 1]


def test_a_lower_limit_holds_at_once() -> None:
    limits = Limits(RateLimit(1, 100), Hands())
    assert refused(limits) == 0
    assert [refused(limits, own=RateLimit(1, 2)) for _ in range(3)] == [0, 0, 1]


def test_people_are_counted_apart_from_systems_of_the_same_name() -> None:
    limits = Limits(RateLimit(1, 1), Hands())
    assert refused(limits, "same", "") == 0
    limits.person("same")
    with pytest.raises(TooManyCalls):
        limits.person("same")


def test_what_is_remembered_is_bounded_and_those_who_call_stay() -> None:
    limits = Limits(RateLimit(1, 1), Hands(), remembered=10)
    assert refused(limits, "busy") == 0
    for number in range(100):
        assert refused(limits, f"other {number}") == 0
        assert refused(limits, "busy") == 1
    assert len(limits._buckets) == 10


def test_a_flood_of_calls_costs_a_line_at_one_ten_a_hundred(caplog: pytest.LogCaptureFixture) -> None:
    limits = Limits(RateLimit(1, 1), Hands())
    with caplog.at_level(logging.INFO, "knutepunkt"):
        for _ in range(1000):
            refused(limits)
    assert [line.getMessage().rpartition("count=")[2] for line in caplog.records] == ["1", "10", "100"]


def test_refusals_of_strangers_are_kept_so_many_a_minute_and_the_rest_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strangers = Strangers(3, clock := Hands())
    with caplog.at_level(logging.INFO, "knutepunkt"):
        assert [strangers.keep() for _ in range(8)] == [True] * 3 + [False] * 5
        clock.on(60)
        assert strangers.keep()
    assert [line.getMessage().rpartition("count=")[2] for line in caplog.records] == ["1", "5"]


def test_no_stranger_is_kept_when_none_shall_be() -> None:
    strangers = Strangers(0, Hands())
    assert not strangers.keep()


def test_a_clock_set_back_lets_strangers_be_kept_again() -> None:
    strangers = Strangers(1, clock := Hands())
    assert strangers.keep()
    clock.on(-3600)
    assert strangers.keep()
    assert not strangers.keep()


def test_too_many_calls_are_answered_429_with_retry_after_and_an_outcome() -> None:
    answer = http.refused(TooManyCalls(7), "id")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    issue = outcome.operation_outcome(TooManyCalls(7))["issue"][0]
    assert issue["code"] == "throttled"
    assert {"SEND_TOO_MANY", "3"} <= {each["code"] for each in issue["details"]["coding"]}


@pytest.mark.parametrize(
    ("url", "sent"),
    [("https://hub.example", True), ("HTTPS://hub.example", True), ("http://hub", False), (None, False)],
)
def test_strict_transport_security_is_sent_over_https_only(url: str | None, sent: bool) -> None:
    try:
        http.served_at(url, DpopMode.OFF)
        assert ("Strict-Transport-Security" in http.plain_json(200, {}).headers) is sent
        assert ("Strict-Transport-Security" in http.refused(TooManyCalls(), "id").headers) is sent
    finally:
        http.served_at(None, DpopMode.OFF)
