"""Points of a message's road at which something is to be killed: each brings messages there, and lets them go on."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import aiohttp

from sandbox.faults import operating
from sandbox.faults.family import KNOWN_AFTER_S
from sandbox.faults.handles import so
from sandbox.faults.scenario import Stage
from sandbox.faults.sender import PATIENCE_S
from sandbox.vendor import Refused

type Point = Callable[[Stage], AbstractAsyncContextManager[None]]
"""Brings messages to a point of their road, and lets them go on at the end."""

_SLOWLY_MS: Final = 1500
_LATECOMER: Final = "310000035"
"""A synthetic municipality that gets its EPJ when messages to it have come already."""
_WAVE: Final = 24
"""So many messages are stored before the first of them has waited in vain for its signal to be sent."""
_PUT_BACK_EVERY_S: Final = 2.0
_HELD_S: Final = 2.5


@asynccontextmanager
async def _accepted(stage: Stage) -> AsyncIterator[None]:
    await stage.send(1 / 2)
    yield


@asynccontextmanager
async def _stored(stage: Stage) -> AsyncIterator[None]:
    """The broker takes what is signalled and dies with it; the vendor gives up, and comes back another day."""
    rig, letters = stage.rig, stage.take(min(1 / 2, _WAVE / stage.size.messages))
    before, since = await operating.kept(rig.hub), await rig.newest()
    broker = rig.hub.pids["servicebus"]
    async with rig.breaking("the broker hangs, and is started again", answers_lost=False):
        os.killpg(broker, signal.SIGSTOP)
        sending = asyncio.create_task(stage.sender.at_once(letters))

        async def all_stored() -> bool:
            return await operating.kept(rig.hub) >= before + len(letters)

        try:
            await rig.seen(all_stored, "all messages to be stored", PATIENCE_S)
        finally:
            sending.cancel()
            await asyncio.wait({sending})
        yield
        if rig.hub.pids["servicebus"] == broker:
            await rig.hub.restart("servicebus")
    promised = {each.sha256 for each in stage.sender.ledger}

    async def all_arrived() -> bool:
        return promised <= {each.sha256 for each in await rig.held(since)}

    await rig.seen(all_arrived, "what no signal tells of to arrive")
    await stage.sender.at_once(letters)


@asynccontextmanager
async def _untold(stage: Stage) -> AsyncIterator[None]:
    """A first try is under way, and its line does not tell of it yet."""
    async with stage.rig.door() as keeper:
        before = keeper.calls
        keeper.hold_calls()
        async with stage.sending(1 / 2):
            await stage.rig.seen(so(lambda: keeper.calls > before), "a call to come")
            # Before who is not killed gives it up: else it would be called again for want of an answer.
            asyncio.get_running_loop().call_later(_HELD_S, keeper.let_all)
            yield


@asynccontextmanager
async def _called(stage: Stage) -> AsyncIterator[None]:
    await stage.rig.behave("slow", delayMs=_SLOWLY_MS)
    await stage.send(1 / 2)
    await stage.rig.any_is(stage.sender, "delivering")
    # Before the EPJ has stored anything, while it does, or while its answer is being dealt with.
    await stage.some_time(_SLOWLY_MS / 1000 + 0.2)
    yield
    await stage.rig.behave("ok")


@asynccontextmanager
async def _ending(stage: Stage) -> AsyncIterator[None]:
    """The EPJ has stored and answered, and the store takes nothing of that."""
    async with stage.rig.door() as keeper:
        before = keeper.answers
        keeper.hold_answers()
        async with stage.sending(1 / 2):
            await stage.rig.seen(so(lambda: keeper.answers > before), "an answer to be given")
            async with stage.rig.breaking("the store turns the hub away", answers_lost=True):
                await stage.rig.cosmos_fault(refuse=True)
                keeper.let_all()
                await stage.some_time(0.2)
                yield
                await stage.rig.cosmos_fault(refuse=False)


@asynccontextmanager
async def _waiting(stage: Stage) -> AsyncIterator[None]:
    async with stage.rig.epj("500"):
        await stage.send(1 / 2)
        await stage.rig.any_is(stage.sender, "waiting")
        yield


@asynccontextmanager
async def _routing(stage: Stage) -> AsyncIterator[None]:
    """What had no receiver is put back by a person, and the store turns away whoever routes it."""
    rig = stage.rig
    neighbour = rig.sender(_LATECOMER)
    stage.senders.append(neighbour)
    await operating.receivers(rig.hub, _LATECOMER)
    await asyncio.sleep(KNOWN_AFTER_S)
    await neighbour.in_order(stage.take(1 / 2))
    await operating.receivers(rig.hub, _LATECOMER, rig.receiver_url(_LATECOMER))
    await asyncio.sleep(KNOWN_AFTER_S)
    worker = rig.hub.pids["queues"]

    async def received() -> bool:
        return "received" in [await rig.state(each.location) for each in neighbour.ledger]

    async with rig.breaking("the store turns the hub away", answers_lost=True):
        # Whoever routes is to find nothing of it done.
        os.killpg(worker, signal.SIGSTOP)
        try:
            await operating.put_back(rig.hub, _LATECOMER)
            await rig.seen(received, "a message to be in line again")
            await rig.cosmos_fault(refuse=True)
        finally:
            os.killpg(worker, signal.SIGCONT)
        await stage.some_time(0.3)
        yield
        await rig.cosmos_fault(refuse=False)

    async def all_back() -> bool:
        try:
            left = await operating.put_back(rig.hub, _LATECOMER)
        except (Refused, aiohttp.ClientError, OSError, TimeoutError):
            return False
        if left:
            await asyncio.sleep(_PUT_BACK_EVERY_S)
        return left == 0

    await rig.seen(all_back, "nothing to be set aside any more")


POINTS: Final[dict[str, tuple[Point, str]]] = {
    "accepted": (_accepted, "right after the 202"),
    "stored": (_stored, "between the batch that accepts a message and its signal, which is lost"),
    "untold": (_untold, "while the EPJ is called and no line tells of it"),
    "called": (_called, "while the EPJ is called"),
    "ending": (_ending, "when the EPJ has answered and nobody has written it down"),
    "waiting": (_waiting, "while messages wait for their next try"),
    "routing": (_routing, "while the store turns away who routes what was put back"),
}
