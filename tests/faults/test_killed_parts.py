"""`kill -9` of any part at named points of the road: what was promised arrives, and once unless its answer was lost."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.hub_parts import ALL
from tests.flow.hub import QUICK, World, world
from tests.messages import alarm


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A hub that these tests may break; each leaves it whole."""
    async with world(tmp_path_factory.mktemp("killed")) as running:
        yield running


@pytest.fixture(autouse=True)
async def well_behaved(hub: World) -> AsyncIterator[None]:
    """The EPJ and the endpoints behave again after each test."""
    yield
    for part in ALL:
        await hub.hub.ready(part)
    await hub.behave("ok")
    await hub.cosmos_fault(refuse=False)
    await hub.servicebus_fault(refuse=False)


@pytest.mark.parametrize("part", ALL)
async def test_killed_right_after_the_202(hub: World, part: str) -> None:
    bodies = [alarm(f"7000{number}") for number in range(5)]
    for body in bodies:
        await hub.accepted(body)
    await hub.hub.kill(part)
    await hub.hub.ready(part)
    for body in bodies:
        received = await hub.arrives(body)
        # Killing who delivers, the EPJ or the store may lose an answer, after which another call must follow.
        assert received["calls"] == 1 or part in {"queues", "epj", "cosmos"}


@pytest.mark.parametrize("part", ["app", "queues", "servicebus", "cosmos"])
async def test_killed_while_routing_cannot_go_on(hub: World, part: str) -> None:
    # The store turns the app away, so the event stays between its 202 and its routing.
    body = alarm()
    location = await hub.accepted(body)
    await hub.cosmos_fault(refuse=True)
    await hub.hub.kill(part)
    await hub.hub.ready(part)
    await hub.cosmos_fault(refuse=False)
    assert (await hub.arrives(body))["sha256"] == hashlib.sha256(body).hexdigest()
    await hub.reaches(location, "delivered")


@pytest.mark.parametrize("part", ["app", "queues", "servicebus", "cosmos", "epj"])
async def test_killed_while_the_epj_is_being_called(hub: World, part: str) -> None:
    await hub.behave("slow", count=1, delayMs=1500)
    body = alarm()
    location = await hub.accepted(body)
    await hub.reaches(location, "delivering", "delivered")
    await hub.hub.kill(part)
    await hub.hub.ready(part)
    received = await hub.arrives(body)
    await hub.reaches(location, "delivered")
    assert received["calls"] <= 2


@pytest.mark.parametrize("part", ["app", "queues", "servicebus", "cosmos", "epj"])
async def test_killed_while_a_message_waits_for_its_next_try(hub: World, part: str) -> None:
    await hub.behave("500", count=2)
    body = alarm()
    location = await hub.accepted(body)
    await hub.reaches(location, "waiting", "delivered")
    await hub.hub.kill(part)
    await hub.hub.ready(part)
    await hub.arrives(body)
    await hub.reaches(location, "delivered")


async def test_killed_after_the_epj_has_it_and_before_the_hub_knows(hub: World) -> None:
    # The EPJ has stored the message when its connection breaks: the answer is lost, and one more call must follow.
    await hub.behave("accept-then-drop", count=1)
    body = alarm()
    location = await hub.accepted(body)
    await hub.arrives(body)
    await hub.hub.kill("queues")
    await hub.hub.ready("queues")
    await hub.reaches(location, "delivered")
    received = await hub.arrives(body)
    assert received["calls"] == 2


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


async def test_killed_at_any_moment_of_a_burst(hub: World) -> None:
    bodies = [alarm(f"720{number % 10:02}", text=f"Alarm {number}") for number in range(40)]
    sending = asyncio.create_task(_send_all(hub, bodies))
    for part in ("app", "queues", "servicebus", "cosmos", "queues", "app"):
        await hub.hub.kill(part)
        await hub.hub.ready(part)
    await sending
    for body in bodies:
        await hub.arrives(body)


async def _send_all(hub: World, bodies: list[bytes]) -> None:
    """Send like a vendor: again and again until each message got its 202."""
    for body in bodies:
        while True:
            try:
                answer = await hub.post(body)
            except (aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(0.1)
                continue
            if answer.status == 202:
                break
            assert answer.status in {503, 500}, answer.issues
            await asyncio.sleep(0.1)
