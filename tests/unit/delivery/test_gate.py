"""The gate: what gets through to a receiver, for one instance and for several."""

import asyncio
from datetime import timedelta

import pytest

from shared.delivery.answers import Answer, Later, Refused, Taken
from shared.delivery.gate import Busy, Go, Hold
from shared.delivery.gatekeeper import WAITING, Gatekeeper
from shared.delivery.standing import Standings
from shared.messages.urgency import Urgency
from tests.unit.delivery.shelf import TO, Around

ROUTINE, PROMPT = Urgency.ROUTINE, Urgency.PROMPT
SILENCE = Later("REC_NO_ANSWER")
HOUR = timedelta(hours=1)


@pytest.fixture
def around() -> Around:
    return Around()


async def tried(gate: Gatekeeper, answer: Answer | None, urgency: Urgency = ROUTINE) -> Go:
    """One try, let through and answered."""
    go = await gate.enter(TO, urgency)
    assert isinstance(go, Go), go
    await gate.leave(go, answer)
    return go


async def broken(gate: Gatekeeper) -> Gatekeeper:
    """The same, its breaker opened."""
    for _ in range(5):
        await tried(gate, SILENCE)
    return gate


async def code(gate: Gatekeeper, urgency: Urgency = ROUTINE) -> str:
    """What the gate says, in a word. Gives the place back."""
    verdict = await gate.enter(TO, urgency)
    match verdict:
        case Go(probe=probe):
            await gate.leave(verdict, None)
            return "probe" if probe else "go"
        case Hold(code=why):
            return why
        case Busy():
            return "busy"


async def test_after_five_failures_routine_deliveries_wait_and_prompt_ones_go(around: Around) -> None:
    gate = await broken(around.gate())
    assert await code(gate) == "HUB_BREAKER_OPEN"
    assert await code(gate, PROMPT) == "go"
    document = around.document
    assert (document["state"], document["since"], document["failures"], document["lastCode"], document["held"]) == (
        "open", "2026-01-15T08:00:00.000000Z", 5, "REC_NO_ANSWER", True,
    )  # fmt: skip


async def test_a_prompt_delivery_that_gets_through_closes_the_breaker(around: Around) -> None:
    gate = await broken(around.gate())
    around.pass_s(1)
    await tried(gate, Taken(200), PROMPT)
    assert await code(gate) == "go"
    assert (around.document["state"], around.document["probeAt"], around.document["held"]) == ("closed", None, True)


async def test_every_fifteen_seconds_one_routine_delivery_is_a_probe(around: Around) -> None:
    gate = await broken(around.gate())
    around.pass_s(14.9)
    assert await code(gate) == "HUB_BREAKER_OPEN"
    around.pass_s(0.1)
    verdicts = await asyncio.gather(*(gate.enter(TO, ROUTINE) for _ in range(20)))
    (probe,) = [each for each in verdicts if isinstance(each, Go)]
    assert probe.probe
    await gate.leave(probe, SILENCE)
    around.pass_s(14.9)
    assert await code(gate) == "HUB_BREAKER_OPEN"
    around.pass_s(0.1)
    await tried(gate, Taken(200))
    assert await code(gate) == "go"


async def test_two_instances_send_one_probe_between_them(around: Around) -> None:
    gates = [await broken(around.gate()), around.gate()]
    assert await code(gates[1]) == "HUB_BREAKER_OPEN"
    for _ in range(5):
        around.pass_s(15)
        verdicts = await asyncio.gather(*(gate.enter(TO, ROUTINE) for gate in gates * 5))
        assert [isinstance(each, Go) for each in verdicts].count(True) == 1
        for gate, verdict in zip(gates * 5, verdicts, strict=True):
            if isinstance(verdict, Go):
                await gate.leave(verdict, SILENCE)


async def test_who_comes_too_late_for_the_probe_gives_its_place_back(around: Around) -> None:
    around.limits(at_once=1)
    one, other = await broken(around.gate()), around.gate()
    around.pass_s(14)
    assert await code(other) == "HUB_BREAKER_OPEN"
    around.pass_s(1)
    await tried(one, SILENCE)
    # What the other one knows is of a second ago, when nobody had claimed the probe.
    assert await code(other) == "HUB_BREAKER_OPEN"
    assert await code(other, PROMPT) == "go"


async def test_what_one_instance_finds_out_the_other_knows_within_five_seconds(around: Around) -> None:
    one, other = around.gate(), around.gate()
    assert await code(other) == "go"
    await broken(one)
    assert await code(other) == "go"
    around.pass_s(5)
    assert await code(other) == "HUB_BREAKER_OPEN"
    await tried(one, Taken(200), PROMPT)
    around.pass_s(5)
    assert await code(other) == "go"


async def test_two_instances_that_find_out_at_once_agree(around: Around) -> None:
    gates = [around.gate(), around.gate()]
    await asyncio.gather(*(broken(gate) for gate in gates))
    assert around.document["state"] == "open"
    around.pass_s(1)
    await asyncio.gather(*(tried(gate, Taken(200), PROMPT) for gate in gates))
    assert around.document["state"] == "closed"
    for gate in gates:
        assert await code(gate) == "go"


async def test_a_refusal_is_a_sign_of_life(around: Around) -> None:
    gate = around.gate()
    for _ in range(20):
        await tried(gate, Refused("REC_HTTP_422", 422))
    assert await code(gate) == "go"
    await broken(gate)
    await tried(gate, Refused("REC_HTTP_422", 422), PROMPT)
    assert await code(gate) == "go"


@pytest.mark.parametrize("answer", [None, Later("HUB_RECEIVER_GONE"), Refused("HUB_NOTE_FAILED", 0)])
async def test_what_the_hub_did_not_send_says_nothing_of_the_receiver(around: Around, answer: Answer | None) -> None:
    gate = around.gate()
    for _ in range(20):
        await tried(gate, answer)
    assert await code(gate) == "go"
    await broken(gate)
    await tried(gate, answer, PROMPT)
    assert await code(gate) == "HUB_BREAKER_OPEN"


async def test_too_many_is_no_failure_and_is_given_a_rest(around: Around) -> None:
    gate = around.gate()
    for _ in range(20):
        await tried(gate, Later("REC_HTTP_429", timedelta(seconds=3)))
        busy = await gate.enter(TO, ROUTINE)
        assert isinstance(busy, Busy)
        assert busy.retry_in >= timedelta(seconds=3)
        around.pass_s(3)
    assert await code(gate) == "go"
    assert around.shelf.writes == 0


async def test_too_many_ends_an_outage(around: Around) -> None:
    gate = await broken(around.gate())
    around.pass_s(15)
    await tried(gate, Later("REC_HTTP_429", timedelta(seconds=1)))
    around.pass_s(1)
    assert await code(gate) == "go"


async def test_a_probe_whose_lane_had_nothing_to_try_is_left_to_the_next(around: Around) -> None:
    gate = await broken(around.gate())
    around.pass_s(15)
    assert await code(gate) == "probe"
    assert await code(gate) == "probe"
    await tried(gate, SILENCE)
    assert await code(gate) == "HUB_BREAKER_OPEN"


@pytest.mark.parametrize("receiver", ["epj", "*"])
async def test_a_stopped_receiver_gets_nothing_not_even_what_is_prompt(around: Around, receiver: str) -> None:
    gate = around.gate()
    around.stop(around.now + HOUR, receiver)
    for urgency in Urgency:
        assert await gate.enter(TO, urgency) == Hold(around.now + HOUR, "HUB_RECEIVER_STOPPED")
    assert around.document["held"]
    around.pass_s(3600)
    assert await code(gate) == "go"


async def test_a_stop_without_an_end_is_looked_at_every_hour(around: Around) -> None:
    gate = around.gate()
    around.stop(None)
    assert await gate.enter(TO, ROUTINE) == Hold(around.now + HOUR, "HUB_RECEIVER_STOPPED")
    around.open()
    assert await code(gate) == "go"


async def test_another_receivers_stop_stops_nothing_here(around: Around) -> None:
    around.stop(None, "other")
    assert await code(around.gate()) == "go"


async def test_the_register_says_how_much_goes_at_once(around: Around) -> None:
    gate = around.gate()
    around.limits(at_once=3)
    gone = [await gate.enter(TO, PROMPT) for _ in range(4)]
    assert [isinstance(each, Go) for each in gone] == [True, True, True, False]
    assert isinstance(gone[0], Go)
    await gate.leave(gone[0], Taken(200))
    assert await code(gate, PROMPT) == "go"


async def test_a_store_that_does_not_answer_stops_nothing(around: Around) -> None:
    gate = around.gate()
    around.shelf.down = around.register_down = True
    assert await code(gate) == "go"
    await broken(gate)
    assert await code(gate) == "HUB_BREAKER_OPEN"
    assert await code(gate, PROMPT) == "go"
    around.pass_s(15)
    await tried(gate, SILENCE)
    assert await code(gate) == "HUB_BREAKER_OPEN"
    around.pass_s(15)
    await tried(gate, Taken(200))
    assert await code(gate) == "go"


async def test_what_could_not_be_written_is_written_when_the_store_is_back(around: Around) -> None:
    gate = around.gate()
    await tried(gate, Taken(200))
    around.shelf.down = True
    await broken(gate)
    around.shelf.down = False
    around.pass_s(5)
    assert await code(gate) == "HUB_BREAKER_OPEN"
    assert (around.document["state"], around.document["held"]) == ("open", True)


async def test_stops_that_are_known_hold_on_while_the_register_does_not_answer(around: Around) -> None:
    gate = around.gate()
    around.stop(around.now + HOUR)
    assert await code(gate) == "HUB_RECEIVER_STOPPED"
    around.register_down = True
    assert await code(gate) == "HUB_RECEIVER_STOPPED"
    around.pass_s(3600)
    assert await code(gate) == "go"


async def test_a_delivery_costs_no_look_at_the_store_while_all_is_well(around: Around) -> None:
    gate = around.gate()
    for _ in range(1000):
        await tried(gate, Taken(200))
    assert (around.shelf.reads, around.shelf.writes) == (1, 0)
    around.pass_s(5)
    await asyncio.gather(*(tried(gate, Taken(200)) for _ in range(10)))
    assert around.shelf.reads == 2


async def test_thousands_that_wait_cost_no_write_each(around: Around) -> None:
    gate = await broken(around.gate())
    for _ in range(2000):
        assert await code(gate) == "HUB_BREAKER_OPEN"
    assert around.shelf.writes == 1
    around.open()
    around.stop(None)
    for _ in range(2000):
        assert await code(gate) == "HUB_RECEIVER_STOPPED"
    assert around.shelf.writes == 1


async def test_lanes_parked_after_held_was_taken_away_are_seen_to(around: Around) -> None:
    gate = around.gate()
    await gate.parked(TO)
    assert around.document["held"]
    around.document["held"], around.document["version"] = False, around.document["version"] + 1
    around.pass_s(5)
    await gate.parked(TO)
    assert around.document["held"]


async def test_a_document_that_was_deleted_begins_anew(around: Around) -> None:
    gate = await broken(around.gate())
    around.shelf.documents.clear()
    around.pass_s(15)
    await tried(gate, Taken(200))
    assert await code(gate) == "go"
    await broken(gate)
    assert around.document["state"] == "open"


async def test_holding_is_spread_so_that_not_all_look_at_once(around: Around) -> None:
    gate = await broken(around.gate())
    hold = await gate.enter(TO, ROUTINE)
    assert isinstance(hold, Hold)
    assert timedelta(hours=4) < hold.until - around.now < timedelta(hours=8)


async def test_who_finds_no_place_waits_shortly_for_one_and_only_a_few_do(around: Around) -> None:
    gate = Gatekeeper(
        register=around, standings=Standings(around.shelf), clock=lambda: around.now, at_once=5, wait_s=60
    )
    inside = [await gate.enter(TO, ROUTINE) for _ in range(4)]
    assert all(isinstance(each, Go) for each in inside)
    waiting = [asyncio.create_task(gate.enter(TO, ROUTINE)) for _ in range(WAITING)]
    for _ in range(50):
        await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    assert isinstance(await gate.enter(TO, ROUTINE), Busy)
    for each in inside:
        assert isinstance(each, Go)
        await gate.leave(each, Taken(201))
    for one in waiting:
        verdict = await asyncio.wait_for(one, 10)
        assert isinstance(verdict, Go)
        await gate.leave(verdict, Taken(201))
