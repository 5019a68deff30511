"""Scenarios: the EPJ fails in the ways EPJs do, for a while."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from sandbox.faults.rig import Rig
from sandbox.faults.scenario import Scenario, Stage

type Break = Callable[[Rig], AbstractAsyncContextManager[None]]


def _out_of_order(name: str, sentence: str, breaks: Break, *, waits: bool = True) -> Scenario:
    """Half of the messages while the EPJ fails, half afterwards. `waits`: until one of them waits for its next try."""

    async def act(stage: Stage) -> None:
        async with breaks(stage.rig):
            await stage.send(1 / 2)
            if waits:
                await stage.rig.any_is(stage.sender, "waiting")
            await stage.outage()
        await stage.send()

    return Scenario(name, sentence, act)


def _mode(mode: str, *, answers_lost: bool = False, **how: object) -> Break:
    return lambda rig: rig.epj(mode, answers_lost=answers_lost, **how)


def _tls_to_a_plain_door(rig: Rig) -> AbstractAsyncContextManager[None]:
    return rig.receiver_at(rig.receiver_url().replace("http://", "https://"))


@asynccontextmanager
async def _certificate_of_a_stranger(rig: Rig) -> AsyncIterator[None]:
    door = await rig.tls_door("unknown-issuer")
    async with rig.receiver_at(rig.receiver_url().replace(rig.hub.addresses.epj, door)):
        yield


def _answers_badly(mode: str, how: str) -> Scenario:
    """The message is stored, and the answer is no answer."""
    return _out_of_order(f"epj-{mode}", f"The EPJ stores the message, and {how}.", _mode(mode, answers_lost=True))


SCENARIOS: Final = (
    _out_of_order("epj-away", "The EPJ is gone: its port refuses.", lambda rig: rig.away("epj")),
    _out_of_order("epj-hangs", "The EPJ takes connections and says nothing.", lambda rig: rig.frozen("epj")),
    _out_of_order("epj-500", "The EPJ answers 500.", _mode("500")),
    _out_of_order("epj-429", "The EPJ answers 429 with Retry-After: 1.", _mode("429", retryAfter=1)),
    _out_of_order(
        "epj-503", "The EPJ answers 503 with a date in Retry-After.", _mode("503", retryAfter=2, retryAfterAs="date")
    ),
    _out_of_order("epj-slow", "The EPJ takes a second for each message.", _mode("slow", delayMs=1000), waits=False),
    _out_of_order(
        "epj-too-slow", "The EPJ stores each message, and answers when the hub has given up waiting.",
        _mode("slow", delayMs=6000, answers_lost=True),
    ),
    _out_of_order("epj-resets", "The EPJ cuts the connection before it has stored anything.", _mode("reset")),
    _out_of_order(
        "epj-accepts-then-drops", "The EPJ stores the message and cuts the connection instead of answering.",
        _mode("accept-then-drop", answers_lost=True),
    ),
    _out_of_order("epj-wrong-tls", "The EPJ shows a certificate that nobody knows.", _certificate_of_a_stranger),
    _out_of_order("epj-no-tls", "Where the EPJ should speak TLS somebody speaks plain HTTP.", _tls_to_a_plain_door),
    _answers_badly("huge", "its answer is 64 MiB long"),
    _answers_badly("endless", "its answer never ends"),
    _answers_badly("drip", "its answer comes byte by byte"),
    _answers_badly("endless-headers", "the headers of its answer never end"),
    _answers_badly("not-http", "its answer is no HTTP"),
)  # fmt: skip
