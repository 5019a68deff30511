"""Reading AMQP 1.0 values from bytes, within bounds."""

import struct
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.amqp.types import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float,
    Long,
    Malformed,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

MAX_DEPTH = 32
"""How deep lists, maps, arrays and described values may be nested."""

MAX_EMPTY_ELEMENTS = 16
"""How many elements an array may have whose elements take no bytes: the one place where few bytes name many values."""

type _Reader = Callable[[bytes, int, int], tuple[Any, int]]

_U32 = struct.Struct(">I")
_DESCRIBED = 0x00
_WIDEST = {
    0x41: 0x56, 0x42: 0x56, 0x43: 0x70, 0x44: 0x80, 0x45: 0xD0, 0x52: 0x70, 0x53: 0x80, 0x54: 0x71, 0x55: 0x81,
    0xA0: 0xB0, 0xA1: 0xB1, 0xA3: 0xB3, 0xC0: 0xD0, 0xC1: 0xD1, 0xE0: 0xF0,
}  # fmt: skip


def decode(buf: bytes, pos: int = 0) -> tuple[Any, int]:
    """The value at `pos` and the position after it. Raises Malformed."""
    try:
        return _READERS[buf[pos]](buf, pos + 1, 0)
    except Malformed:
        raise
    except (IndexError, struct.error):
        raise Malformed("the bytes end inside a value") from None
    except UnicodeDecodeError:
        raise Malformed("text that is not in its encoding") from None
    except TypeError:
        raise Malformed("a map key that cannot be a key") from None


def skip(buf: bytes, pos: int, depth: int = 0) -> int:
    """The position after the value at `pos`, which is not looked into. Raises Malformed."""
    if depth > MAX_DEPTH:
        raise Malformed("nested too deep")
    try:
        code = buf[pos]
        if code == _DESCRIBED:
            return skip(buf, skip(buf, pos + 1, depth + 1), depth + 1)
        kind = code >> 4
        if kind in _FIXED_WIDTH:
            end = pos + 1 + _FIXED_WIDTH[kind]
        elif kind in (0xA, 0xC, 0xE):
            end = pos + 2 + buf[pos + 1]
        elif kind in (0xB, 0xD, 0xF):
            end = pos + 5 + int(_U32.unpack_from(buf, pos + 1)[0])
        else:
            raise Malformed(f"constructor 0x{code:02x} is not known")
    except (IndexError, struct.error):
        raise Malformed("the bytes end inside a value") from None
    if end > len(buf):
        raise Malformed("the bytes end inside a value")
    return end


_FIXED_WIDTH = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}


def _unknown(buf: bytes, pos: int, _depth: int) -> tuple[Any, int]:
    raise Malformed(f"constructor 0x{buf[pos - 1]:02x} is not known")


def _constant(value: Any) -> _Reader:
    return lambda _buf, pos, _depth: (value, pos)


def _fixed(layout: str, make: Callable[[Any], Any] | None = None) -> _Reader:
    unpack, width = struct.Struct(layout).unpack_from, struct.calcsize(layout)
    if make is None:
        return lambda buf, pos, _depth: (unpack(buf, pos)[0], pos + width)
    return lambda buf, pos, _depth: (make(unpack(buf, pos)[0]), pos + width)


def _octet(make: Callable[[int], Any]) -> _Reader:
    return lambda buf, pos, _depth: (make(buf[pos]), pos + 1)


def _boolean(value: int) -> bool:
    if value > 1:
        raise Malformed("a boolean that is neither 0 nor 1")
    return value == 1


def _character(value: int) -> Char:
    if value > 0x10FFFF:
        raise Malformed("a character beyond Unicode")
    return Char(chr(value))


def _raw(width: int, make: Callable[[bytes], Any]) -> _Reader:
    def read(buf: bytes, pos: int, _depth: int) -> tuple[Any, int]:
        end = pos + width
        if end > len(buf):
            raise Malformed("the bytes end inside a value")
        return make(buf[pos:end]), end

    return read


def _variable8(make: Callable[[bytes], Any]) -> _Reader:
    def read(buf: bytes, pos: int, _depth: int) -> tuple[Any, int]:
        start = pos + 1
        end = start + buf[pos]
        if end > len(buf):
            raise Malformed("the bytes end inside a value")
        return make(buf[start:end]), end

    return read


def _variable32(make: Callable[[bytes], Any]) -> _Reader:
    def read(buf: bytes, pos: int, _depth: int) -> tuple[Any, int]:
        start = pos + 4
        end = start + int(_U32.unpack_from(buf, pos)[0])
        if end > len(buf):
            raise Malformed("the bytes end inside a value")
        return make(buf[start:end]), end

    return read


def _string(raw: bytes) -> str:
    return str(raw, "utf-8")


def _symbol(raw: bytes) -> Symbol:
    return Symbol(str(raw, "ascii"))


def _described(buf: bytes, pos: int, depth: int) -> tuple[Any, int]:
    if depth >= MAX_DEPTH:
        raise Malformed("nested too deep")
    descriptor, pos = _READERS[buf[pos]](buf, pos + 1, depth + 1)
    value, pos = _READERS[buf[pos]](buf, pos + 1, depth + 1)
    return Described(descriptor, value), pos


def _extent(buf: bytes, pos: int, width: int) -> tuple[int, int, int]:
    """Number of elements, where they begin and where they must end."""
    if width == 1:
        size, count = buf[pos], buf[pos + 1]
    else:
        size, count = _U32.unpack_from(buf, pos)[0], _U32.unpack_from(buf, pos + 4)[0]
    end = pos + width + size
    if end > len(buf) or size < width:
        raise Malformed("the bytes end inside a value")
    return count, pos + 2 * width, end


def _elements(buf: bytes, pos: int, depth: int, width: int) -> tuple[list[Any], int]:
    if depth >= MAX_DEPTH:
        raise Malformed("nested too deep")
    count, pos, end = _extent(buf, pos, width)
    if count > end - pos:
        raise Malformed("more elements than there are bytes for")
    out = []
    readers, deeper = _READERS, depth + 1
    for _ in range(count):
        value, pos = readers[buf[pos]](buf, pos + 1, deeper)
        out.append(value)
    if pos != end:
        raise Malformed("elements and size do not agree")
    return out, end


def _list(width: int) -> _Reader:
    return lambda buf, pos, depth: _elements(buf, pos, depth, width)


def _map(width: int) -> _Reader:
    def read(buf: bytes, pos: int, depth: int) -> tuple[Any, int]:
        flat, end = _elements(buf, pos, depth, width)
        pairs = iter(flat)
        result = dict(zip(pairs, pairs, strict=False))
        if len(result) * 2 != len(flat):
            raise Malformed("a map with a key twice or without a value")
        return result, end

    return read


def _array(width: int) -> _Reader:
    def read(buf: bytes, pos: int, depth: int) -> tuple[Any, int]:
        if depth >= MAX_DEPTH:
            raise Malformed("nested too deep")
        count, pos, end = _extent(buf, pos, width)
        descriptor = None
        if count == 0 and pos == end:
            return Array(0x40), end
        code = buf[pos]
        pos += 1
        if code == _DESCRIBED:
            descriptor, pos = _READERS[buf[pos]](buf, pos + 1, depth + 1)
            code = buf[pos]
            pos += 1
        if count > max(end - pos, MAX_EMPTY_ELEMENTS):
            raise Malformed("more elements than there are bytes for")
        out = []
        reader = _READERS[code] if code != _DESCRIBED else _unknown
        for _ in range(count):
            value, pos = reader(buf, pos, depth + 1)
            out.append(value)
        if pos != end:
            raise Malformed("elements and size do not agree")
        return Array(_WIDEST.get(code, code), tuple(out), descriptor), end

    return read


def _uuid(raw: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=raw)


def _empty_list(_buf: bytes, pos: int, _depth: int) -> tuple[Any, int]:
    return [], pos


_READERS: list[_Reader] = [_unknown] * 256
for _code, _reader in {
    0x00: _described,
    0x40: _constant(None), 0x41: _constant(True), 0x42: _constant(False),
    0x43: _constant(UInt(0)), 0x44: _constant(ULong(0)), 0x45: _empty_list,
    0x50: _octet(UByte), 0x51: _fixed(">b", Byte), 0x52: _octet(UInt), 0x53: _octet(ULong),
    0x54: _fixed(">b"), 0x55: _fixed(">b", Long), 0x56: _octet(_boolean),
    0x60: _fixed(">H", UShort), 0x61: _fixed(">h", Short),
    0x70: _fixed(">I", UInt), 0x71: _fixed(">i"), 0x72: _fixed(">f", Float), 0x73: _fixed(">I", _character),
    0x74: _raw(4, Decimal), 0x84: _raw(8, Decimal), 0x94: _raw(16, Decimal),
    0x80: _fixed(">Q", ULong), 0x81: _fixed(">q", Long), 0x82: _fixed(">d"), 0x83: _fixed(">q", Timestamp),
    0x98: _raw(16, _uuid),
    0xA0: _variable8(bytes), 0xB0: _variable32(bytes),
    0xA1: _variable8(_string), 0xB1: _variable32(_string),
    0xA3: _variable8(_symbol), 0xB3: _variable32(_symbol),
    0xC0: _list(1), 0xD0: _list(4), 0xC1: _map(1), 0xD1: _map(4), 0xE0: _array(1), 0xF0: _array(4),
}.items():  # fmt: skip
    _READERS[_code] = _reader
