"""A short run of a scenario of the fault rig, and what must come of it."""

import sys

from sandbox.faults.catalogue import SCENARIOS
from sandbox.faults.family import Family
from sandbox.faults.rig import Rig
from sandbox.faults.run import QUICK, go_through
from sandbox.faults.scenario import Scenario

SEED = 1


def of(family: Family) -> list[Scenario]:
    """The scenarios that share a hub."""
    return [each for each in SCENARIOS if each.family is family]


def say(text: str) -> None:
    """Where the rig's own lines go: pytest shows them with a failure."""
    sys.stderr.write(f"{text}\n")


async def holds(scenario: Scenario, ready: Rig) -> None:
    """Go through it: nothing lost, nothing out of order, and nothing twice but where an answer was lost."""
    result = await go_through(scenario, ready, QUICK, SEED)
    for note in result.notes:
        say(note)
    assert result.good, (result.failed, result.tally)
    assert result.tally.acknowledged >= QUICK.messages
    assert result.tally.duplicated == 0, result.tally.wrong
