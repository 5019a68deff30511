"""When a receiver is tried again: later and later, never after the end, and once more at the very end."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.schedule import Schedule, load, of_waits

ACCEPTED = datetime(2026, 1, 15, 8, tzinfo=UTC)
ROUTINE = load()
SECOND = timedelta(seconds=1)

SECONDS = st.integers(1, 100_000).map(lambda seconds: timedelta(seconds=seconds))
SCHEDULES = st.builds(
    Schedule, waits=st.lists(SECONDS, max_size=8).map(tuple), then_every=SECONDS, until=SECONDS
)  # fmt: skip
CHANCES = st.floats(0, 1, exclude_max=True)


def tries(schedule: Schedule, chance: float = 0.5) -> list[datetime]:
    """When it is tried, if every try fails at once."""
    moments = [ACCEPTED]
    while (following := schedule.next_try(len(moments), ACCEPTED, moments[-1], None, chance)) is not None:
        moments.append(following)
        assert len(moments) < 10_000
    return moments


def test_the_routine_schedule_is_the_one_that_was_designed() -> None:
    waits = [later - earlier for earlier, later in zip(tries(ROUTINE), tries(ROUTINE)[1:], strict=False)]
    hour = timedelta(hours=1)
    designed = [5 * SECOND, 30 * SECOND, 120 * SECOND, 600 * SECOND, hour / 2, hour, 2 * hour, 4 * hour]
    assert waits[:8] == designed
    assert set(waits[8:-1]) == {6 * hour}
    assert tries(ROUTINE)[-1] == ACCEPTED + 76 * hour


@given(SCHEDULES, st.integers(1, 50), st.integers(0, 10**7), st.none() | SECONDS, CHANCES)
def test_the_next_try_is_after_now_and_not_after_the_end(
    schedule: Schedule, attempts: int, after_s: int, retry_after: timedelta | None, chance: float
) -> None:
    now = ACCEPTED + timedelta(seconds=after_s)
    end = ACCEPTED + schedule.until
    found = schedule.next_try(attempts, ACCEPTED, now, retry_after, chance)
    if now >= end:
        assert found is None
    else:
        assert found is not None
        assert now < found <= end


@given(SCHEDULES, st.integers(1, 50), CHANCES)
def test_jitter_stays_within_ten_percent(schedule: Schedule, attempts: int, chance: float) -> None:
    endless = Schedule(schedule.waits, schedule.then_every, timedelta(days=10_000))
    wait = schedule.waits[attempts - 1] if attempts <= len(schedule.waits) else schedule.then_every
    found = endless.next_try(attempts, ACCEPTED, ACCEPTED, None, chance)
    assert found is not None
    # Timedeltas count in microseconds.
    assert abs(found - ACCEPTED - wait) <= wait * 0.1 + timedelta(microseconds=1)


@given(SCHEDULES, st.integers(1, 50), SECONDS, CHANCES)
def test_retry_after_is_obeyed_up_to_six_hours(
    schedule: Schedule, attempts: int, retry_after: timedelta, chance: float
) -> None:
    endless = Schedule(schedule.waits, schedule.then_every, timedelta(days=10_000))
    own = endless.next_try(attempts, ACCEPTED, ACCEPTED, None, chance)
    found = endless.next_try(attempts, ACCEPTED, ACCEPTED, retry_after, chance)
    assert own is not None
    assert found is not None
    assert found - ACCEPTED == max(own - ACCEPTED, min(retry_after, timedelta(hours=6)))


@given(st.integers(1, 12), st.integers(1, 12))
def test_the_more_often_it_failed_the_longer_the_wait(one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    first = ROUTINE.next_try(fewer, ACCEPTED, ACCEPTED, None, 0.5)
    second = ROUTINE.next_try(more, ACCEPTED, ACCEPTED, None, 0.5)
    assert first is not None
    assert second is not None
    assert first <= second


@given(CHANCES)
def test_the_last_try_comes_at_the_very_end_and_then_it_is_given_up(chance: float) -> None:
    moments = tries(ROUTINE, chance)
    assert moments == sorted(set(moments))
    assert moments[-1] == ACCEPTED + ROUTINE.until
    assert ROUTINE.next_try(len(moments), ACCEPTED, moments[-1], timedelta(hours=1), chance) is None


def test_even_a_retry_after_beyond_the_end_leaves_the_last_try() -> None:
    now = ACCEPTED + ROUTINE.until - SECOND
    assert ROUTINE.next_try(20, ACCEPTED, now, timedelta(hours=5), 0.5) == ACCEPTED + ROUTINE.until


@given(SCHEDULES, st.integers(1, 50), CHANCES)
def test_a_receiver_that_comes_back_after_the_end_is_not_tried_for_ever(
    schedule: Schedule, attempts: int, chance: float
) -> None:
    assert schedule.next_try(attempts, ACCEPTED, ACCEPTED + schedule.until, None, chance) is None


@given(st.lists(SECONDS, min_size=1, max_size=5).map(tuple))
def test_of_ones_own_waits_the_last_repeats_until_the_standard_end(waits: tuple[timedelta, ...]) -> None:
    own = of_waits(waits, ROUTINE)
    assert (own.waits, own.then_every, own.until) == (waits, waits[-1], ROUTINE.until)


def test_no_waits_of_ones_own_leave_the_standard_schedule() -> None:
    assert of_waits((), ROUTINE) is ROUTINE


def test_a_schedule_that_is_not_there_or_malformed_raises() -> None:
    with pytest.raises(KeyError):
        load("unknown")
    with pytest.raises(KeyError):
        load(read=lambda: json.dumps({"routine": {"seconds": []}}))
    with pytest.raises(ValueError, match="Expecting"):
        load(read=lambda: "{")
