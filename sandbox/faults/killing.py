"""Scenarios: parts are killed (`kill -9`) at named points of a message's road, and start again by themselves."""

from typing import Final

from sandbox.faults.points import POINTS
from sandbox.faults.scenario import Scenario, Stage
from sandbox.hub_parts import ALL

_WHO: Final = {
    "app": "The process that takes messages in",
    "queues": "The process that delivers",
    "servicebus": "The broker",
    "cosmos": "The Cosmos endpoint",
    "epj": "The EPJ",
}


def _kill(part: str, point: str) -> Scenario:
    bring, when = POINTS[point]

    async def act(stage: Stage) -> None:
        async with bring(stage), stage.rig.killed(part):
            pass
        await stage.send()

    return Scenario(f"kill-{part}-{point}", f"{_WHO[part]} is killed {when}.", act)


async def _under_load(stage: Stage, *rounds: tuple[str, ...]) -> None:
    """Kill while messages come in; which they are at depends on the seed."""
    share = 1 / (len(rounds) + 1)
    for parts in rounds:
        async with stage.sending(share):
            await stage.some_time(0.5)
            async with stage.rig.killed(*parts):
                pass
    await stage.send()


async def _broker_and_store(stage: Stage) -> None:
    await _under_load(stage, ("servicebus", "cosmos"))


async def _worker_and_epj(stage: Stage) -> None:
    await _under_load(stage, ("queues", "epj"))


async def _everything(stage: Stage) -> None:
    await _under_load(stage, ALL)


async def _helseid(stage: Stage) -> None:
    await _under_load(stage, ("helseid",))


async def _storm(stage: Stage) -> None:
    parts = [stage.chance.choice(("app", "queues", "servicebus", "cosmos", "epj")) for _ in range(4)]
    await _under_load(stage, *((part,) for part in parts))


async def _lost_answers_and_a_dead_worker(stage: Stage) -> None:
    async with stage.rig.epj("accept-then-drop", answers_lost=True):
        await stage.send(1 / 2)
        await stage.rig.any_is(stage.sender, "waiting")
        async with stage.rig.killed("queues"):
            pass
    await stage.send()


SCENARIOS: Final = (
    # What a part has nothing to do with at a point is left out.
    *(_kill("app", point) for point in ("accepted", "stored", "routing")),
    *(_kill("queues", point) for point in POINTS if point != "stored"),
    *(_kill(part, point) for part in ("servicebus", "cosmos") for point in POINTS),
    *(_kill("epj", point) for point in ("accepted", "called", "waiting")),
    Scenario("kill-broker-and-store", "The broker and the Cosmos endpoint are killed at once.", _broker_and_store),
    Scenario("kill-worker-and-epj", "The process that delivers and the EPJ are killed at once.", _worker_and_epj),
    Scenario("kill-helseid", "HelseID is killed while messages come in.", _helseid),
    Scenario("kill-everything", "Every part is killed at once, the EPJ too.", _everything),
    Scenario("restart-storm", "One part after another, picked by the seed, is killed under load.", _storm),
    Scenario(
        "answers-lost-and-worker-killed",
        "The EPJ stores and does not answer, and then the process that delivers is killed.",
        _lost_answers_and_a_dead_worker,
    ),
)
