"""What was acknowledged is there after `kill -9`, with a real process and a real disk."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusReceiveMode, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient

from sandbox.part import locked

ROOT = Path(__file__).resolve().parents[3]
DELETE = ServiceBusReceiveMode.RECEIVE_AND_DELETE
QUEUES = [
    {"name": "plain", "maxDeliveryCount": 2, "lockDuration": "PT5M"},
    {"name": "lanes", "requiresSession": True, "lockDuration": "PT5M"},
    {"name": "once", "requiresDuplicateDetection": True, "duplicateDetectionHistoryTimeWindow": "PT10M"},
]


@asynccontextmanager
async def together(*handlers: Any) -> AsyncIterator[None]:
    """Open and close the SDK's senders and receivers at the same time: each takes its time."""
    await asyncio.gather(*(one.__aenter__() for one in handlers))
    try:
        yield
    finally:
        await asyncio.gather(*(one.close() for one in handlers))


class Process:
    """The broker as `./hub` starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 0
        self.facts: dict[str, Any] = {}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox.servicebus",
            "--port", str(self.port), "--data", str(self.folder / "data"), "--topology", str(self.folder / "t.json"),
            stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.facts = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 20))
        self.port = self.facts["port"]

    async def end(self, number: int) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            os.kill(self._process.pid, number)
        return await self._process.wait()


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[Process]:
    (folder / "t.json").write_text(
        json.dumps({"serviceBus": {"queues": QUEUES}, "cosmos": {"database": "d", "containers": []}})
    )
    broker = Process(folder)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.end(signal.SIGKILL)


async def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    async with process(tmp_path) as broker:
        before = ServiceBusClient.from_connection_string(broker.facts["connectionString"], retry_total=0)
        plain, lanes = before.get_queue_sender("plain"), before.get_queue_sender("lanes")
        once, receiver = before.get_queue_sender("once"), before.get_queue_receiver("plain")
        lane = before.get_queue_receiver("lanes", session_id="a")
        await plain.send_messages([ServiceBusMessage(f"{n}", message_id=f"{n}") for n in range(10)])
        await lanes.send_messages([ServiceBusMessage(f"{n}", session_id="a") for n in range(3)])
        await once.send_messages(ServiceBusMessage("first", message_id="same"))
        await plain.schedule_messages(
            ServiceBusMessage("later", message_id="later"), datetime.now(UTC) + timedelta(hours=1)
        )
        got = await receiver.receive_messages(5, max_wait_time=5)
        while len(got) < 5:
            got.extend(await receiver.receive_messages(5 - len(got), max_wait_time=5))
        await receiver.complete_message(got[0])
        await receiver.defer_message(got[1])
        await receiver.dead_letter_message(got[2], reason="why")
        await lane.session.set_state(b"kept")
        await lane.complete_message((await lane.receive_messages(1, max_wait_time=5))[0])

        await broker.end(signal.SIGKILL)  # message 3 and 4 are locked just now
        await broker.start()

        after = ServiceBusClient.from_connection_string(broker.facts["connectionString"], retry_total=0)
        sender, once_sender = after.get_queue_sender("plain"), after.get_queue_sender("once")
        reader = after.get_queue_receiver("plain", receive_mode=DELETE)
        dead = after.get_queue_receiver("plain", sub_queue=ServiceBusSubQueue.DEAD_LETTER, receive_mode=DELETE)
        lane_after = after.get_queue_receiver("lanes", session_id="a", receive_mode=DELETE)
        once_after = after.get_queue_receiver("once", receive_mode=DELETE)
        async with together(sender, once_sender, reader, dead, lane_after, once_after):
            states = {str(m.message_id): m.state.name for m in await reader.peek_messages(20, sequence_number=1)}
            assert states == {"1": "DEFERRED", "later": "SCHEDULED"} | {str(n): "ACTIVE" for n in range(3, 10)}
            ready: list[ServiceBusReceivedMessage] = []
            while len(ready) < 7:
                ready.extend(await reader.receive_messages(7 - len(ready), max_wait_time=5))
            assert {str(m.message_id): m.delivery_count for m in ready} == {
                "3": 1, "4": 1, "5": 0, "6": 0, "7": 0, "8": 0, "9": 0,
            }  # fmt: skip
            [buried] = await dead.receive_messages(1, max_wait_time=5)
            assert (buried.message_id, buried.dead_letter_reason) == ("2", "why")
            assert await lane_after.session.get_state() == b"kept"
            assert [str(m) for m in await lane_after.receive_messages(3, max_wait_time=2)] == ["1", "2"]
            await once_sender.send_messages(ServiceBusMessage("second", message_id="same"))
            assert [str(m) for m in await once_after.receive_messages(2, max_wait_time=1)] == ["first"]
            await sender.send_messages(ServiceBusMessage("new"))
            [new] = await reader.receive_messages(1, max_wait_time=5)
            assert new.sequence_number == 12  # numbers are never given twice
        await asyncio.gather(*(one.close() for one in (plain, lanes, once, receiver, lane)), return_exceptions=True)


async def test_it_ends_cleanly_when_told_and_lets_go_of_its_folder(tmp_path: Path) -> None:
    async with process(tmp_path) as broker:
        assert await broker.end(signal.SIGTERM) == 0
        with locked(tmp_path / "data", patience_s=0):
            pass


async def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    async with process(tmp_path) as broker:
        first = broker.facts["connectionString"]
        await broker.end(signal.SIGKILL)
        await broker.start()
        assert broker.facts["connectionString"] == first
    assert (tmp_path / "data" / "sas-key").stat().st_mode & 0o777 == 0o600
