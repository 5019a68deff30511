"""Queue triggers: messages from the broker to the worker, settled by how the run ended.

As the .NET extension does it over one connection: for sessions up to `maxConcurrentSessions` links wait for the next
free session; a session is held until `sessionIdleTimeout` passes without a message; its lock is renewed for at most
`maxAutoLockRenewalDuration` in all. A run that succeeds completes the message, one that fails abandons it (which
brings it back at once, counted). When settling fails, the message comes again: nothing is lost.
"""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.amqp.codec import Accepted, Attach, Modified, UInt
from sandbox.host import messages
from sandbox.host.amqp_client import AmqpError, Connection, ConnectionLost
from sandbox.host.amqp_links import LOCKED_UNTIL, SESSION_FILTER, TIMEOUT, Delivery, ReceiverLink
from sandbox.host.bus import Bus
from sandbox.host.functions import Function, ServiceBusTrigger
from sandbox.host.hostjson import ServiceBusOptions
from sandbox.host.renewal import Renewal
from sandbox.host.worker import Worker, traceparent

log = logging.getLogger("host.servicebus")

ACCEPT_MS = 60_000
"""How long the broker may hold an attach for the next free session, milliseconds (the client's TryTimeout)."""
REFUSED_WAIT_S = 2.0
"""Wait after the broker refused a link for a reason that time may mend (no such queue, not authorised)."""
ABANDON = Modified(delivery_failed=True, undeliverable_here=False)

_TICKS_1970 = 621_355_968_000_000_000
_NO_SESSION = ("com.microsoft:timeout", "amqp:connection:forced", "com.microsoft:session-cannot-be-locked")


class Listener:
    """Feeds one function from one queue until stopped."""

    def __init__(
        self, function: Function, trigger: ServiceBusTrigger, options: ServiceBusOptions, bus: Bus, worker: Worker
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._options = options
        self._bus = bus
        self._worker = worker
        self._complete = options.auto_complete if trigger.auto_complete is None else trigger.auto_complete
        self._stopping = asyncio.Event()
        self._accepting: set[asyncio.Future[Any]] = set()
        self._links: set[ReceiverLink] = set()
        self._slots: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen."""
        count = self._options.max_concurrent_sessions if self._trigger.sessions else 1
        self._slots = [asyncio.create_task(self._listen(), name=self._function.name) for _ in range(count)]
        for slot in self._slots:
            slot.add_done_callback(self._ended)

    async def stop(self, patience_s: float) -> None:
        """Take nothing new, let what runs finish and be settled, for at most `patience_s` seconds."""
        self._stopping.set()
        for link in self._links:
            link.stop()
        for task in self._accepting:
            task.cancel()
        if self._slots:
            _, left = await asyncio.wait(self._slots, timeout=patience_s)
            for task in left:
                task.cancel()

    def _ended(self, slot: asyncio.Task[None]) -> None:
        if not slot.cancelled() and (error := slot.exception()) is not None:
            log.critical("a listener of '%s' ended and will not come back", self._function.name, exc_info=error)

    async def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                connection = await self._interruptible(self._bus.connected())
                link, attach = await self._interruptible(self._attach(connection))
            except asyncio.CancelledError:
                if self._stopping.is_set():
                    return
                raise
            except AmqpError as error:
                if error.condition not in _NO_SESSION:
                    log.error("queue '%s' refuses '%s': %s", self._trigger.queue, self._function.name, error)
                    await self._pause()
                continue
            await self._serve(connection, link, attach)

    async def _interruptible[T](self, wait: Awaitable[T]) -> T:
        """Wait for something that `stop` may cut short; the slot itself is cut short by nothing."""
        task = asyncio.ensure_future(wait)
        self._accepting.add(task)
        try:
            return await task
        finally:
            self._accepting.discard(task)
            if not task.done():
                task.cancel()

    async def _pause(self) -> None:
        try:
            await self._interruptible(asyncio.sleep(REFUSED_WAIT_S))
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise

    async def _attach(self, connection: Connection) -> tuple[ReceiverLink, Attach]:
        if not self._trigger.sessions:
            return await ReceiverLink.attach(connection, self._trigger.queue)
        return await ReceiverLink.attach(
            connection, self._trigger.queue, {SESSION_FILTER: None}, {TIMEOUT: UInt(ACCEPT_MS)}
        )

    async def _serve(self, connection: Connection, link: ReceiverLink, attach: Attach) -> None:
        """Everything that comes on one link, until it is idle (a session), stopped or gone."""
        self._links.add(link)
        renewal: Renewal | None = None
        at_once, idle = self._options.max_concurrent_calls, None
        if self._trigger.sessions:
            at_once = self._options.max_concurrent_calls_per_session
            idle = self._options.session_idle_timeout.total_seconds()
            renewal = self._session_renewal(connection, attach)
        room = at_once + self._options.prefetch_count
        running = 0

        async def one_at_a_time() -> None:
            nonlocal running
            while True:
                delivery = await link.receive(idle)
                if delivery is None:
                    if running and link.error is None and not self._stopping.is_set():
                        continue
                    link.stop()
                    return
                running += 1
                try:
                    await self._handle(connection, link, delivery)
                finally:
                    running -= 1
                if not self._stopping.is_set():
                    link.grant(room - running - link.waiting)

        try:
            if self._stopping.is_set():
                return
            link.grant(room)
            if at_once == 1:
                await one_at_a_time()
            else:
                await asyncio.gather(*(one_at_a_time() for _ in range(at_once)))
        finally:
            if renewal is not None:
                renewal.stop()
            self._links.discard(link)
            link.detach()
        if link.error is not None and not isinstance(link.error, ConnectionLost):
            log.warning("a link to queue '%s' was ended by the broker: %s", self._trigger.queue, link.error)

    async def _handle(self, connection: Connection, link: ReceiverLink, delivery: Delivery) -> None:
        renewal = None if self._trigger.sessions else self._message_renewal(connection, delivery)
        binary = self._trigger.binary
        try:
            outcome = await self._worker.invoke(
                self._function,
                messages.body_value(delivery.message, binary),
                messages.metadata(delivery, binary),
                traceparent(messages.trace_parent(delivery.message)),
            )
            if not outcome.succeeded:
                await link.settle(delivery, ABANDON)
            elif self._complete:
                await link.settle(delivery, Accepted())
        except AmqpError as error:
            log.warning("a message of queue '%s' was not settled and will come again: %s", self._trigger.queue, error)
        finally:
            if renewal is not None:
                renewal.stop()

    def _session_renewal(self, connection: Connection, attach: Attach) -> Renewal | None:
        session = granted_session(attach)
        ticks = (attach.properties or {}).get(LOCKED_UNTIL)
        if session is None or not isinstance(ticks, int):
            return None
        locked_until = datetime.fromtimestamp((ticks - _TICKS_1970) / 10_000_000, UTC)
        return Renewal(
            lambda: self._bus.renew_session(connection, self._trigger.queue, session),
            locked_until,
            self._options.max_lock_renewal,
            f"a session of queue '{self._trigger.queue}'",
        )

    def _message_renewal(self, connection: Connection, delivery: Delivery) -> Renewal | None:
        until = delivery.message.annotations.get("x-opt-locked-until")
        if not isinstance(until, int):
            return None
        token = messages.lock_token(delivery)
        return Renewal(
            lambda: self._bus.renew_message(connection, self._trigger.queue, token),
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(until)),
            self._options.max_lock_renewal,
            f"a message of queue '{self._trigger.queue}'",
        )


def granted_session(attach: Attach) -> str | None:
    """The id of the session that the broker granted."""
    filters = getattr(attach.source, "filter", None) or {}
    value = filters.get(SESSION_FILTER)
    value = getattr(value, "value", value)
    return value if isinstance(value, str) else None
