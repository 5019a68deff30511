"""A scenario that measures: one receiver is dead, one patient's lane is stuck, and what all others notice of it."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from sandbox.faults.ledger import Sent
from sandbox.faults.scenario import Scenario, Stage
from sandbox.faults.sender import Sender
from sandbox.ports import LOOPBACK

_NEIGHBOUR: Final = "310000027"
"""Another synthetic municipality, whose receiver is the one that dies."""
_ROUNDS: Final = 3
_FEW: Final = 20
"""With so few messages one round will do: nothing can be read from its figures anyway."""
_OTHERS_PER_S: Final = 6.0
_DEAD_PER_S: Final = 2.0
_STUCK: Final = 0
"""The patient whose lane is stuck."""


async def _neighbours(stage: Stage) -> None:
    """Calm and troubled phases by turns, with the same messages in both, so that a machine's own moods strike both."""
    dead = stage.rig.sender(_NEIGHBOUR)
    stage.senders.append(dead)
    await stage.rig.move_receiver(stage.rig.receiver_url(_NEIGHBOUR), _NEIGHBOUR)
    patients = iter(range(1, 1_000_000))
    await _phase(stage, dead, patients)
    calm: list[float] = []
    troubled: list[float] = []
    for _ in range(_ROUNDS if stage.size.messages > _FEW else 1):
        calm += await _phase(stage, dead, patients)
        async with _trouble(stage):
            troubled += await _phase(stage, dead, patients)
        await stage.rig.quiet(tuple(stage.senders), 0, 60.0)
    for share in (0.5, 0.99):
        before, during = _percentile(calm, share), _percentile(troubled, share)
        stage.notes.append(
            f"p{share * 100:.0f} of all others, from post to EPJ: {before * 1000:.0f} ms when all is well, "
            f"{during * 1000:.0f} ms beside a dead receiver and a stuck lane, ratio {during / before:.2f} "
            f"({len(calm)} and {len(troubled)} messages)"
        )


async def _phase(stage: Stage, dead: Sender, patients: Iterator[int]) -> list[float]:
    """Send to both municipalities at a steady pace. Seconds from post to EPJ of each message to the healthy one."""
    count = stage.size.messages
    few = max(1, round(count * _DEAD_PER_S / _OTHERS_PER_S))
    others = [stage.letters.write(next(patients)) for _ in range(count)]
    for_the_dead = [stage.letters.write(next(patients)) for _ in range(few)]
    since = await stage.rig.newest()
    begun = len(stage.sender.ledger)
    async with asyncio.TaskGroup() as group:
        group.create_task(stage.sender.at_rate(others, _OTHERS_PER_S))
        group.create_task(dead.at_rate(for_the_dead, _DEAD_PER_S))
    return await _latencies(stage, stage.sender.ledger[begun:], since)


async def _latencies(stage: Stage, sent: Sequence[Sent], since: int) -> list[float]:
    wanted = {each.sha256: each for each in sent}

    async def all_there() -> bool:
        return set(wanted) <= {each.sha256 for each in await stage.rig.held(since)}

    await stage.rig.seen(all_there, "all others' messages to arrive")
    return [
        each.stored - begun
        for each in await stage.rig.held(since)
        if each.sha256 in wanted and (begun := wanted[each.sha256].begun) is not None
    ]


@asynccontextmanager
async def _trouble(stage: Stage) -> AsyncIterator[None]:
    """The neighbour's receiver takes connections and never answers, and one patient's messages are answered 500."""
    rig = stage.rig
    silent = await asyncio.start_server(_say_nothing, LOOPBACK, 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, rig.breaking("a dead receiver and a stuck lane", answers_lost=False):
        await rig.move_receiver(f"http://{LOOPBACK}:{port}/fhir/{_NEIGHBOUR}", _NEIGHBOUR)
        await rig.behave("500", contains=stage.letters.name_of(_STUCK))
        await stage.sender.in_order([stage.letters.write(_STUCK) for _ in range(4)])
        try:
            yield
        finally:
            await rig.behave("ok", contains=stage.letters.name_of(_STUCK))
            await rig.move_receiver(rig.receiver_url(_NEIGHBOUR), _NEIGHBOUR)
            silent.close_clients()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass
    finally:
        writer.close()


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


SCENARIOS: Final = (
    Scenario(
        "neighbours",
        "One receiver never answers and one patient's lane is stuck; what do all others notice?",
        _neighbours,
        patience_s=120.0,
    ),
)
