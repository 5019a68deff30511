"""All scenarios there are."""

from typing import Final

from sandbox.faults import instances, killing, neighbours, receivers, services, traffic
from sandbox.faults.scenario import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    *killing.SCENARIOS,
    *services.SCENARIOS,
    *receivers.SCENARIOS,
    *traffic.SCENARIOS,
    *neighbours.SCENARIOS,
    *instances.SCENARIOS,
)


def named(names: list[str]) -> tuple[Scenario, ...]:
    """These scenarios, in the catalogue's order; all of them when none is named. Raises KeyError naming the first
    there is not."""
    known = {each.name for each in SCENARIOS}
    for name in names:
        if name not in known:
            raise KeyError(name)
    return tuple(each for each in SCENARIOS if not names or each.name in names)
