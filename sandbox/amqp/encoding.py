"""Writing values as AMQP 1.0, in the smallest form there is."""

import struct
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.amqp.types import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float,
    Long,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    Unencodable,
    UShort,
)

type Writer = Callable[[Any], bytes]

_U16, _U32, _U64 = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">Q")
_I8, _I16, _I32, _I64 = struct.Struct(">b"), struct.Struct(">h"), struct.Struct(">i"), struct.Struct(">q")
_F32, _F64 = struct.Struct(">f"), struct.Struct(">d")
_SMALL_UINT = [b"\x43"] + [bytes((0x52, value)) for value in range(1, 256)]


def encode(value: Any) -> bytes:
    """`value` as AMQP 1.0. Raises Unencodable when it has no AMQP type or is out of that type's range."""
    try:
        return _writer(type(value))(value)
    except (struct.error, OverflowError, UnicodeEncodeError, RecursionError):
        raise Unencodable(f"a {type(value).__name__} that does not fit its AMQP type") from None


def uint(value: int) -> bytes:
    """An unsigned 32-bit number. Raises Unencodable."""
    if 0 <= value < 256:
        return _SMALL_UINT[value]
    try:
        return b"\x70" + _U32.pack(value)
    except struct.error:
        raise Unencodable("not an unsigned 32-bit number") from None


def composite(code: int, fields: Iterable[bytes]) -> bytes:
    """A described list with a small numeric descriptor, as performatives and sections are written.

    `fields` are encoded already; nulls at the end are left out.
    """
    written = list(fields)
    while written and written[-1] == b"\x40":
        written.pop()
    return b"\x00\x53" + bytes((code,)) + _list(written)


def _writer(kind: type) -> Writer:
    found = _WRITERS.get(kind)
    if found is None:
        for base in kind.__mro__:
            if base in _WRITERS:
                return _WRITERS[base]
        raise Unencodable(f"{kind.__name__} has no AMQP type")
    return found


def _int(value: int) -> bytes:
    if -128 <= value <= 127:
        return b"\x54" + _I8.pack(value)
    if -(2**31) <= value < 2**31:
        return b"\x71" + _I32.pack(value)
    return b"\x81" + _I64.pack(value)


def _ulong(value: int) -> bytes:
    if value == 0:
        return b"\x44"
    return b"\x53" + bytes((value,)) if 0 < value < 256 else b"\x80" + _U64.pack(value)


def _long(value: int) -> bytes:
    return b"\x55" + _I8.pack(value) if -128 <= value <= 127 else b"\x81" + _I64.pack(value)


def _ubyte(value: int) -> bytes:
    if not 0 <= value < 256:
        raise Unencodable("not an unsigned 8-bit number")
    return bytes((0x50, value))


def _character(value: str) -> bytes:
    if len(value) != 1:
        raise Unencodable("not one character")
    return _U32.pack(ord(value))


def _variable(narrow: int, wide: int, raw: bytes) -> bytes:
    size = len(raw)
    return bytes((narrow, size)) + raw if size < 256 else bytes((wide,)) + _U32.pack(size) + raw


def _compound(narrow: int, wide: int, count: int, body: bytes) -> bytes:
    size = len(body)
    if count < 256 and size < 255:
        return bytes((narrow, size + 1, count)) + body
    return bytes((wide,)) + _U32.pack(size + 4) + _U32.pack(count) + body


def _list(written: list[bytes]) -> bytes:
    return _compound(0xC0, 0xD0, len(written), b"".join(written)) if written else b"\x45"


def _decimal(value: Decimal) -> bytes:
    try:
        return {4: b"\x74", 8: b"\x84", 16: b"\x94"}[len(value.raw)] + value.raw
    except KeyError:
        raise Unencodable("not a decimal of 32, 64 or 128 bits") from None


def _pairs(value: dict[Any, Any]) -> bytes:
    return b"".join(encode(part) for pair in value.items() for part in pair)


def _wide(body: bytes, count: int) -> bytes:
    return _U32.pack(len(body) + 4) + _U32.pack(count) + body


def _sized(raw: bytes) -> bytes:
    return _U32.pack(len(raw)) + raw


_ELEMENTS: dict[int, Writer] = {
    0x40: lambda _value: b"",
    0x50: lambda value: _ubyte(value)[1:],
    0x51: _I8.pack,
    0x56: lambda value: b"\x01" if value else b"\x00",
    0x60: _U16.pack,
    0x61: _I16.pack,
    0x70: _U32.pack,
    0x71: _I32.pack,
    0x72: _F32.pack,
    0x73: _character,
    0x74: lambda value: _decimal(value)[1:],
    0x80: _U64.pack,
    0x81: _I64.pack,
    0x82: _F64.pack,
    0x83: _I64.pack,
    0x84: lambda value: _decimal(value)[1:],
    0x94: lambda value: _decimal(value)[1:],
    0x98: lambda value: value.bytes,
    0xB0: _sized,
    0xB1: lambda value: _sized(value.encode()),
    0xB3: lambda value: _sized(value.encode("ascii")),
    0xD0: lambda value: _wide(b"".join(map(encode, value)), len(value)),
    0xD1: lambda value: _wide(_pairs(value), 2 * len(value)),
    0xF0: lambda value: _wide(_array_body(value), len(value)),
}


def _array_body(value: Array) -> bytes:
    write = _ELEMENTS.get(value.code)
    if write is None:
        raise Unencodable(f"0x{value.code:02x} is not the widest constructor of an AMQP type")
    head = bytes((value.code,))
    if value.descriptor is not None:
        head = b"\x00" + encode(value.descriptor) + head
    return head + b"".join(map(write, value.items))


_WRITERS: dict[type, Writer] = {
    type(None): lambda _value: b"\x40",
    bool: lambda value: b"\x41" if value else b"\x42",
    int: _int,
    Byte: lambda value: b"\x51" + _I8.pack(value),
    Short: lambda value: b"\x61" + _I16.pack(value),
    Long: _long,
    UByte: _ubyte,
    UShort: lambda value: b"\x60" + _U16.pack(value),
    UInt: uint,
    ULong: _ulong,
    Timestamp: lambda value: b"\x83" + _I64.pack(value),
    float: lambda value: b"\x82" + _F64.pack(value),
    Float: lambda value: b"\x72" + _F32.pack(value),
    Decimal: _decimal,
    Char: lambda value: b"\x73" + _character(value),
    str: lambda value: _variable(0xA1, 0xB1, value.encode()),
    Symbol: lambda value: _variable(0xA3, 0xB3, value.encode("ascii")),
    bytes: lambda value: _variable(0xA0, 0xB0, value),
    bytearray: lambda value: _variable(0xA0, 0xB0, bytes(value)),
    uuid.UUID: lambda value: b"\x98" + value.bytes,
    list: lambda value: _list([encode(item) for item in value]),
    tuple: lambda value: _list([encode(item) for item in value]),
    dict: lambda value: _compound(0xC1, 0xD1, 2 * len(value), _pairs(value)),
    Array: lambda value: _compound(0xE0, 0xF0, len(value), _array_body(value)),
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
}
