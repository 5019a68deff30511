"""A machine that loses its power: everything is killed at once, and another day all of it is started again."""

import asyncio
import hashlib

import pytest

from sandbox.hub_parts import ALL
from tests.flow.hub import QUICK, world
from tests.messages import alarm


async def test_everything_killed_at_once_and_started_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("all-killed")
    bodies = [alarm(f"7100{number % 3}", text=f"Alarm {number}") for number in range(12)]
    async with world(folder) as first:
        first.hub.auto_restart = False
        await first.behave("500", count=1000)
        for body in bodies:
            await first.accepted(body)
        await asyncio.gather(*(first.hub.kill(part) for part in ALL))
    async with world(folder, QUICK) as second:
        await second.behave("ok")
        for body in bodies:
            assert (await second.arrives(body))["calls"] == 1
        order = [each["sha256"] for each in await second.received()]
        for patient in range(3):
            wanted = [hashlib.sha256(body).hexdigest() for body in bodies[patient::3]]
            assert [each for each in order if each in wanted] == wanted
