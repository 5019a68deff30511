"""The broker misbehaves on request, and the SDK sees what it would see of the service."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import ServiceBusServerBusyError

from sandbox.servicebus import Service, serve
from sandbox.topology import Queue, Topology

TOPOLOGY = Topology((Queue("plain"),), "unused", ())


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A broker to spoil."""
    async with serve(tmp_path, TOPOLOGY) as running:
        yield running


async def told(service: Service, **fault: object) -> int:
    url = f"http://127.0.0.1:{service.counters_port}/faults"
    async with aiohttp.ClientSession() as http, http.post(url, json=fault) as answer:
        return answer.status


async def test_a_throttled_send_is_told_that_the_service_is_busy(service: Service) -> None:
    async with (
        ServiceBusClient.from_connection_string(service.connection_string, retry_total=0) as client,
        client.get_queue_sender("plain") as sender,
    ):
        assert await told(service, busy=1) == 200
        with pytest.raises(ServiceBusServerBusyError):
            await sender.send_messages(ServiceBusMessage(b"turned away"))
        assert await told(service, busy=0) == 200
        await sender.send_messages(ServiceBusMessage(b"taken in"))
        async with client.get_queue_receiver("plain", max_wait_time=1) as receiver:
            assert [bytes(b"".join(each.body)) async for each in receiver] == [b"taken in"]


async def test_a_slow_broker_answers_late(service: Service) -> None:
    async with (
        ServiceBusClient.from_connection_string(service.connection_string) as client,
        client.get_queue_sender("plain") as sender,
    ):
        await sender.send_messages(ServiceBusMessage(b"at once"))
        assert await told(service, delayMs=400) == 200
        begun = time.monotonic()
        await sender.send_messages(ServiceBusMessage(b"later"))
        assert time.monotonic() - begun >= 0.39
        assert await told(service, delayMs=0) == 200
        await asyncio.wait_for(sender.send_messages(ServiceBusMessage(b"at once again")), 10)


@pytest.mark.parametrize("wanted", [{"busy": 2}, {"busy": "yes"}, {"delayMs": -1}, {"sulk": True}])
async def test_a_fault_that_is_none_is_400(service: Service, wanted: dict[str, object]) -> None:
    assert await told(service, **wanted) == 400
