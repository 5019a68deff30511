"""Frames (part 2, section 2.3): from a stream of bytes and back, for either end of a connection."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from sandbox.amqp import composites
from sandbox.amqp.performatives import PERFORMATIVES, SASL, Performative, Sasl, Transfer
from sandbox.amqp.types import Malformed

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"
"""A heartbeat: it only shows that its sender is alive."""

_HEAD = struct.Struct(">IBBH")
_MAX_TRANSFER_HEAD = 128
_AMQP, _SASL = 0, 1


class ProtocolHeader(NamedTuple):
    """The eight bytes that begin a layer: AMQP_HEADER or SASL_HEADER from anyone we can talk to."""

    raw: bytes


class Frame(NamedTuple):
    """One frame of the AMQP layer. Without a performative it is a heartbeat."""

    channel: int
    performative: Performative | None
    payload: bytes = b""


class SaslFrame(NamedTuple):
    """One frame of the SASL layer."""

    performative: Sasl


class Frames:
    """Yields what a stream holds. Feed it with bytes as they come."""

    def __init__(self, max_frame_size: int = 1 << 20) -> None:
        self._max = max_frame_size
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[ProtocolHeader | Frame | SaslFrame]:
        """Everything that `data` completes. Raises Malformed; the stream is of no use after that."""
        buf = self._rest + data if self._rest else data
        pos, end = 0, len(buf)
        self._rest = b""
        while end - pos >= 8:
            if buf.startswith(b"AMQP", pos):
                yield ProtocolHeader(buf[pos : pos + 8])
                pos += 8
                continue
            size, offset, kind, channel = _HEAD.unpack_from(buf, pos)
            if size > self._max or size < 8 or offset < 2 or offset * 4 > size:
                raise Malformed("a frame of an impossible or forbidden size")
            if end - pos < size:
                break
            frame = _frame(buf, pos + offset * 4, pos + size, kind, channel)
            pos += size
            yield frame
        self._rest = buf[pos:]


def _frame(buf: bytes, start: int, end: int, kind: int, channel: int) -> Frame | SaslFrame:
    if start == end and kind == _AMQP:
        return Frame(channel, None)
    body = buf[start:end]
    performative, pos = composites.read(body)
    if kind == _AMQP and isinstance(performative, PERFORMATIVES):
        return Frame(channel, performative, body[pos:])
    if kind == _SASL and isinstance(performative, SASL):
        return SaslFrame(performative)
    raise Malformed("a frame that holds no performative of its layer")


def frame(channel: int, performative: Performative, payload: bytes = b"") -> bytes:
    """A frame of the AMQP layer, as bytes."""
    body = composites.write(performative)
    return _HEAD.pack(8 + len(body) + len(payload), 2, _AMQP, channel) + body + payload


def sasl_frame(performative: Sasl) -> bytes:
    """A frame of the SASL layer, as bytes."""
    body = composites.write(performative)
    return _HEAD.pack(8 + len(body), 2, _SASL, 0) + body


def transfer_frames(channel: int, transfer: Transfer, payload: bytes, max_frame_size: int) -> list[bytes]:
    """A whole message as one or more transfer frames, none larger than the peer's `max_frame_size`."""
    room = max_frame_size - _MAX_TRANSFER_HEAD
    if len(payload) <= room:
        return [frame(channel, transfer, payload)]
    starts = range(0, len(payload), room)
    return [
        frame(channel, transfer._replace(more=start + room < len(payload)), payload[start : start + room])
        for start in starts
    ]


class Assembly:
    """Puts the parts of one link's deliveries together (section 2.6.14)."""

    def __init__(self, max_size: int) -> None:
        self._max = max_size
        self._first: Transfer | None = None
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, transfer: Transfer, payload: bytes) -> tuple[Transfer, bytes] | None:
        """The first transfer of the delivery and the whole message, once it is whole.

        Raises Malformed when a delivery begins without an id and TooLarge when it grows beyond the bound.
        """
        if self._first is None:
            if transfer.delivery_id is None:
                raise Malformed("a delivery without an id")
            if not transfer.more and not transfer.aborted:
                self._check(len(payload))
                return transfer, payload
            self._first = transfer
        if transfer.aborted:
            self._reset()
            return None
        self._size += len(payload)
        self._check(self._size)
        self._parts.append(payload)
        if transfer.more:
            return None
        first, whole = self._first, b"".join(self._parts)
        self._reset()
        return first, whole

    def _check(self, size: int) -> None:
        if size > self._max:
            raise TooLarge(f"a message of more than {self._max} bytes")

    def _reset(self) -> None:
        self._first, self._parts, self._size = None, [], 0


class TooLarge(Malformed):
    """A message larger than this end takes."""
