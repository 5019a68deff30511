"""The fault rig's own judgement: what is planted in the ledgers is found, and what is well is left alone."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cli import faults as command
from sandbox.cli.main import main
from sandbox.faults import catalogue
from sandbox.faults.ledger import ANSWER_TAKES_S, Broken, Held, Sent, Tally, reconcile
from sandbox.faults.letters import MEBIBYTE, Letters
from sandbox.faults.run import Result
from sandbox.faults.scenario import Scenario, Size

FIELDS = (
    "name", "attempts", "acknowledged", "delivered", "lost", "duplicated", "reordered", "recovered", "recovery_seconds",
)  # fmt: skip


def honest(lanes: list[int]) -> tuple[list[Sent], list[Held]]:
    """So many messages in each lane, lanes side by side, every one delivered once and in its turn."""
    sent: list[Sent] = []
    held: list[Held] = []
    for place in range(max(lanes, default=0)):
        for lane, count in enumerate(lanes):
            if place < count:
                name = f"{lane}-{place}"
                moment = place * 10.0 + lane
                sent.append(Sent(f"lane {lane}", name, moment, moment + 1, posts=1))
                held.append(Held(f"key {name}", name, moment + 2, 1))
    return sent, held


LANES = st.lists(st.integers(1, 6), min_size=1, max_size=5)


@given(LANES)
def test_what_arrived_once_and_in_order_is_well(lanes: list[int]) -> None:
    sent, held = honest(lanes)
    tally = reconcile(sent, held, [])
    assert tally.kept
    assert (tally.attempts, tally.acknowledged, tally.delivered) == (len(sent),) * 3
    assert (tally.lost, tally.duplicated, tally.reordered, tally.recovered) == (0, 0, 0, 0)
    assert not tally.wrong


@given(LANES, st.data())
def test_every_lost_message_is_found(lanes: list[int], data: st.DataObject) -> None:
    sent, held = honest(lanes)
    gone = data.draw(st.sets(st.sampled_from(held), min_size=1))
    tally = reconcile(sent, [each for each in held if each not in gone], [])
    assert tally.lost == len(gone)
    assert tally.delivered == len(sent) - len(gone)
    assert not tally.kept
    assert tally.recovery_seconds is None


@given(LANES, st.data())
def test_a_message_whose_bytes_changed_on_the_way_is_lost_and_another_is_made_up(
    lanes: list[int], data: st.DataObject
) -> None:
    sent, held = honest(lanes)
    at = data.draw(st.integers(0, len(held) - 1))
    held[at] = replace(held[at], sha256="other bytes")
    tally = reconcile(sent, held, [])
    assert (tally.lost, tally.unexpected) == (1, 1)
    assert not tally.kept


@given(LANES, st.data())
def test_a_copy_under_another_key_is_found(lanes: list[int], data: st.DataObject) -> None:
    sent, held = honest(lanes)
    again = data.draw(st.sampled_from(held))
    lost_its_answer = Broken("everything", 0, 1000, 1000, answers_lost=True)
    assert reconcile(sent, [*held, replace(again, key="another")], [lost_its_answer]).duplicated == 1


@given(LANES.filter(lambda lanes: max(lanes) > 1), st.data())
def test_two_of_a_lane_that_changed_places_are_found(lanes: list[int], data: st.DataObject) -> None:
    sent, held = honest(lanes)
    lane = data.draw(st.sampled_from([lane for lane, count in enumerate(lanes) if count > 1]))
    places = [at for at, each in enumerate(held) if each.sha256.startswith(f"{lane}-")]
    one, other = sorted(data.draw(st.lists(st.sampled_from(places), min_size=2, max_size=2, unique=True)))
    held[one], held[other] = held[other], held[one]
    tally = reconcile(sent, held, [])
    assert tally.reordered >= 1
    assert not tally.kept


@given(st.permutations(range(6)))
def test_lanes_have_no_order_between_them(order: list[int]) -> None:
    sent, held = honest([1] * 6)
    assert reconcile(sent, [held[at] for at in order], []).kept


@given(st.permutations(range(4)))
def test_posts_under_way_at_the_same_time_have_no_order(order: list[int]) -> None:
    sent, held = honest([4])
    together = [replace(each, begun=0.0, acknowledged=50.0) for each in sent]
    assert reconcile(together, [held[at] for at in order], []).kept


@given(st.integers(2, 5), st.booleans())
def test_a_call_made_again_is_a_duplicate_unless_an_answer_was_lost(calls: int, lost: bool) -> None:
    sent, held = honest([3])
    held[1] = replace(held[1], calls=calls)
    broken = Broken("a part", held[1].stored - 1, held[1].stored + 1, held[1].stored + 1, answers_lost=lost)
    tally = reconcile(sent, held, [broken])
    assert (tally.duplicated, tally.recovered) == ((0, 1) if lost else (1, 0))


@pytest.mark.parametrize("began", [-100.0, 100.0])
def test_what_broke_at_another_time_excuses_nothing(began: float) -> None:
    sent, held = honest([1])
    held[0] = replace(held[0], calls=2)
    began = held[0].stored + (began if began < 0 else ANSWER_TAKES_S + 1)
    ended = began + 1
    assert reconcile(sent, held, [Broken("a part", began, ended, ended, answers_lost=True)]).duplicated == 1


def test_a_message_whose_post_was_left_without_an_answer_counts_as_recovered_when_it_is_there() -> None:
    sent, held = honest([2])
    sent[0].unanswered, sent[0].posts = 2, 3
    tally = reconcile(sent, held, [])
    assert (tally.attempts, tally.recovered, tally.duplicated) == (4, 1, 0)


def test_what_was_never_accepted_may_be_there_or_not() -> None:
    sent, held = honest([2])
    sent[1].acknowledged, sent[1].unanswered = None, 1
    there = reconcile(sent, held, [])
    assert there.kept
    assert (there.acknowledged, there.delivered, there.recovered) == (1, 1, 1)
    absent = reconcile(sent, held[:1], [])
    assert absent.kept
    assert (absent.acknowledged, absent.delivered, absent.recovered) == (1, 1, 0)


def test_recovery_is_counted_until_what_was_sent_before_has_arrived() -> None:
    sent, held = honest([3])
    broken = Broken("a part", 5.0, 11.5, 11.5, answers_lost=True)
    # The messages were begun at 0, 10 and 20 and stored at 2, 12 and 22.
    tally = reconcile(sent, held, [broken])
    assert tally.recovery_seconds == pytest.approx(0.5)
    assert tally.first_seconds == pytest.approx(0.5)


def test_no_two_letters_are_alike_and_the_same_seed_writes_the_same() -> None:
    def bodies(seed: int) -> list[bytes]:
        letters = Letters("alike", seed)
        return [letters.write(number % 2).body for number in range(50)]

    assert len(set(bodies(1))) == 50
    assert bodies(1) == bodies(1)
    assert set(bodies(1)).isdisjoint(bodies(2))


def test_a_large_letter_is_as_large_as_may_be() -> None:
    assert len(Letters("large", 1).write(0, prompt=True, size=MEBIBYTE).body) == MEBIBYTE


def test_there_are_at_least_twenty_scenarios_each_with_its_own_name() -> None:
    names = [each.name for each in catalogue.SCENARIOS]
    assert len(names) == len(set(names)) >= 20


GOOD = Tally(attempts=5, acknowledged=4, delivered=4, recovered=1, recovery_seconds=1.25)


@pytest.mark.parametrize(
    ("tally", "failed", "code"),
    [
        (GOOD, "", 0),
        (replace(GOOD, duplicated=1), "", 0),
        (replace(GOOD, lost=1), "", 1),
        (replace(GOOD, reordered=1), "", 1),
        (replace(GOOD, unexpected=1), "", 1),
        (GOOD, "not gone through with", 1),
    ],
)
def test_the_command_ends_with_1_when_anything_is_lost_or_reordered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tally: Tally, failed: str, code: int
) -> None:
    async def planted(
        scenarios: tuple[Scenario, ...], _folder: Path, _size: Size, _seed: int, _tell: object
    ) -> AsyncGenerator[tuple[Scenario, Result]]:
        for each in scenarios:
            yield each, Result(each.name, tally, 1.0, failed=failed)

    monkeypatch.setattr(command, "run_scenarios", planted)
    assert main(["faults", "--scenario", "epj-500", "--seed", "7", "--json"]) == code
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"seed", "scenarios"}
    assert said["seed"] == 7
    assert [tuple(each) for each in said["scenarios"]] == [FIELDS]
    assert said["scenarios"][0]["recovery_seconds"] == 1.25


def test_a_scenario_there_is_not_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--scenario", "end-of-the-world"]) == 1
    assert "end-of-the-world" in capsys.readouterr().err
