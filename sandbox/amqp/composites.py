"""The composite types of AMQP 1.0 as typed tuples: states, terminuses, errors and message sections (parts 2 and 3).

A tuple is built with plain Python numbers and text; what each field is on the wire is stated beside its class, so that
nobody has to remember which of them is an unsigned integer. Fields that may be of several types take AMQP values.
"""

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from sandbox.amqp import encoding
from sandbox.amqp.decoding import decode
from sandbox.amqp.types import Array, Described, Malformed, Symbol, UByte, UInt, ULong, UShort


class Field(NamedTuple):
    """How one field of a composite is written, and which types it may have when read."""

    write: Callable[[Any], bytes]
    types: frozenset[type] | None
    mandatory: bool = False


def _wrapped(kind: type) -> Callable[[Any], bytes]:
    return lambda value: encoding.encode(kind(value))


def _boolean(value: bool) -> bytes:
    return b"\x41" if value else b"\x42"


UINT = Field(encoding.uint, frozenset({UInt}))
USHORT = Field(_wrapped(UShort), frozenset({UShort}))
UBYTE = Field(_wrapped(UByte), frozenset({UByte}))
ULONG = Field(_wrapped(ULong), frozenset({ULong}))
BOOL = Field(_boolean, frozenset({bool}))
TEXT = Field(encoding.encode, frozenset({str}))
SYMBOL = Field(_wrapped(Symbol), frozenset({Symbol}))
BINARY = Field(encoding.encode, frozenset({bytes}))
MAP = Field(encoding.encode, frozenset({dict}))
SYMBOLS = Field(encoding.encode, frozenset({Symbol, Array}))
TIMESTAMP = Field(encoding.encode, None)
ANY = Field(encoding.encode, None)
MESSAGE_ID = Field(encoding.encode, frozenset({str, ULong, uuid.UUID, bytes}))


def must(field: Field) -> Field:
    """The same field, which may not be null."""
    return field._replace(mandatory=True)


class Error(NamedTuple):
    """Why something was refused or ended."""

    condition: str
    description: str | None = None
    info: dict[Any, Any] | None = None


class Accepted(NamedTuple):
    """Outcome: done."""


class Rejected(NamedTuple):
    """Outcome: invalid, for the given reason."""

    error: Error | None = None


class Released(NamedTuple):
    """Outcome: not taken; give it to anyone."""


class Modified(NamedTuple):
    """Outcome: not taken, and changed."""

    delivery_failed: bool | None = None
    undeliverable_here: bool | None = None
    message_annotations: dict[Any, Any] | None = None


class Received(NamedTuple):
    """State: how much of a message has been received."""

    section_number: int
    section_offset: int


type DeliveryState = Accepted | Rejected | Released | Modified | Received | Described


class Source(NamedTuple):
    """Where a link takes messages from."""

    address: Any = None
    durable: int | None = None
    expiry_policy: str | None = None
    timeout: int | None = None
    dynamic: bool | None = None
    dynamic_node_properties: dict[Any, Any] | None = None
    distribution_mode: str | None = None
    filter: dict[Any, Any] | None = None
    default_outcome: Any = None
    outcomes: Array | Symbol | None = None
    capabilities: Array | Symbol | None = None


class Target(NamedTuple):
    """Where a link puts messages."""

    address: Any = None
    durable: int | None = None
    expiry_policy: str | None = None
    timeout: int | None = None
    dynamic: bool | None = None
    dynamic_node_properties: dict[Any, Any] | None = None
    capabilities: Array | Symbol | None = None


class Header(NamedTuple):
    """Message section: how the message is to be carried. `ttl` is in milliseconds."""

    durable: bool | None = None
    priority: int | None = None
    ttl: int | None = None
    first_acquirer: bool | None = None
    delivery_count: int | None = None


class Properties(NamedTuple):
    """Message section: the sender's standard properties. Times are milliseconds since 1970, UTC (Timestamp)."""

    message_id: Any = None
    user_id: bytes | None = None
    to: Any = None
    subject: str | None = None
    reply_to: Any = None
    correlation_id: Any = None
    content_type: str | None = None
    content_encoding: str | None = None
    absolute_expiry_time: Any = None
    creation_time: Any = None
    group_id: str | None = None
    group_sequence: int | None = None
    reply_to_group_id: str | None = None


class Layout(NamedTuple):
    """A composite's class, descriptor and fields."""

    kind: Callable[..., Any]
    code: int
    name: str
    fields: tuple[Field, ...]


_BY_KIND: dict[type, Layout] = {}
_BY_DESCRIPTOR: dict[Any, Layout] = {}


def register(kind: type, code: int, name: str, *fields: Field) -> None:
    """Make a composite known under its descriptors, the number and the symbol."""
    layout = Layout(kind, code, name, fields)
    _BY_KIND[kind] = layout
    _BY_DESCRIPTOR[code] = _BY_DESCRIPTOR[name] = layout


def write(value: Any) -> bytes:
    """A composite as bytes. Raises Unencodable."""
    layout = _BY_KIND[type(value)]
    null = b"\x40"
    return encoding.composite(
        layout.code,
        [null if item is None else field.write(item) for item, field in zip(value, layout.fields, strict=True)],
    )


def write_whole(value: Any) -> bytes:
    """As `write`, with the nulls at the end kept: some clients index fields without looking at how many there are."""
    layout = _BY_KIND[type(value)]
    fields = [b"\x40" if item is None else field.write(item) for item, field in zip(value, layout.fields, strict=True)]
    body = b"".join(fields)
    if len(body) >= 255:
        return write(value)
    return b"\x00\x53" + bytes((layout.code, 0xC0, len(body) + 1, len(fields))) + body


def read(buf: bytes, pos: int = 0) -> tuple[Any, int]:
    """A known composite as its tuple, anything else as the value it is. Raises Malformed."""
    value, end = decode(buf, pos)
    return understood(value), end


def understood(value: Any) -> Any:
    """A described list as its tuple when it is known; any other value as it is. Raises Malformed."""
    if type(value) is not Described:
        return value
    descriptor = value.descriptor
    layout = _BY_DESCRIPTOR.get(descriptor) if isinstance(descriptor, (ULong, Symbol)) else None
    if layout is None:
        return value
    items = value.value
    if type(items) is not list or len(items) > len(layout.fields):
        raise Malformed(f"{layout.name} is not a list of at most {len(layout.fields)} fields")
    for index, field in enumerate(layout.fields):
        item = items[index] if index < len(items) else None
        if item is None:
            if field.mandatory:
                raise Malformed(f"{layout.name} lacks a field")
        elif field.types is None:
            if type(item) is Described:
                items[index] = understood(item)
        elif type(item) not in field.types:
            raise Malformed(f"{layout.name} has a field of a wrong type")
    return layout.kind(*items)


def _error(value: Error | Described) -> bytes:
    # Always its three fields: azure-servicebus indexes the third and hangs for ever without it.
    return write_whole(value) if type(value) is Error else encoding.encode(value)


def _nested(value: Any) -> bytes:
    return write(value) if type(value) in _BY_KIND else encoding.encode(value)


ERROR = Field(_error, None)
NESTED = Field(_nested, None)

register(Error, 0x1D, "amqp:error:list", must(SYMBOL), TEXT, MAP)
register(Received, 0x23, "amqp:received:list", must(UINT), must(ULONG))
register(Accepted, 0x24, "amqp:accepted:list")
register(Rejected, 0x25, "amqp:rejected:list", ERROR)
register(Released, 0x26, "amqp:released:list")
register(Modified, 0x27, "amqp:modified:list", BOOL, BOOL, MAP)
register(
    Source, 0x28, "amqp:source:list",
    ANY, UINT, SYMBOL, UINT, BOOL, MAP, SYMBOL, MAP, NESTED, SYMBOLS, SYMBOLS,
)  # fmt: skip
register(Target, 0x29, "amqp:target:list", ANY, UINT, SYMBOL, UINT, BOOL, MAP, SYMBOLS)
register(Header, 0x70, "amqp:header:list", BOOL, UBYTE, UINT, BOOL, UINT)
register(
    Properties, 0x73, "amqp:properties:list",
    MESSAGE_ID, BINARY, ANY, TEXT, ANY, MESSAGE_ID, SYMBOL, SYMBOL, TIMESTAMP, TIMESTAMP, TEXT, UINT, TEXT,
)  # fmt: skip
