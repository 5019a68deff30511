"""Scenarios: more than one instance of the app, one that is frozen, one that is replaced, and clocks that jump."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sandbox.faults.family import LOCK_S, Family
from sandbox.faults.scenario import Scenario, Stage

_SECOND: Final = "queues-2"
_JUMP_S: Final = 20.0
_SLOWLY_MS: Final = 1000


@asynccontextmanager
async def _two(stage: Stage) -> AsyncIterator[None]:
    await stage.rig.hub.beside("queues", _SECOND)
    try:
        yield
    finally:
        await stage.rig.hub.leave(_SECOND)


async def _two_instances(stage: Stage) -> None:
    async with _two(stage):
        await stage.send(1 / 3)
        async with stage.sending(1 / 3):
            await stage.some_time(0.5)
            async with stage.rig.killed(_SECOND):
                pass
        await stage.send()


async def _frozen(stage: Stage) -> None:
    async with _two(stage):
        await stage.rig.behave("slow", delayMs=_SLOWLY_MS)
        await stage.send(1 / 2)
        await stage.rig.any_is(stage.sender, "delivering")
        await stage.some_time(_SLOWLY_MS / 1000)
        async with stage.sending(1 / 4), stage.rig.frozen("queues"):
            await asyncio.sleep(LOCK_S + 2)
        await stage.rig.behave("ok")
        await stage.send()


async def _frozen_alone(stage: Stage) -> None:
    await stage.rig.behave("slow", delayMs=_SLOWLY_MS)
    await stage.send(1 / 2)
    await stage.rig.any_is(stage.sender, "delivering")
    await stage.some_time(_SLOWLY_MS / 1000)
    async with stage.rig.frozen("queues"):
        await asyncio.sleep(LOCK_S + 2)
    await stage.rig.behave("ok")
    await stage.send()


async def _frozen_door(stage: Stage) -> None:
    async with stage.sending(1 / 2):
        await stage.some_time(0.3)
        async with stage.rig.frozen("app"):
            await stage.outage()
    await stage.send()


async def _redeployed(stage: Stage) -> None:
    async with stage.sending(1 / 3):
        await stage.some_time(0.3)
        async with stage.rig.breaking("redeployment of app and queues", answers_lost=False):
            await asyncio.gather(stage.rig.hub.redeploy("app"), stage.rig.hub.redeploy("queues"))
    await stage.send()


async def _rolled(stage: Stage) -> None:
    rolling = stage.rig.breaking("rolling redeployment of queues", answers_lost=False)
    async with stage.sending(1 / 2), rolling, _two(stage):
        await stage.rig.hub.redeploy("queues")
    await stage.send()


def _jump(name: str, sentence: str, *moves: dict[str, float]) -> Scenario:
    async def act(stage: Stage) -> None:
        await stage.send(1 / 4)
        await stage.rig.behave("500")
        await stage.send(1 / 4)
        await stage.rig.any_is(stage.sender, "waiting")
        async with stage.rig.breaking("clocks jump", answers_lost=True):
            for move in moves:
                for part, seconds in move.items():
                    stage.rig.clock(part, seconds)
                await stage.some_time(1.0)
                await stage.send(1 / 8)
            await stage.rig.behave("ok")
            await stage.send(1 / 8)
            for part in ("app", "queues"):
                stage.rig.clock(part, 0)
        await stage.send()

    return Scenario(name, sentence, act, Family.TURNED, patience_s=60 + 2 * _JUMP_S)


SCENARIOS: Final = (
    Scenario("two-instances", "Two processes deliver; one is killed.", _two_instances, Family.TURNED),
    Scenario(
        "frozen-past-its-lock", "Two processes deliver; one is stopped (SIGSTOP) for longer than its locks hold, and "
        "comes back.", _frozen, Family.TURNED,
    ),
    Scenario(
        "frozen-alone", "The only process that delivers is stopped for longer than its locks hold, and comes back.",
        _frozen_alone, Family.TURNED,
    ),
    Scenario("frozen-door", "The process that takes messages in is stopped for a while.", _frozen_door, Family.TURNED),
    Scenario("redeployment", "App and queues are redeployed under load.", _redeployed, Family.TURNED),
    Scenario("rolling-redeployment", "Another instance starts before the first one leaves.", _rolled, Family.TURNED),
    _jump("clock-forward", "The clocks of the app jump 20 s ahead, and back.", {"app": _JUMP_S, "queues": _JUMP_S}),
    _jump("clock-back", "The clocks of the app jump 20 s back, and forth.", {"app": -_JUMP_S, "queues": -_JUMP_S}),
    _jump(
        "clocks-apart", "The clocks of the app's two processes are 40 s apart, first one ahead, then the other.",
        {"app": _JUMP_S, "queues": -_JUMP_S}, {"app": -_JUMP_S, "queues": _JUMP_S},
    ),
)  # fmt: skip
