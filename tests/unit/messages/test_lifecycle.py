"""The life of a message is its table, and the table has no hole in it."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.lifecycle import RESTING, TRANSITIONS, IllegalStep, State, Step, after, overall, states_before

STATES = st.sampled_from(State)
STEPS = st.sampled_from(Step)
OF_THE_HUB = {Step.ROUTE, Step.ATTEMPT, Step.WAIT, Step.DELIVER}
"""Steps the hub takes by itself to bring a message on; the others need a person, a receiver or the end of its time."""


def reachable(start: Iterable[State]) -> set[State]:
    found, new = set[State](), set(start)
    while new:
        found |= new
        new = {following for state in new for following in TRANSITIONS[state].values()} - found
    return found


@given(st.lists(STEPS, max_size=40))
def test_a_walk_of_any_steps_takes_those_in_the_table_and_raises_at_the_others(steps: list[Step]) -> None:
    state = State.RECEIVED
    for step in steps:
        if step in TRANSITIONS[state]:
            state = after(state, step)
            assert state in State
        else:
            with pytest.raises(IllegalStep):
                after(state, step)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", Step)
def test_every_pair_of_state_and_step_leads_where_the_table_says_or_raises(state: State, step: Step) -> None:
    if step in TRANSITIONS[state]:
        assert after(state, step) is TRANSITIONS[state][step]
    else:
        with pytest.raises(IllegalStep, match=f"{step} .* {state}"):
            after(state, step)


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(State)
    assert reachable([State.RECEIVED]) == set(State)


def test_every_step_is_possible_somewhere() -> None:
    assert {step for steps in TRANSITIONS.values() for step in steps} == set(Step)


@pytest.mark.parametrize("state", sorted(RESTING))
def test_in_a_resting_state_the_hub_does_nothing_by_itself(state: State) -> None:
    assert OF_THE_HUB.isdisjoint(TRANSITIONS[state])


@pytest.mark.parametrize("state", sorted(set(State) - RESTING))
def test_a_message_that_does_not_rest_can_be_brought_on_by_the_hub_and_can_come_to_rest(state: State) -> None:
    assert not OF_THE_HUB.isdisjoint(TRANSITIONS[state])
    assert reachable([state]) & RESTING


def test_a_delivered_message_is_never_tried_again() -> None:
    assert reachable([State.DELIVERED]) == {State.DELIVERED, State.JOURNALED}


def test_what_has_ended_stays_ended() -> None:
    for state in (State.JOURNALED, State.REJECTED, State.EXPIRED):
        assert not TRANSITIONS[state]


def test_what_was_withdrawn_can_only_be_taken_back_into_its_line() -> None:
    assert set(TRANSITIONS[State.WITHDRAWN]) == {Step.RESTORE, Step.RETURN}


def test_a_message_in_the_receivers_hands_cannot_be_withdrawn() -> None:
    assert Step.WITHDRAW not in TRANSITIONS[State.DELIVERING]


@given(STEPS)
def test_the_states_before_a_step_are_those_that_allow_it(step: Step) -> None:
    assert set(states_before(step)) == {state for state in State if step in TRANSITIONS[state]}


@given(STATES)
def test_an_event_without_deliveries_is_where_it_is_itself(event: State) -> None:
    assert overall(event, ()) is event


@given(STATES, st.lists(STATES, min_size=1))
def test_an_event_is_where_one_of_its_deliveries_is_whatever_their_order(event: State, found: list[State]) -> None:
    seen = overall(event, found)
    assert seen in found
    assert overall(event, reversed(found)) is seen


@given(st.lists(STATES, min_size=1), STATES)
def test_another_delivery_never_makes_an_event_look_further_on(found: list[State], other: State) -> None:
    # The less advanced of two, told by asking for the two alone.
    before, with_other = overall(State.ROUTED, found), overall(State.ROUTED, [*found, other])
    assert overall(State.ROUTED, [before, with_other]) is with_other


@given(st.lists(STATES, min_size=1))
def test_an_event_is_delivered_only_when_every_delivery_is(found: list[State]) -> None:
    done = {State.DELIVERED, State.JOURNALED}
    assert (overall(State.ROUTED, found) in done) == all(state in done for state in found)


@given(st.lists(STATES))
def test_a_quarantined_delivery_is_never_hidden_by_the_others(found: list[State]) -> None:
    assert overall(State.ROUTED, [*found, State.QUARANTINED]) is State.QUARANTINED
