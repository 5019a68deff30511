"""The two kinds of AMQP link a listener needs: receiving links, and request/response pairs."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.amqp.codec import (
    Assembly,
    Attach,
    DeliveryState,
    Flow,
    Message,
    Properties,
    Source,
    Symbol,
    Target,
    Transfer,
    build,
    parse,
)
from sandbox.host.amqp_client import AmqpError, Connection

MAX_MESSAGE = 100 * 1024 * 1024
"""Largest message taken, bytes (Service Bus Premium's limit)."""
UNSETTLED_MODE, SETTLED_MODE = 0, 1
SECOND_MODE = 1
REQUEST_S = 30.0

SESSION_FILTER = Symbol("com.microsoft:session-filter")
TIMEOUT = Symbol("com.microsoft:timeout")
LOCKED_UNTIL = Symbol("com.microsoft:locked-until-utc")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A received message and what settles it. `tag` is the lock token."""

    delivery_id: int
    tag: bytes
    message: Message


class ReceiverLink:
    """A link that messages come in on, in peek-lock mode."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._handle = -1
        self._count = 0
        self._assembly = Assembly(MAX_MESSAGE)
        self._inbox: deque[Delivery] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._attached: asyncio.Future[Attach] = self._loop.create_future()
        self._stopped = False
        self.error: AmqpError | None = None
        """Why the link is gone, when it is."""

    @classmethod
    async def attach(
        cls,
        connection: Connection,
        address: str,
        source_filter: dict[Symbol, Any] | None = None,
        properties: dict[Symbol, Any] | None = None,
    ) -> tuple["ReceiverLink", Attach]:
        """Attach and wait for the answer, however long that takes. Raises AmqpError when it is refused.

        Cancelling the wait takes the link back.
        """
        link = cls(connection)
        link._handle = connection.attach(
            link,
            lambda handle: Attach(
                connection.new_name(),
                handle,
                True,
                UNSETTLED_MODE,
                SECOND_MODE,
                Source(address, filter=source_filter),
                Target(address),
                properties=properties,
            ),
        )
        try:
            return link, await link._attached
        except asyncio.CancelledError:
            link.detach()
            raise

    @property
    def waiting(self) -> int:
        """How many messages have come and have not been taken."""
        return len(self._inbox)

    def grant(self, credit: int) -> None:
        """Let that many messages come, counted from now."""
        if self.error is None and credit > 0:
            self._connection.flow(self._handle, self._count, credit)

    async def receive(self, timeout_s: float | None) -> Delivery | None:
        """The next message; None when none comes in time, or the link is gone or stopped."""
        if not self._inbox:
            if self._stopped or self.error is not None:
                return None
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append(waiter)
            timer = None if timeout_s is None else self._loop.call_later(timeout_s, _wake, waiter)
            try:
                await waiter
            finally:
                if timer is not None:
                    timer.cancel()
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        return self._inbox.popleft() if self._inbox and not self._stopped else None

    async def settle(self, delivery: Delivery, state: DeliveryState) -> None:
        """Settle a message. Raises AmqpError when the lock is lost or the link is gone."""
        if self.error is not None:
            raise self.error
        await self._connection.settle(delivery.delivery_id, state)

    def stop(self) -> None:
        """Take no more messages; whoever waits for one gets None."""
        self._stopped = True
        self._wake_all()

    def detach(self) -> None:
        """Close the link; messages that came and were not taken go back to the queue."""
        self._stopped = True
        if self.error is None:
            self._connection.detach(self._handle)

    def on_attach(self, attach: Attach) -> None:
        """Granted, or about to be refused when there is no source."""
        if attach.source is not None and not self._attached.done():
            self._count = attach.initial_delivery_count or 0
            self._attached.set_result(attach)

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A message, or a part of one."""
        whole = self._assembly.add(transfer, payload)
        if whole is None:
            return
        first, content = whole
        self._count += 1
        self._inbox.append(Delivery(first.delivery_id or 0, first.delivery_tag or b"", parse(content)))
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break

    def on_flow(self, flow: Flow) -> None:
        """Nothing to do for a receiving link."""

    def on_end(self, error: AmqpError) -> None:
        """The link is gone."""
        self.error = error
        if not self._attached.done():
            self._attached.set_exception(error)
        self._wake_all()

    def _wake_all(self) -> None:
        while self._waiters:
            _wake(self._waiters.popleft())


class Requests:
    """Requests to a node (`$cbs`, `queue/$management`) over a pair of links; answers are matched by message id."""

    def __init__(self, connection: Connection, address: str) -> None:
        self._connection = connection
        self._address = address
        loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = loop.create_future()
        self._pending: dict[uuid.UUID, asyncio.Future[Message]] = {}
        self._assembly = Assembly(MAX_MESSAGE)
        self.gone = False
        """Whether the pair is of no more use."""
        self._sender = _Half(self._on_credit, self._on_answer, self._on_gone)
        self._receiver = _Half(lambda: None, self._on_answer, self._on_gone)
        self._sender_handle = connection.attach(
            self._sender,
            lambda handle: Attach(
                connection.new_name(), handle, False, SETTLED_MODE, 0, Source(address), Target(address), None, None, 0
            ),
        )
        receiver_handle = connection.attach(
            self._receiver,
            lambda handle: Attach(
                connection.new_name(), handle, True, SETTLED_MODE, 0, Source(address), Target(address)
            ),
        )
        connection.flow(receiver_handle, 0, 1 << 20)

    async def ask(self, application_properties: dict[str, Any], body: Any) -> Message:
        """Send a request and wait for its answer. Raises AmqpError when the node refuses or does not answer."""
        message_id = uuid.uuid4()
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._pending[message_id] = answer
        try:
            async with asyncio.timeout(REQUEST_S):
                await asyncio.shield(self._ready)
                request = Message(
                    properties=Properties(message_id=message_id, reply_to=self._address),
                    application_properties=application_properties,
                    value=body,
                )
                self._connection.transfer(self._sender_handle, message_id.bytes, build(request))
                return await answer
        except TimeoutError:
            raise AmqpError("com.microsoft:timeout", f"{self._address} did not answer") from None
        finally:
            self._pending.pop(message_id, None)

    def _on_credit(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _on_answer(self, transfer: Transfer, payload: bytes) -> None:
        whole = self._assembly.add(transfer, payload)
        if whole is None:
            return
        message = parse(whole[1])
        waiting = self._pending.get(message.properties.correlation_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def _on_gone(self, error: AmqpError) -> None:
        self.gone = True
        if not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()  # asked for here, so that nobody having waited is not an error of its own
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(error)
        self._pending.clear()


class _Half:
    """One link of a request/response pair."""

    def __init__(
        self,
        on_credit: Callable[[], None],
        on_answer: Callable[[Transfer, bytes], None],
        on_gone: Callable[[AmqpError], None],
    ) -> None:
        self._on_credit = on_credit
        self._on_answer = on_answer
        self._on_gone = on_gone

    def on_attach(self, attach: Attach) -> None:
        """Nothing to do: credit tells that a sending link can be used."""

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """An answer."""
        self._on_answer(transfer, payload)

    def on_flow(self, flow: Flow) -> None:
        """The node takes requests."""
        if flow.link_credit:
            self._on_credit()

    def on_end(self, error: AmqpError) -> None:
        """The link is gone."""
        self._on_gone(error)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
