"""Forged key ids cost HelseID little, and keep nobody out."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.access.refetch import Refetch, RefetchPace

PACE = RefetchPace()


def test_same_key_id_is_not_looked_for_again_for_a_minute_whoever_brings_it() -> None:
    refetch = Refetch(PACE)
    refetch.let_in("vendor")
    assert refetch.begin("kid", "vendor", 0)
    refetch.in_vain("kid", 0)
    assert not refetch.begin("kid", None, 59)
    assert refetch.begin("kid", None, 60)


def test_each_client_let_in_before_has_a_fetch_of_its_own() -> None:
    refetch = Refetch(PACE)
    refetch.let_in("one")
    refetch.let_in("two")
    assert refetch.begin("a", "nobody", 0)
    assert not refetch.begin("b", "nobody", 10)
    assert not refetch.begin("c", "nobody else", 10)
    assert refetch.begin("d", "one", 10)
    assert not refetch.begin("e", "one", 20)
    assert refetch.begin("f", "two", 20)


def test_refused_fetch_uses_nothing_up() -> None:
    refetch = Refetch(PACE)
    refetch.let_in("vendor")
    assert refetch.begin("a", None, 0)
    assert not refetch.begin("b", "vendor", 4)
    assert refetch.begin("b", "vendor", 5)


@given(st.lists(st.sampled_from([None, "", "a", "b", 7, ["a"]]), max_size=300))
def test_no_sender_of_forged_tokens_gets_more_fetches_than_one_each_five_seconds(senders: list[object]) -> None:
    refetch = Refetch(PACE)
    for name in ("", "a", "b"):
        refetch.let_in(name)
    fetched = [second for second, sender in enumerate(senders) if refetch.begin(str(second), sender, second)]
    assert all(later - earlier >= 5 for earlier, later in pairwise(fetched))
    # Three who have one each in a minute: two clients, and all strangers together.
    assert len(fetched) <= 3 * (len(senders) // 60 + 1)


def test_what_is_remembered_is_bounded_and_strangers_are_never_forgotten() -> None:
    refetch = Refetch(PACE)
    for number in range(5000):
        refetch.let_in(f"client {number}")
        refetch.in_vain(f"kid {number}", 0)
    assert refetch.begin("kid", "client 4999", 100)
    assert refetch.begin("kid", "client 0", 200)
    assert not refetch.begin("another kid", None, 210)
    assert len(refetch._clients) == len(refetch._in_vain) == 1024
