"""A Service Bus for these tests: queues of every kind, with a clock that the tests move."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusReceivedMessage,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

from sandbox.servicebus import ManualClock, Service, serve
from sandbox.topology import Queue, Topology

NAMES = ("plain", "batch", "settle", "limit", "lost", "later", "aside", "kinds", "dead", "peeked", "other")
SESSION_NAMES = ("lanes", "lanes-busy", "lanes-lost", "lanes-next", "lanes-kept", "lanes-list")
QUEUES = (
    *(Queue(name, lock_duration=timedelta(seconds=30), max_delivery_count=3) for name in NAMES),
    *(Queue(name, requires_session=True, lock_duration=timedelta(seconds=30)) for name in SESSION_NAMES),
    Queue("once", duplicate_detection_window=timedelta(minutes=1)),
    Queue("brief", default_time_to_live=timedelta(minutes=2), dead_letter_on_expiration=True),
    Queue("js"),
    Queue("js-lanes", requires_session=True),
)
LOCKING = ("settle", "limit", "lost", "aside", "kinds", "dead", "peeked", "other")
PLAIN = (*NAMES, "once", "brief")
TOPOLOGY = Topology(QUEUES, "unused", ())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the event loop is about to do. Raises TimeoutError after ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing announces what the other side has done
            await asyncio.sleep(0.005)


@dataclass(slots=True)
class Bus:
    """The unmodified asynchronous SDK, with everything opened once: its handlers take a second to close."""

    client: ServiceBusClient
    clock: ManualClock
    service: Service
    _senders: dict[str, ServiceBusSender]
    _receivers: dict[tuple[str, Any], ServiceBusReceiver]
    _closing: "list[asyncio.Future[None]]"

    async def sender(self, queue: str) -> ServiceBusSender:
        if queue not in self._senders:
            self._senders[queue] = await self.client.get_queue_sender(queue).__aenter__()
        return self._senders[queue]

    async def receiver(self, queue: str, **options: Any) -> ServiceBusReceiver:
        key = (queue, tuple(sorted(options.items())))
        if key not in self._receivers:
            self._receivers[key] = await self.client.get_queue_receiver(queue, **options).__aenter__()
        return self._receivers[key]

    async def receive(self, queue: str, count: int = 1, **options: Any) -> list[ServiceBusReceivedMessage]:
        """`count` messages, or fewer when no more come."""
        receiver = await self.receiver(queue, **options)
        got: list[ServiceBusReceivedMessage] = []
        while len(got) < count:
            more = await receiver.receive_messages(count - len(got), max_wait_time=5)
            if not more:
                break
            got.extend(more)
        return got

    async def nothing(self, queue: str, **options: Any) -> bool:
        """Whether the queue has nothing to hand out just now."""
        return not await (await self.receiver(queue, **options)).receive_messages(1, max_wait_time=0.1)

    def later(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @asynccontextmanager
    async def lane(
        self, queue: str, session_id: str | None = None, max_wait_time: float = 5
    ) -> AsyncIterator[ServiceBusReceiver]:
        """A receiver of a session (None: the next available), that is let go before the SDK has done its goodbyes."""
        receiver = self.client.get_queue_receiver(
            queue, session_id=session_id or NEXT_AVAILABLE_SESSION, max_wait_time=max_wait_time
        )
        async with asyncio.timeout(10):
            await receiver.__aenter__()
        held = str(receiver.session.session_id)
        try:
            yield receiver
        finally:
            self._closing.append(asyncio.ensure_future(receiver.close()))
            sessions = self.service.server.broker.find(queue).sessions
            assert sessions is not None
            await until(lambda: not sessions.is_held(held))

    async def open(self) -> None:
        """Open what the tests use, all at once: each takes half a second on its own."""
        delete, dead = ServiceBusReceiveMode.RECEIVE_AND_DELETE, ServiceBusSubQueue.DEAD_LETTER
        await asyncio.gather(
            *(self.sender(queue) for queue in (*PLAIN, *SESSION_NAMES)),
            *(self.receiver(queue) for queue in LOCKING),
            *(self.receiver(queue, receive_mode=delete) for queue in ("plain", "later", "kinds", "peeked", "once")),
            *(self.receiver(queue, sub_queue=dead) for queue in ("limit", "dead")),
            self.receiver("batch", receive_mode=delete, prefetch_count=300),
            self.receiver("brief", sub_queue=dead, receive_mode=delete),
        )

    async def close(self) -> None:
        await asyncio.gather(*self._closing)
        await asyncio.gather(*(one.close() for one in (*self._senders.values(), *self._receivers.values())))
        await self.client.close()


@pytest.fixture(scope="session")
async def bus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bus]:
    # Ahead of the real time, by which the SDK judges whether it still has a lock: these tests may take a while.
    clock = ManualClock((time.time_ns() + 1_800_000_000_000) // 1_000_000)
    async with serve(tmp_path_factory.mktemp("servicebus"), TOPOLOGY, clock=clock) as service:
        client = ServiceBusClient.from_connection_string(service.connection_string, retry_total=0)
        bus = Bus(client, clock, service, {}, {}, [])
        await bus.open()
        yield bus
        await bus.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"
