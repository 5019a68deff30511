"""One AMQP connection to the broker: SASL, open and close, sessions, and what its client may do."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol, cast

from sandbox.amqp import codec
from sandbox.servicebus import cbs, wire
from sandbox.servicebus.broker import Broker
from sandbox.servicebus.channel import Channel
from sandbox.servicebus.refusals import Refusal
from sandbox.servicebus.rights import Rights

_log = logging.getLogger(__name__)
_MIN_FRAME = 512


class Common(Protocol):
    """What the connections of a server have in common."""

    broker: Broker
    key: cbs.Key | None
    refusing: bool
    connections: set["Connection"]
    """Those that are open."""
    outboxes: set["Connection"]
    """Those that have something to send after the next commit."""

    def changed(self) -> None:
        """Something happened: a commit is due."""
        ...


class Connection(asyncio.Protocol):
    """The server's end of a connection. Everything it sends waits for the server's next commit."""

    def __init__(self, server: Common) -> None:
        self.server = server
        self.broker = server.broker
        self.rights = Rights(server.key, server.broker.context, self._drop_unauthorized)
        self.peer_max_frame = wire.MAX_FRAME_BYTES
        self._frames = codec.Frames(wire.MAX_FRAME_BYTES)
        self._channels: dict[int, Channel] = {}
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._opened = self._closing = False
        self._heard = 0.0
        self._timers: list[asyncio.TimerHandle] = []

    # Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do what asyncio's do without being of its class.
        self._transport = cast(asyncio.Transport, transport)
        if self.server.refusing:
            self._transport.abort()
            return
        self.server.connections.add(self)
        self._heard = asyncio.get_running_loop().time()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.connections.discard(self)
        for timer in self._timers:
            timer.cancel()
        for channel in self._channels.values():
            channel.closed()
        self._channels.clear()
        self.rights.closed()
        self.server.changed()

    def data_received(self, data: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        try:
            for item in self._frames.feed(data):
                if self._closing:
                    return
                if isinstance(item, codec.Frame):
                    self._on_frame(item)
                elif isinstance(item, codec.SaslFrame):
                    self._on_sasl(item.performative)
                else:
                    self._on_header(item.raw)
        except codec.Malformed as malformed:
            _log.info("closing a connection: %s", malformed)
            self._close(codec.Error("amqp:framing-error", f"What was received is not AMQP 1.0: {malformed}."))
        self.server.changed()

    def send(self, data: bytes) -> None:
        """Have bytes sent after the next commit."""
        self._out.append(data)
        self.server.outboxes.add(self)

    def write_out(self) -> None:
        """Send what waited for the commit."""
        data = b"".join(self._out)
        self._out.clear()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if self._closing:
            transport.close()

    def abort(self) -> None:
        """Drop the connection without a word."""
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()

    # Protocol

    def _on_header(self, raw: bytes) -> None:
        if raw not in (codec.AMQP_HEADER, codec.SASL_HEADER):
            self.send(codec.AMQP_HEADER)
            self._closing = True
            return
        self.send(raw)
        if raw == codec.SASL_HEADER:
            mechanisms = codec.symbols("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL")
            self.send(codec.sasl_frame(codec.SaslMechanisms(mechanisms)))

    def _on_sasl(self, performative: codec.Sasl) -> None:
        if not isinstance(performative, codec.SaslInit):
            raise codec.Malformed("a SASL frame that only a server sends")
        good = True
        if performative.mechanism == "PLAIN":
            good = cbs.verify_plain(performative.initial_response or b"", self.server.key)
            if good:
                self.rights.grant_all()
        self.send(codec.sasl_frame(codec.SaslOutcome(0 if good else 1)))
        self._closing = not good

    def _on_frame(self, frame: codec.Frame) -> None:
        performative = frame.performative
        if performative is None:
            return
        if isinstance(performative, codec.Open):
            self._on_open(performative)
            return
        if not self._opened:
            raise codec.Malformed("a frame before open")
        if isinstance(performative, codec.Close):
            self._close(None)
            return
        if isinstance(performative, codec.Begin):
            if frame.channel in self._channels or frame.channel > wire.CHANNEL_MAX:
                raise codec.Malformed("a channel that is in use or beyond channel-max")
            self._channels[frame.channel] = Channel(self, frame.channel, performative)
            return
        channel = self._channels.get(frame.channel)
        if channel is None:
            if isinstance(performative, codec.Attach | codec.Transfer):
                raise codec.Malformed("a channel on which no session has begun")
            return  # azure-servicebus takes leave of links after it has ended their session
        self._on_channel(channel, performative, frame.payload)

    def _on_channel(self, channel: Channel, performative: codec.Performative, payload: bytes) -> None:
        match performative:
            case codec.Transfer():
                channel.on_transfer(performative, payload)
            case codec.Disposition():
                channel.on_disposition(performative)
            case codec.Flow():
                channel.on_flow(performative)
            case codec.Attach():
                channel.on_attach(performative)
            case codec.Detach():
                channel.on_detach(performative)
            case codec.End():
                del self._channels[channel.number]
                channel.closed()
                self.send(codec.frame(channel.number, codec.End()))

    def _on_open(self, opened: codec.Open) -> None:
        self._opened = True
        self.peer_max_frame = max(_MIN_FRAME, min(opened.max_frame_size or 2**32 - 1, 1 << 20))
        self.send(
            codec.frame(
                0,
                codec.Open("sandbox-servicebus", opened.hostname, wire.MAX_FRAME_BYTES, wire.CHANNEL_MAX, wire.IDLE_MS),
            )
        )
        if opened.idle_time_out:
            self._beat(opened.idle_time_out / 2000)

    def _close(self, error: codec.Error | None) -> None:
        if not self._closing:
            self.send(codec.frame(0, codec.Close(error)))
            self._closing = True

    def _drop_unauthorized(self) -> None:
        for channel in self._channels.values():
            for link in list(channel.links.values()):
                if link.queue is None:
                    continue
                try:
                    self.rights.authorize(link.path)
                except Refusal as refusal:
                    channel.detach(link, refusal)

    def _beat(self, every_s: float) -> None:
        """Show that we are alive (AMQP part 2, 2.4.5): half of what the client would wait."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(codec.EMPTY_FRAME)
        self._later(every_s, lambda: self._beat(every_s))

    def _watch(self) -> None:
        """Drop a client that has not been heard for twice the idle time."""
        patience = 2 * wire.IDLE_MS / 1000
        if asyncio.get_running_loop().time() - self._heard > patience:
            self.abort()
            return
        self._later(patience, self._watch)

    def _later(self, delay_s: float, call: Callable[[], None]) -> None:
        now = asyncio.get_running_loop()
        self._timers = [timer for timer in self._timers if timer.when() > now.time()]
        self._timers.append(now.call_later(delay_s, call))
