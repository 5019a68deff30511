"""Scenarios: Service Bus and Cosmos DB do not do what they should, for a while, and messages keep coming meanwhile."""

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from sandbox.faults.rig import Rig
from sandbox.faults.scenario import Scenario, Stage

_SLOWLY_MS: Final = 1000

type Break = Callable[[Rig], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def resetting(rig: Rig, every_s: float = 0.3, *, to_another: bool = False) -> AsyncIterator[None]:
    """The broker drops all connections, again and again. `to_another`: there is another process to get the lanes."""

    async def again_and_again() -> None:
        while True:
            await rig.broker_fault(dropConnections=True)
            await asyncio.sleep(every_s)

    async with rig.breaking("servicebus: connections are reset", answers_lost=to_another, lanes_lost=to_another):
        resetting = asyncio.create_task(again_and_again())
        try:
            yield
        finally:
            resetting.cancel()
            await asyncio.wait({resetting})


def _meanwhile(name: str, sentence: str, breaks: Break) -> Scenario:
    """A third of the messages before, a third during the fault, a third after it."""

    async def act(stage: Stage) -> None:
        await stage.send(1 / 3)
        async with stage.sending(1 / 3), breaks(stage.rig):
            await stage.outage()
        await stage.send()

    return Scenario(name, sentence, act)


async def _resetting_in_calls(stage: Stage) -> None:
    await stage.rig.behave("slow", delayMs=_SLOWLY_MS)
    async with stage.sending(1 / 2), resetting(stage.rig):
        await stage.outage()
    await stage.rig.behave("ok")
    await stage.send()


_WHERE_THE_KERNEL_CAN: Final = (
    _meanwhile("broker-full-disk", "The broker cannot write to its disk.", lambda rig: rig.full_disk("servicebus")),
    _meanwhile("cosmos-full-disk", "Cosmos cannot write to its disk.", lambda rig: rig.full_disk("cosmos")),
)
"""Of the systems that the sandbox runs on only Linux lets one process set another's limits."""

SCENARIOS: Final = (
    *(_WHERE_THE_KERNEL_CAN if hasattr(resource, "prlimit") else ()),
    _meanwhile("broker-slow", "The broker takes 0.3 s for everything.", lambda rig: rig.broker(delayMs=300)),
    _meanwhile("broker-refuses", "The broker resets every connection at once.", lambda rig: rig.broker(refuse=True)),
    _meanwhile("broker-throttles", "The broker has no time for half of all sends.", lambda rig: rig.broker(busy=0.5)),
    _meanwhile("broker-resets", "The broker drops all connections three times a second.", resetting),
    Scenario(
        "broker-resets-in-calls", "The broker drops all connections three times a second while an EPJ is called that "
        "takes its time.", _resetting_in_calls,
    ),
    _meanwhile("broker-away", "The broker is gone: its port refuses.", lambda rig: rig.away("servicebus")),
    _meanwhile("broker-hangs", "The broker takes connections and says nothing.", lambda rig: rig.frozen("servicebus")),
    _meanwhile("cosmos-slow", "Cosmos waits 0.2 s first.", lambda rig: rig.cosmos(mode="slow", delayMs=200)),
    _meanwhile("cosmos-refuses", "Cosmos answers 503.", lambda rig: rig.cosmos(mode="503")),
    _meanwhile("cosmos-resets", "Cosmos drops half the connections.", lambda rig: rig.cosmos(mode="drop", share=0.5)),
    _meanwhile("cosmos-away", "Cosmos is gone: its port refuses.", lambda rig: rig.away("cosmos")),
    _meanwhile("cosmos-hangs", "Cosmos takes connections and says nothing.", lambda rig: rig.frozen("cosmos")),
    _meanwhile(
        "cosmos-throttles", "Cosmos answers 429 to half of all, to be asked again after 0.2 s.",
        lambda rig: rig.cosmos(mode="429", share=0.5, delayMs=200),
    ),
    _meanwhile(
        "cosmos-throttles-all", "Cosmos answers 429 to everything.", lambda rig: rig.cosmos(mode="429", delayMs=500)
    ),
    _meanwhile(
        "cosmos-answers-lost", "Cosmos does what it is asked, and one answer in three is lost.",
        lambda rig: rig.cosmos(mode="drop-after", share=0.3),
    ),
    _meanwhile(
        "etag-storm", "One conditional write in three is told 412 though its condition holds.",
        lambda rig: rig.cosmos(mode="412", share=0.3),
    ),
    _meanwhile(
        "retry-with", "One write in three is answered 449, Retry With.", lambda rig: rig.cosmos(mode="449", share=0.3)
    ),
)  # fmt: skip
