"""A short run of every scenario that the hub goes through as `hub up` runs it."""

from collections.abc import AsyncIterator

import pytest

from sandbox.faults.family import Family
from sandbox.faults.rig import Rig, rig
from sandbox.faults.scenario import Scenario
from tests.faults.rigs import holds, of, say


@pytest.fixture(scope="module")
async def ready(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """A hub to break; each scenario leaves it whole."""
    async with rig(tmp_path_factory.mktemp("rig"), Family.PLAIN, say) as running:
        yield running


@pytest.mark.parametrize("scenario", of(Family.PLAIN), ids=lambda each: each.name)
async def test_nothing_is_lost_out_of_order_or_twice_without_a_reason(ready: Rig, scenario: Scenario) -> None:
    await holds(scenario, ready)
