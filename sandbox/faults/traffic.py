"""Scenarios: nothing is broken, but what is sent is much, large, or all about one patient."""

from typing import Final

from sandbox.faults.letters import MEBIBYTE
from sandbox.faults.scenario import Scenario, Stage

_TIMES: Final = 5
_LARGE: Final = 4
"""As many as this of all messages are as large as may be: the smaller part of an hour for their sender too."""


async def _duplicates(stage: Stage) -> None:
    await stage.sender.flood(stage.take(), _TIMES)


async def _duplicates_while_a_worker_dies(stage: Stage) -> None:
    await stage.sender.flood(stage.take(1 / 2), _TIMES)
    async with stage.rig.killed("queues"):
        await stage.sender.flood(stage.take(1 / 4), _TIMES)
    await stage.sender.flood(stage.take(), _TIMES)


async def _large(stage: Stage) -> None:
    letters = stage.take()
    count = max(2, len(letters) // _LARGE)
    size = MEBIBYTE
    large = [stage.letters.write(number % 2, prompt=True, size=size) for number in range(count)]
    await stage.sender.in_order([*letters, *large])


async def _hot_patient(stage: Stage) -> None:
    stage.patients = 1
    await stage.send(1 / 2)
    async with stage.rig.killed("queues"):
        await stage.send()


SCENARIOS: Final = (
    Scenario("duplicate-flood", "Every message is posted five times at once.", _duplicates),
    Scenario(
        "duplicate-flood-worker-killed", "The same, and the process that delivers is killed.",
        _duplicates_while_a_worker_dies,
    ),
    Scenario("large-messages", "Messages of 1 MiB among the others.", _large),
    Scenario("hot-patient", "All messages are about one patient, and the worker is killed.", _hot_patient),
)  # fmt: skip
