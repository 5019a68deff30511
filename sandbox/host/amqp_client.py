"""A lean AMQP 1.0 client: one connection, one session, many links, no task per link.

Only what a Service Bus listener needs: receiving links with peek-lock settlement, and request/response pairs for `$cbs`
and `$management` (in `amqp_links`). Wire facts: servicebus-cosmos.md part A 2; AMQP 1.0 parts 2 and 5.
"""

import asyncio
import itertools
import logging
import uuid
from collections.abc import Callable
from typing import Protocol

from sandbox.amqp.codec import (
    AMQP_HEADER,
    EMPTY_FRAME,
    RECEIVER,
    SASL_HEADER,
    Attach,
    Begin,
    Close,
    DeliveryState,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Frame,
    Frames,
    Malformed,
    Open,
    Performative,
    ProtocolHeader,
    Rejected,
    SaslFrame,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
    frame,
    sasl_frame,
    transfer_frames,
)

log = logging.getLogger("host.amqp")

MAX_FRAME = 1 << 20
WINDOW = 2**31 - 1
"""Session window in transfers: wide open; the credit of the links is what bounds what comes in."""
HANDLE_MAX = 65535
CONNECT_S = 10.0
SETTLE_S = 30.0
"""How long a settlement may take to be confirmed before the connection counts as lost."""


class AmqpError(Exception):
    """The other side refused something or the connection is gone. `condition` is AMQP's symbol for why."""

    def __init__(self, condition: str, description: str = "") -> None:
        super().__init__(f"{condition}: {description}" if description else condition)
        self.condition = condition


class ConnectionLost(AmqpError):
    """The connection is gone; what was under way has an unknown outcome."""

    def __init__(self, description: str = "the connection is gone") -> None:
        super().__init__("amqp:connection:forced", description)


class Link(Protocol):
    """What the connection tells a link."""

    def on_attach(self, attach: Attach) -> None:
        """The other side answered the attach."""

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A message, or a part of one."""

    def on_flow(self, flow: Flow) -> None:
        """Credit for a sending link."""

    def on_end(self, error: AmqpError) -> None:
        """The link or the connection under it is gone. Called once."""


class Connection(asyncio.Protocol):
    """One AMQP connection with one session. Everything runs on the loop it was opened on."""

    def __init__(self, container: str, hostname: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._container = container
        self._hostname = hostname
        self._transport: asyncio.Transport | None = None
        self._frames = Frames(MAX_FRAME)
        self._out: list[bytes] = []
        self._heartbeat: asyncio.TimerHandle | None = None
        self._peer_max_frame = 512
        self._free_handles: list[int] = []
        self._fresh_handles = itertools.count()
        self._by_name: dict[str, tuple[int, Link]] = {}
        self._by_local: dict[int, tuple[str, Link]] = {}
        self._by_remote: dict[int, tuple[int, Link]] = {}
        self._detaching: set[int] = set()
        self._unsettled: dict[int, asyncio.Future[DeliveryState | None]] = {}
        self._next_incoming = 0
        self._next_outgoing = 0
        self._names = itertools.count(1)
        self._prefix = uuid.uuid4().hex[:12]
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection is gone, for whatever reason."""

    @classmethod
    async def open(cls, host: str, port: int, container: str) -> "Connection":
        """Connect, log in anonymously, open and begin. Raises OSError, TimeoutError or AmqpError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            _, connection = await loop.create_connection(lambda: cls(container, host), host, port)
            try:
                await connection._opened
            except BaseException:
                connection.abort()
                raise
        return connection

    # Links

    def new_name(self) -> str:
        """A link name that no other link of this connection has."""
        return f"{self._prefix}-{next(self._names)}"

    def attach(self, link: Link, make: Callable[[int], Attach]) -> int:
        """Attach a link; `make` gets its handle. Returns the handle. Raises ConnectionLost."""
        if self.closed.done():
            raise ConnectionLost
        handle = self._free_handles.pop() if self._free_handles else next(self._fresh_handles)
        attach = make(handle)
        self._by_name[attach.name] = (handle, link)
        self._by_local[handle] = (attach.name, link)
        self.send(attach)
        return handle

    def detach(self, handle: int) -> None:
        """Close a link from this side; nothing more is told to it."""
        if handle in self._by_local and handle not in self._detaching and not self.closed.done():
            self._detaching.add(handle)
            self.send(Detach(handle, True))

    def flow(self, handle: int, delivery_count: int, credit: int) -> None:
        """Give a receiving link credit: how many messages it takes after `delivery_count`."""
        self.send(
            Flow(self._next_incoming, WINDOW, self._next_outgoing, WINDOW, handle, delivery_count & 0xFFFFFFFF, credit)
        )

    async def settle(self, delivery_id: int, state: DeliveryState) -> None:
        """Settle a received message and wait until the other side has. Raises AmqpError when it refused."""
        if self.closed.done():
            raise ConnectionLost
        outcome: asyncio.Future[DeliveryState | None] = self._loop.create_future()
        self._unsettled[delivery_id] = outcome
        self.send(Disposition(RECEIVER, delivery_id, None, False, state))
        try:
            async with asyncio.timeout(SETTLE_S):
                settled = await outcome
        except TimeoutError:
            raise AmqpError("com.microsoft:timeout", "a settlement was not confirmed") from None
        finally:
            self._unsettled.pop(delivery_id, None)
        if isinstance(settled, Rejected) and settled.error is not None:
            raise AmqpError(settled.error.condition, settled.error.description or "")

    def transfer(self, handle: int, tag: bytes, payload: bytes) -> None:
        """Send a settled message on a sending link (requests to `$cbs` and `$management`)."""
        transfer = Transfer(handle, self._next_outgoing, tag, 0, True)
        frames = transfer_frames(0, transfer, payload, self._peer_max_frame)
        self._next_outgoing = (self._next_outgoing + len(frames)) & 0xFFFFFFFF
        for one in frames:
            self._write(one)

    def send(self, performative: Performative) -> None:
        """Send one performative on the session."""
        self._write(frame(0, performative))

    async def close(self) -> None:
        """Close in good order; links are told nothing."""
        if not self.closed.done():
            self._by_name.clear()
            self._by_local.clear()
            self._by_remote.clear()
            self.send(Close())
            try:
                async with asyncio.timeout(1):
                    await asyncio.shield(self.closed)
            except TimeoutError:
                self.abort()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    # The stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with SASL."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own contract for create_connection
        self._transport = transport
        self._write(SASL_HEADER)

    def data_received(self, data: bytes) -> None:
        """Take what came apart and act on it."""
        try:
            for item in self._frames.feed(data):
                if isinstance(item, Frame):
                    if item.performative is not None:
                        self._on_frame(item.performative, item.payload)
                elif isinstance(item, SaslFrame):
                    self._on_sasl(item)
                elif isinstance(item, ProtocolHeader) and item.raw not in (AMQP_HEADER, SASL_HEADER):
                    raise Malformed("a protocol header of another protocol")
        except Malformed as error:
            log.error("the broker sent what is not AMQP: %s", error)
            self._lost(ConnectionLost(str(error)))
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The stream ended."""
        self._lost(ConnectionLost(str(exc) if exc else "the broker closed the connection"))

    def _write(self, data: bytes) -> None:
        # Everything written in one turn of the loop leaves in one system call.
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        data = b"".join(self._out)
        self._out.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _on_sasl(self, item: SaslFrame) -> None:
        if isinstance(item.performative, SaslMechanisms):
            self._write(sasl_frame(SaslInit("ANONYMOUS", None, self._hostname)))
        elif isinstance(item.performative, SaslOutcome):
            if item.performative.code != 0:
                self._lost(AmqpError("amqp:unauthorized-access", "the broker refused the SASL login"))
                return
            self._write(AMQP_HEADER)
            self.send(Open(self._container, self._hostname, MAX_FRAME, 0))
            self.send(Begin(None, self._next_outgoing, WINDOW, WINDOW, HANDLE_MAX))

    def _on_frame(self, performative: Performative, payload: bytes) -> None:  # noqa: PLR0912 - one case per performative
        match performative:
            case Transfer():
                self._next_incoming = (self._next_incoming + 1) & 0xFFFFFFFF
                if (found := self._by_remote.get(performative.handle)) is not None:
                    found[1].on_transfer(performative, payload)
            case Disposition():
                self._on_disposition(performative)
            case Flow():
                if performative.handle is not None and (found := self._by_remote.get(performative.handle)) is not None:
                    found[1].on_flow(performative)
            case Attach():
                if (named := self._by_name.get(performative.name)) is not None:
                    self._by_remote[performative.handle] = named
                    named[1].on_attach(performative)
            case Detach():
                self._on_detach(performative)
            case Begin():
                self._next_incoming = performative.next_outgoing_id
                if not self._opened.done():
                    self._opened.set_result(None)
            case Open():
                self._peer_max_frame = min(performative.max_frame_size or MAX_FRAME, MAX_FRAME)
                if performative.idle_time_out:
                    self._beat(performative.idle_time_out / 2000)
            case End() | Close():
                if isinstance(performative, Close):
                    self.send(Close())
                    self._flush()
                self._lost(_lost(performative.error))
                if self._transport is not None:
                    self._transport.close()

    def _on_disposition(self, disposition: Disposition) -> None:
        last = disposition.first if disposition.last is None else disposition.last
        for delivery_id in range(disposition.first, last + 1):
            waiting = self._unsettled.get(delivery_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(disposition.state)

    def _on_detach(self, detach: Detach) -> None:
        found = self._by_remote.pop(detach.handle, None)
        if found is None:
            return
        handle, link = found
        if (attached := self._by_local.pop(handle, None)) is not None:
            self._by_name.pop(attached[0], None)
        if handle in self._detaching:
            self._detaching.discard(handle)
        else:
            self.send(Detach(handle, True))
            link.on_end(_refused(detach.error))
        self._free_handles.append(handle)

    def _beat(self, every_s: float) -> None:
        if not self.closed.done():
            self._write(EMPTY_FRAME)
            self._heartbeat = self._loop.call_later(every_s, self._beat, every_s)

    def _lost(self, error: AmqpError) -> None:
        if self.closed.done():
            return
        self.closed.set_result(None)
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        if not self._opened.done():
            self._opened.set_exception(error)
        for waiting in self._unsettled.values():
            if not waiting.done():
                waiting.set_exception(error)
        for handle, (_, link) in tuple(self._by_local.items()):
            if handle not in self._detaching:
                link.on_end(error)


def _refused(error: Error | None) -> AmqpError:
    return (
        AmqpError("amqp:link:detach-forced") if error is None else AmqpError(error.condition, error.description or "")
    )


def _lost(error: Error | None) -> AmqpError:
    return ConnectionLost() if error is None else ConnectionLost(f"{error.condition}: {error.description or ''}")
