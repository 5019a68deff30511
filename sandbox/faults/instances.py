"""Scenarios: more than one instance of the app, one that is frozen, one that is replaced, and clocks that jump."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from sandbox.faults.doorkeeper import Doorkeeper
from sandbox.faults.family import LOCK_S, Family
from sandbox.faults.handles import so
from sandbox.faults.scenario import Act, Scenario, Stage
from sandbox.faults.services import resetting

_SECOND: Final = "queues-2"
_JUMP_S: Final = 20.0
_SLOWLY_MS: Final = 1000
_VERY_SLOWLY_MS: Final = 3000
_AT_ONCE: Final = 6
"""Messages that one EPJ is sent at the same time."""
_NOW_AND_THEN_S: Final = 1.2
_UNTIL_TAKEN_OVER_S: Final = 150.0
_ROUNDS: Final = 3
_LATE_MS: Final = 3500
_HELD_S: Final = 3.0
_HALF: Final = 0.5


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


async def _lanes_move(stage: Stage) -> None:
    async with _two(stage):
        await stage.rig.behave("slow", delayMs=_VERY_SLOWLY_MS)
        async with stage.sending(1 / 2), resetting(stage.rig, _NOW_AND_THEN_S, to_another=True):
            await stage.outage()
        await stage.rig.behave("ok")
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


def _frozen_untold(hold: Callable[[Doorkeeper], None]) -> Act:
    """A worker is stopped in a first try that no line tells of; alarms come in behind it, and another worker."""

    async def act(stage: Stage) -> None:
        patients = range(min(stage.patients, _AT_ONCE))
        await stage.send(1 / 4)
        async with stage.rig.door() as keeper, AsyncExitStack() as second:
            hold(keeper)
            before = keeper.calls
            await stage.sender.at_once([stage.letters.write(each, prompt=False) for each in patients])
            begun = before + len(patients)
            await stage.rig.seen(so(lambda: keeper.calls >= begun), "the calls to come")
            async with stage.rig.frozen("queues"):
                await second.enter_async_context(_two(stage))
                await stage.sender.at_once([stage.letters.write(each, prompt=True) for each in patients])
                # Until then the lanes may be given to the stopped one again and again: its links wait for them.
                await stage.rig.seen(so(lambda: keeper.calls > begun), "another worker to call", _UNTIL_TAKEN_OVER_S)
                await asyncio.sleep(LOCK_S)
                await stage.some_time(1.0)
                if stage.chance.random() < _HALF:
                    keeper.let_all()
                    await stage.some_time(0.5)
            await stage.some_time(0.2)
            keeper.let_all()
            await stage.send(1 / 2)
        await stage.send()

    return act


async def _store_slow_in_a_try(stage: Stage) -> None:
    """Whoever is at a try is late in saying so, or whoever waits for that is late in looking."""
    async with stage.rig.door() as keeper:
        for _ in range(_ROUNDS):
            await _slowly(stage, keeper)
        await stage.send()


async def _slowly(stage: Stage, keeper: Doorkeeper) -> None:
    patients = range(min(stage.patients, _AT_ONCE))
    keeper.hold_calls()
    before = keeper.calls
    await stage.sender.at_once([stage.letters.write(each, prompt=False) for each in patients])
    await stage.rig.seen(so(lambda: keeper.calls > before), "a call to come")
    # Who says too late that somebody is at it may be called beside: of the two answers one is lost on the store.
    async with stage.rig.cosmos(mode="slow", delayMs=_LATE_MS, share=_HALF, seed=stage.chance.randrange(1000)):
        alarms = [stage.letters.write(each, prompt=True) for each in patients]
        async with asyncio.TaskGroup() as group:
            group.create_task(stage.sender.at_once(alarms))
            # As long as may be without the call being given up (Delivery__timeout).
            await asyncio.sleep(_HELD_S)
            await stage.some_time(1.3)
            keeper.let_all()


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
        "lanes-move-in-calls", "Two processes deliver to an EPJ that takes its time, and the broker drops all "
        "connections now and then.", _lanes_move, Family.TURNED,
    ),
    Scenario(
        "frozen-past-its-lock", "Two processes deliver; one is stopped (SIGSTOP) for longer than its locks hold, and "
        "comes back.", _frozen, Family.TURNED,
    ),
    Scenario(
        "frozen-alone", "The only process that delivers is stopped for longer than its locks hold, and comes back.",
        _frozen_alone, Family.TURNED,
    ),
    Scenario(
        "frozen-untold", "The only process that delivers is stopped past its locks in a first try that no line tells "
        "of; alarms come in behind it, and another process.", _frozen_untold(Doorkeeper.hold_calls), Family.TURNED,
    ),
    Scenario(
        "frozen-untold-stored", "The same, and the EPJ has stored what the stopped one was about to hear of.",
        _frozen_untold(Doorkeeper.hold_answers), Family.TURNED,
    ),
    Scenario(
        "store-slow-in-a-try", "Half of Cosmos' answers take 3.5 s, while alarms come in behind messages that are "
        "being tried.", _store_slow_in_a_try, Family.TURNED,
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
