"""Whatever happens at two instances, in any order: at most one probe in a while, and no receiver is left for dead."""

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.delivery.answers import Later, Taken
from shared.delivery.gate import Busy, Go, Hold
from shared.delivery.gatekeeper import Gatekeeper
from shared.messages.urgency import Urgency
from tests.unit.delivery.shelf import TO, Around

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fail", "fail", "take", "nothing", "prompt fail", "prompt take", "hang", "restart"]),
        st.integers(0, 1),
        st.integers(0, 8000),
    ),
    max_size=60,
)
"""What is done, at which instance, and how many milliseconds later."""


async def played(steps: list[tuple[str, int, int]]) -> None:
    around = Around()
    gates = [around.gate(), around.gate()]
    probes, hanging = [], list[tuple[Gatekeeper, Go]]()
    for does, which, later_ms in steps:
        around.pass_s(later_ms / 1000)
        if does == "restart":
            gates[which] = around.gate()
            continue
        gate = gates[which]
        verdict = await gate.enter(TO, Urgency.PROMPT if does.startswith("prompt") else Urgency.ROUTINE)
        if not isinstance(verdict, Go):
            assert isinstance(verdict, Hold | Busy)
            if isinstance(verdict, Hold):
                assert does in {"fail", "take", "nothing", "hang"}
                assert around.document["held"], "nobody would wake its lane"
            continue
        if does == "hang":
            hanging.append((gate, verdict))
        else:
            await gate.leave(verdict, answers(does))
        if verdict.probe and does != "nothing":
            probes.append(around.now)
    assert all((later - earlier).total_seconds() >= 15 for earlier, later in pairwise(probes))
    for gate, go in hanging:
        await gate.leave(go, Later("REC_NO_ANSWER"))
    await well_again(around, gates)


def answers(does: str) -> Taken | Later | None:
    if does == "nothing":
        return None
    return Taken(200) if does.endswith("take") else Later("REC_HTTP_500")


async def well_again(around: Around, gates: list[Gatekeeper]) -> None:
    """A receiver that answers is found out by one routine delivery, within a probe's wait; then all know."""
    around.pass_s(21)
    verdict = await gates[0].enter(TO, Urgency.ROUTINE)
    assert isinstance(verdict, Go)
    await gates[0].leave(verdict, Taken(200))
    around.pass_s(5)
    for gate in gates:
        verdict = await gate.enter(TO, Urgency.ROUTINE)
        assert isinstance(verdict, Go)
        assert not verdict.probe
        await gate.leave(verdict, Taken(200))


@settings(max_examples=150)
@given(STEPS)
def test_probes_are_fifteen_seconds_apart_over_all_instances_and_one_that_succeeds_opens_the_way_for_all(
    steps: list[tuple[str, int, int]],
) -> None:
    asyncio.run(played(steps))


async def at_once(crowd: list[tuple[int, str]]) -> None:
    around = Around()
    gates = [around.gate(), around.gate()]

    async def one(which: int, does: str) -> None:
        urgency = Urgency.PROMPT if does.startswith("prompt") else Urgency.ROUTINE
        verdict = await gates[which].enter(TO, urgency)
        if isinstance(verdict, Go):
            await asyncio.sleep(0)
            await gates[which].leave(verdict, answers(does))

    for _ in range(3):
        await asyncio.gather(*(one(which, does) for which, does in crowd))
        around.pass_s(7)
    await well_again(around, gates)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["fail", "take", "prompt fail", "prompt take"]))))
def test_a_crowd_at_two_instances_leaves_them_agreed(crowd: list[tuple[int, str]]) -> None:
    asyncio.run(at_once(crowd))
