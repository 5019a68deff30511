"""A short run of every scenario of the fault rig: nothing lost, nothing out of order, nothing twice without a reason.

Three hubs are broken side by side: much of their time passes with waiting for parts to come back.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest

from sandbox.faults.catalogue import SCENARIOS
from sandbox.faults.family import Family
from sandbox.faults.run import QUICK, Result, run
from sandbox.faults.scenario import Scenario

SEED = 1

type Results = Mapping[str, asyncio.Future[Result]]


@pytest.fixture(scope="module")
async def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Results]:
    """What comes of each scenario that was asked for, as soon as it is known."""
    asked = {each.callspec.params["scenario"] for each in request.session.items if hasattr(each, "callspec")
             and isinstance(each.callspec.params.get("scenario"), Scenario)}  # fmt: skip
    chosen = [each for each in SCENARIOS if each in asked]
    known: dict[str, asyncio.Future[Result]] = {each.name: asyncio.Future() for each in chosen}
    folder = tmp_path_factory.mktemp("rig")
    plain = [each for each in chosen if each.family is Family.PLAIN]
    turned = [each for each in chosen if each.family is Family.TURNED]
    running = {
        asyncio.create_task(_go_through(mine, folder / str(number), known))
        for number, mine in enumerate((plain[::2], plain[1::2], turned))
    }
    try:
        yield known
    finally:
        if not all(each.done() for each in known.values()):
            for task in running:
                task.cancel()
        await asyncio.wait(running)


async def _go_through(mine: list[Scenario], folder: Path, known: Mapping[str, asyncio.Future[Result]]) -> None:
    try:
        async with aclosing(run(mine, folder, QUICK, SEED, _say)) as results:
            async for scenario, result in results:
                known[scenario.name].set_result(result)
    except BaseException as error:
        for each in mine:
            if not known[each.name].done():
                known[each.name].set_exception(RuntimeError(f"the hub is gone: {error!r}"))
        raise


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
async def test_nothing_is_lost_out_of_order_or_twice_without_a_reason(results: Results, scenario: Scenario) -> None:
    result = await results[scenario.name]
    for note in result.notes:
        _say(note)
    assert result.good, (result.failed, result.tally)
    assert result.tally.acknowledged >= QUICK.messages
    assert result.tally.duplicated == 0, result.tally.wrong
