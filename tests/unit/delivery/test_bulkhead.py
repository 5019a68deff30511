"""How much is on its way at once: every receiver has room, urgent messages always some, and no one takes it all."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.delivery.bulkhead import Bulkhead, Room
from shared.delivery.rules import standard
from shared.messages.urgency import Urgency

T0 = datetime(2026, 1, 15, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULES = standard().bulkhead
ROUTINE, PROMPT = Urgency.ROUTINE, Urgency.PROMPT
ROOM = Room(20)


def bulkhead(chance: float = 0.5) -> Bulkhead:
    return Bulkhead(RULES, lambda: chance)


def taken(places: Bulkhead, key: str, urgency: Urgency, room: Room = ROOM, tries: int = 200) -> int:
    """How many places there are to be had now."""
    return [places.take(key, urgency, room, T0) is None for _ in range(tries)].count(True)


def test_a_receiver_gets_no_more_at_once_than_it_takes() -> None:
    places = bulkhead()
    assert taken(places, "a", PROMPT) == 20
    places.give_back("a", PROMPT, SECOND, T0)
    assert taken(places, "a", PROMPT) == 1


def test_routine_deliveries_leave_room_for_prompt_ones() -> None:
    places = bulkhead()
    assert taken(places, "a", ROUTINE) == 16
    assert taken(places, "a", PROMPT) == 4


def test_a_receiver_that_takes_one_at_a_time_still_gets_routine_messages() -> None:
    assert taken(bulkhead(), "a", ROUTINE, Room(1)) == 1
    assert taken(bulkhead(), "a", ROUTINE, Room(2)) == 2


def test_no_receiver_takes_more_than_half_of_the_workers_whatever_its_limit() -> None:
    assert taken(bulkhead(), "a", PROMPT, Room(100)) == 50


def test_slow_receivers_together_leave_room_for_the_others() -> None:
    places = bulkhead()
    slow = sum(taken(places, f"slow{number}", PROMPT) for number in range(10))
    assert slow <= RULES.crowded_at * RULES.workers + 10 * RULES.when_crowded
    assert taken(bulkhead(), "a", ROUTINE) > 0
    few = bulkhead()
    assert sum(taken(few, f"slow{number}", PROMPT) for number in range(4)) == 80
    assert taken(few, "quick", ROUTINE) == 2


def test_all_receivers_together_take_no_more_than_there_are_workers() -> None:
    places = bulkhead()
    assert sum(taken(places, f"receiver{number}", PROMPT, tries=3) for number in range(60)) == RULES.workers


def test_a_receiver_gets_no_more_in_a_second_than_it_takes() -> None:
    places, room, went = bulkhead(), Room(100, per_second=10), list[int]()
    for tenth in range(100):
        now = T0 + tenth * SECOND / 10
        for _ in range(30):
            if places.take("a", PROMPT, room, now) is None:
                went.append(tenth)
                places.give_back("a", PROMPT, SECOND / 10, now)
    assert 100 <= len(went) <= 110
    assert all(sum(begin <= each < begin + 10 for each in went) <= 20 for begin in range(100))


def test_one_a_second_means_one_a_second_for_routine_deliveries_too() -> None:
    places, room = bulkhead(), Room(100, per_second=1)
    went = [places.take("a", ROUTINE, room, T0 + second * SECOND) is None for second in range(10)]
    assert went == [True] * 10
    assert places.take("a", ROUTINE, room, T0 + 9 * SECOND) is not None
    assert places.take("a", PROMPT, room, T0 + 9 * SECOND) is None


def test_those_who_wait_are_told_places_at_the_speed_of_the_receiver() -> None:
    places = bulkhead()
    taken(places, "a", ROUTINE)
    for _ in range(200):
        places.give_back("a", ROUTINE, 10 * SECOND, T0)
        places.take("a", ROUTINE, ROOM, T0)
    waits = [wait for _ in range(30) if (wait := places.take("a", ROUTINE, ROOM, T0)) is not None]
    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(waits)]
    # Twenty at once, ten seconds each: two a second.
    assert all(0.4 < each < 0.6 for each in apart)


def test_nobody_is_told_to_wait_longer_than_the_longest_wait() -> None:
    places = bulkhead(chance=0.999)
    taken(places, "a", ROUTINE)
    waits = [places.take("a", ROUTINE, ROOM, T0) for _ in range(10_000)]
    longest = timedelta(seconds=RULES.longest_wait_seconds + 1)
    assert all(wait is not None and timedelta() < wait <= longest for wait in waits)
    counted = Counter(round(wait.total_seconds()) for wait in waits[:2000] if wait is not None)
    assert max(counted.values()) < 200


def test_a_receiver_that_says_too_many_is_left_alone_as_long_as_it_asks_up_to_a_limit() -> None:
    places = bulkhead()
    places.pause("a", 5 * SECOND, T0)
    wait = places.take("a", ROUTINE, ROOM, T0)
    assert wait is not None
    assert wait >= 5 * SECOND
    assert places.take("a", ROUTINE, ROOM, T0 + 5 * SECOND) is None
    places.pause("a", timedelta(hours=6), T0 + 6 * SECOND)
    assert places.take("a", ROUTINE, ROOM, T0 + 65 * SECOND) is not None
    assert places.take("a", ROUTINE, ROOM, T0 + 66 * SECOND) is None
    places.pause("a", timedelta(hours=6), T0 + 100 * SECOND)
    assert places.take("a", PROMPT, ROOM, T0 + 109 * SECOND) is not None
    assert places.take("a", PROMPT, ROOM, T0 + 110 * SECOND) is None
    assert places.take("b", ROUTINE, ROOM, T0 + 100 * SECOND) is None


def test_without_a_time_it_is_left_alone_for_a_second() -> None:
    places = bulkhead()
    places.pause("a", None, T0)
    assert places.take("a", ROUTINE, ROOM, T0) is not None
    assert places.take("a", ROUTINE, ROOM, T0 + SECOND) is None


MOVES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(Urgency), st.booleans(), st.integers(0, 500)), max_size=400
)


@settings(max_examples=50)
@given(MOVES, st.integers(1, 100), st.none() | st.integers(1, 50))
def test_whatever_comes_and_goes_the_limits_hold_and_every_place_comes_back(
    moves: list[tuple[str, Urgency, bool, int]], at_once: int, per_second: int | None
) -> None:
    places, room, now = bulkhead(), Room(at_once, per_second), T0
    held = list[tuple[str, Urgency]]()
    for key, urgency, leave, wait_ms in moves:
        now += timedelta(milliseconds=wait_ms)
        if leave and held:
            places.give_back(*held.pop(), timedelta(milliseconds=wait_ms), now)
        for _ in range(4):
            wait = places.take(key, urgency, room, now)
            if wait is None:
                held.append((key, urgency))
            else:
                assert timedelta() < wait <= timedelta(seconds=RULES.longest_wait_seconds + 1)
        assert len(held) <= RULES.workers
        assert all(count <= min(at_once, 50) for count in Counter(each for each, _ in held).values())
    for each in held:
        places.give_back(*each, None, now)
    assert all(places.held(key) == 0 for key in "abcdef")
