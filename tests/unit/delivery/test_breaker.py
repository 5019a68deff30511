"""The breaker: when it opens, what goes through while it is open, and what closes it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.breaker import CLOSED, Breaker, Event, Failed, Heard, Probing, Succeeded, step
from shared.delivery.rules import standard

T0 = datetime(2026, 1, 15, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULES = standard().breaker

TIMED = st.lists(
    st.tuples(st.integers(0, 20_000), st.booleans()).map(lambda pair: (timedelta(milliseconds=pair[0]), pair[1])),
    max_size=80,
)
"""Tries: how long after the one before, and whether it fails."""
EVENTS = st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from(["fail", "take", "probe", "well", "ill"])))


def fail(breaker: Breaker, now: datetime, began: datetime | None = None) -> Breaker:
    return step(breaker, Failed(began or now, "REC_NO_ANSWER"), now, RULES)


def take(breaker: Breaker, now: datetime, began: datetime | None = None) -> Breaker:
    return step(breaker, Succeeded(began or now), now, RULES)


def after(fails: Sequence[bool], apart: timedelta = SECOND) -> Breaker:
    breaker = CLOSED
    for at, failed in enumerate(fails):
        breaker = (fail if failed else take)(breaker, T0 + at * apart)
    return breaker


def test_it_opens_at_the_fifth_failure_in_a_row() -> None:
    assert not after([True] * 4).is_open
    assert after([True] * 5).is_open
    assert after([True] * 5, timedelta(hours=1)).is_open
    assert not after([True] * 4 + [False] + [True] * 4, timedelta(hours=1)).is_open


def test_it_opens_when_half_of_ten_tries_within_a_minute_fail() -> None:
    assert not after([False, True] * 4 + [False]).is_open
    assert after([False, True] * 5).is_open
    assert not after([False, True, False] * 20).is_open
    # The same half, but no ten of them within a minute.
    assert not after([False, True] * 20, timedelta(seconds=7)).is_open


def test_the_first_probe_is_due_fifteen_seconds_after_it_opened() -> None:
    opened = after([True] * 5, timedelta())
    assert not opened.probe_due(T0 + 14 * SECOND)
    assert opened.probe_due(T0 + 15 * SECOND)
    assert step(opened, Probing(), T0 + 16 * SECOND, RULES).probe_at == T0 + 31 * SECOND


def test_a_try_begun_before_it_opened_does_not_close_it() -> None:
    opened = after([True] * 5)
    late = T0 + 9 * SECOND
    assert take(opened, late, began=T0).is_open
    assert not take(opened, late, began=late).is_open


def test_what_still_waited_for_an_answer_when_it_closed_does_not_open_it_again() -> None:
    closed = take(after([True] * 5), T0 + 10 * SECOND)
    late = closed
    for _ in range(50):
        late = fail(late, T0 + 11 * SECOND, began=T0 + 9 * SECOND)
    assert not late.is_open
    for _ in range(5):
        late = fail(late, T0 + 12 * SECOND, began=T0 + 11 * SECOND)
    assert late.is_open


def test_what_another_instance_found_out_holds_here() -> None:
    heard = step(CLOSED, Heard(T0, T0 + 15 * SECOND), T0 + SECOND, RULES)
    assert (heard.opened, heard.probe_at) == (T0, T0 + 15 * SECOND)
    assert not step(heard, Heard(None), T0 + 2 * SECOND, RULES).is_open
    assert step(after([True] * 4), Heard(None), T0, RULES) == after([True] * 4)


@given(TIMED)
def test_it_is_never_open_without_five_in_a_row_or_half_of_a_minutes_tries(
    tries: list[tuple[timedelta, bool]],
) -> None:
    breaker, now, seen = CLOSED, T0, list[tuple[datetime, bool]]()
    for wait, failed in tries:
        now += wait
        seen.append((now, failed))
        was = breaker
        breaker = (fail if failed else take)(breaker, now)
        if breaker.is_open and not was.is_open:
            # Tries are counted by the second, so the window may reach back a second less than a minute.
            within = [seen[begin:] for begin in range(len(seen)) if now - seen[begin][0] < RULES.window]
            half = any(len(each) >= 10 and sum(bad for _, bad in each) * 2 >= len(each) for each in within)
            assert half or [bad for _, bad in seen][-5:] == [True] * 5
        if not breaker.is_open and was.is_open:
            seen = []


@given(TIMED)
def test_five_in_a_row_or_a_success_decide_whatever_came_before(tries: list[tuple[timedelta, bool]]) -> None:
    breaker, now = CLOSED, T0
    for wait, failed in tries:
        now += wait
        breaker = (fail if failed else take)(breaker, now)
    assert not take(breaker, now).is_open
    for _ in range(5):
        breaker = fail(breaker, now)
    assert breaker.is_open


@given(EVENTS)
def test_routine_probes_are_never_closer_than_fifteen_seconds(events: list[tuple[int, str]]) -> None:
    breaker, now, probes = CLOSED, T0, list[datetime]()
    for wait_ms, kind in events:
        now += timedelta(milliseconds=wait_ms)
        if kind == "probe":
            # As the gate does: only when it is due.
            if breaker.probe_due(now):
                probes.append(now)
                breaker = step(breaker, Probing(), now, RULES)
            continue
        happens: dict[str, Event] = {
            "fail": Failed(now, "REC_NO_ANSWER"), "take": Succeeded(now), "well": Heard(None),
            "ill": Heard(now, now + RULES.probe_every),
        }  # fmt: skip
        breaker = step(breaker, happens[kind], now, RULES)
    assert all(later - earlier >= RULES.probe_every for earlier, later in pairwise(probes))


@given(EVENTS)
def test_it_has_a_next_probe_exactly_while_it_is_open(events: list[tuple[int, str]]) -> None:
    breaker, now = CLOSED, T0
    for wait_ms, kind in events:
        now += timedelta(milliseconds=wait_ms)
        happens: dict[str, Event] = {
            "fail": Failed(now, "REC_NO_ANSWER"), "take": Succeeded(now), "well": Heard(None), "probe": Probing(),
            "ill": Heard(now, now + RULES.probe_every),
        }  # fmt: skip
        breaker = step(breaker, happens[kind], now, RULES)
        assert (breaker.probe_at is not None) == breaker.is_open
        assert breaker.probe_at is None or breaker.probe_at <= now + RULES.probe_every
        assert len(breaker.window) <= RULES.window_seconds


@pytest.mark.parametrize("failed", [True, False])
def test_a_clock_that_is_set_back_leaves_nothing_that_counts_for_ever(failed: bool) -> None:
    ahead = after([failed, not failed] * 4)
    back = fail(ahead, T0 - timedelta(days=1))
    assert [each.began for each in back.window] == [T0 - timedelta(days=1)]
