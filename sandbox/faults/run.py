"""Runs scenarios one after another, those of a family on one hub, and says what each came to."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from sandbox import vendor
from sandbox.faults.family import Family
from sandbox.faults.handles import NotSeen
from sandbox.faults.ledger import Tally, reconcile
from sandbox.faults.rig import Rig, rig
from sandbox.faults.scenario import Scenario, Size, Stage
from sandbox.faults.sender import Refused
from sandbox.process import PartFailed
from shared.messages.documents import Unreachable

QUICK: Final = Size(messages=12, outage_s=1.5)
"""Enough to see a promise broken that is always broken."""
FAILURES: Final = (
    Refused, vendor.Refused, NotSeen, PartFailed, Unreachable, TimeoutError, aiohttp.ClientError, ValueError,
)  # fmt: skip
"""What says that a scenario cannot be gone through with."""
LONGEST_S: Final = 600.0
"""No scenario takes longer, or it has failed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a scenario came to."""

    name: str
    tally: Tally
    seconds: float
    notes: tuple[str, ...] = ()
    failed: str = ""
    """Why it could not be gone through with, in a line; empty when it could."""

    @property
    def good(self) -> bool:
        """Whether it was gone through with and nothing was lost, out of order or made up."""
        return not self.failed and self.tally.kept

    def json(self) -> dict[str, object]:
        """For programs."""
        tally = self.tally
        return {
            "name": self.name,
            "attempts": tally.attempts,
            "acknowledged": tally.acknowledged,
            "delivered": tally.delivered,
            "lost": tally.lost,
            "duplicated": tally.duplicated,
            "reordered": tally.reordered,
            "recovered": tally.recovered,
            "recovery_seconds": None if tally.recovery_seconds is None else round(tally.recovery_seconds, 3),
        }


Tell = Callable[[str], None]


async def run(
    scenarios: Iterable[Scenario], folder: Path, size: Size, seed: int, tell: Tell
) -> AsyncGenerator[tuple[Scenario, Result]]:
    """Run scenarios. `tell` hears what is being broken, and what happens to the parts of the hub.

    Raises what starting a hub raises.
    """
    scenarios = list(scenarios)
    for family in Family:
        mine = [each for each in scenarios if each.family is family]
        if not mine:
            continue
        async with rig(folder / family, family, tell) as ready:
            for scenario in mine:
                tell(f"{scenario.name}: {scenario.sentence}")
                yield scenario, await go_through(scenario, ready, size, seed)


async def go_through(scenario: Scenario, ready: Rig, size: Size, seed: int) -> Result:
    """One scenario, on a rig that is whole, and that is whole afterwards."""
    begun = time.monotonic()
    await ready.whole()
    since = await ready.newest()
    ready.broken.clear()
    stage = Stage(scenario.name, ready, size, seed)
    failed = ""
    try:
        async with asyncio.timeout(LONGEST_S):
            await scenario.act(stage)
    except* FAILURES as errors:
        failed = "; ".join(f"{type(each).__name__}: {each}" for each in errors.exceptions)
    await ready.whole()
    if not await ready.quiet(tuple(stage.senders), since, scenario.patience_s) and not failed:
        failed = f"not at rest {scenario.patience_s:.0f} s after everything was mended"
    sent = [each for sender in stage.senders for each in sender.ledger]
    tally = reconcile(sent, await ready.held(since), ready.broken)
    return Result(scenario.name, tally, time.monotonic() - begun, tuple(stage.notes), failed)
