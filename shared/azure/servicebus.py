"""Signals on Service Bus: one sender a queue, kept open; signals that come at the same time travel together."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

from shared.azure import credentials
from shared.azure.settings import ServiceBusSettings
from shared.messages.lanes import Lane
from shared.messages.signals import Queue, Signal, SignalLost

_TOGETHER: Final = 100
"""Signals in one send; at a few hundred bytes each that is far below a batch's limit of 256 KB."""
_LOOK_AGAIN_S: Final = 1.0
"""After a failure, the least time between two looks whether Service Bus is back."""


@dataclass(slots=True)
class _Line:
    """What waits to be sent to one queue."""

    waiting: deque[tuple[ServiceBusMessage, asyncio.Future[None]]] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    sender: ServiceBusSender | None = None


class ServiceBusSignals:
    """See `shared.messages.signals.Signals`."""

    def __init__(self, settings: ServiceBusSettings, monotonic: Callable[[], float] | None = None) -> None:
        self._settings = settings
        self._client: ServiceBusClient | None = None
        self._lines = {queue: _Line() for queue in Queue}
        self._down_since: float | None = None
        self._looked_at = 0.0
        self._looking = asyncio.Lock()
        self._monotonic = monotonic

    async def send(
        self,
        queue: Queue,
        lane: Lane,
        due: datetime | None = None,
        *,
        to: str = "",
        woken: bool = False,
        event: str = "",
    ) -> None:
        """See Signals."""
        message = ServiceBusMessage(
            Signal(lane, to, woken, event).body(),
            session_id=lane,
            content_type="application/json",
            scheduled_enqueue_time_utc=due,
        )
        line = self._lines[queue]
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting.append((message, sent))
        if line.task is None:
            line.task = asyncio.create_task(self._send_waiting(queue, line))
        await sent

    async def ready(self) -> bool:
        """See Signals. Costs nothing while sends succeed."""
        if not self._is_down():
            return True
        async with self._looking:
            if not self._is_down():
                return True
            if self._now() - self._looked_at < _LOOK_AGAIN_S:
                return False
            self._looked_at = self._now()
            try:
                async with asyncio.timeout(self._settings.patience_s):
                    # Opens a link of its own, which is the cheapest thing to ask that needs an answer.
                    async with self._open().get_queue_sender(Queue.EVENTS) as sender:
                        await sender.create_message_batch()
            except (AzureError, TimeoutError, OSError):
                return False
            self._down_since = None
            return True

    async def close(self) -> None:
        """Send what waits, then close."""
        await asyncio.gather(*(line.task for line in self._lines.values() if line.task), return_exceptions=True)
        client, self._client = self._client, None
        for line in self._lines.values():
            line.sender = None
        if client is not None:
            await client.close()

    async def _send_waiting(self, queue: Queue, line: _Line) -> None:
        try:
            while line.waiting:
                together = [line.waiting.popleft() for _ in range(min(_TOGETHER, len(line.waiting)))]
                lost = await self._send_together(queue, line, [message for message, _ in together])
                for _, sent in together:
                    if sent.done():
                        continue
                    if lost is None:
                        sent.set_result(None)
                    else:
                        sent.set_exception(SignalLost(lost))
        finally:
            line.task = None

    async def _send_together(self, queue: Queue, line: _Line, messages: list[ServiceBusMessage]) -> str | None:
        """Send in one go. Returns the kind of failure, if it failed."""
        try:
            async with asyncio.timeout(self._settings.patience_s):
                if line.sender is None:
                    line.sender = self._open().get_queue_sender(queue)
                # One message goes alone: a batch of one costs a size check and an envelope for nothing.
                await line.sender.send_messages(messages[0] if len(messages) == 1 else messages)
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises, those who wait must hear of it
            await self._discard(line)
            self._down_since = self._down_since or self._now()
            return type(error).__name__
        self._down_since = None
        return None

    async def _discard(self, line: _Line) -> None:
        # A sender whose link broke half-way may answer for ever with the same error; a new one costs little.
        sender, line.sender = line.sender, None
        if sender is None:
            return
        try:
            async with asyncio.timeout(2):
                await sender.close()
        except (AzureError, TimeoutError, OSError):
            return

    def _open(self) -> ServiceBusClient:
        if self._client is None:
            settings = self._settings
            if settings.connection_string is not None:
                self._client = ServiceBusClient.from_connection_string(
                    settings.connection_string.get_secret_value(), retry_total=1, retry_backoff_factor=0.1
                )
            else:
                self._client = ServiceBusClient(
                    settings.namespace or "", credentials.default(), retry_total=1, retry_backoff_factor=0.1
                )
        return self._client

    def _is_down(self) -> bool:
        return self._down_since is not None

    def _now(self) -> float:
        return self._monotonic() if self._monotonic else asyncio.get_running_loop().time()
