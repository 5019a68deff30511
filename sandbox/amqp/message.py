"""Message sections (part 3, section 3.2): taking a message apart and putting one together."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.amqp import composites
from sandbox.amqp.composites import Header, Properties
from sandbox.amqp.decoding import decode, skip
from sandbox.amqp.encoding import encode
from sandbox.amqp.types import Malformed, Symbol, ULong

NO_PROPERTIES = Properties()

HEADER, DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS, PROPERTIES, APPLICATION_PROPERTIES = 0x70, 0x71, 0x72, 0x73, 0x74
DATA, SEQUENCE, VALUE, FOOTER = 0x75, 0x76, 0x77, 0x78

_NAMES = {
    "amqp:header:list": HEADER,
    "amqp:delivery-annotations:map": DELIVERY_ANNOTATIONS,
    "amqp:message-annotations:map": MESSAGE_ANNOTATIONS,
    "amqp:properties:list": PROPERTIES,
    "amqp:application-properties:map": APPLICATION_PROPERTIES,
    "amqp:data:binary": DATA,
    "amqp:amqp-sequence:list": SEQUENCE,
    "amqp:amqp-value:*": VALUE,
    "amqp:footer:map": FOOTER,
}


class Section(NamedTuple):
    """Where a section is: buf[start:end], its value from `value` on."""

    code: int
    start: int
    value: int
    end: int


def sections(buf: bytes) -> Iterator[Section]:
    """The sections in the order they come, which need not be the specification's. Raises Malformed."""
    pos, size = 0, len(buf)
    while pos < size:
        start = pos
        if buf[pos] != 0:
            raise Malformed("a message section without a descriptor")
        descriptor, value = decode(buf, pos + 1)
        code = _NAMES.get(descriptor) if type(descriptor) is Symbol else descriptor
        if type(descriptor) not in (Symbol, ULong) or code is None or not HEADER <= code <= FOOTER:
            raise Malformed("a message section that is not known")
        pos = skip(buf, value)
        yield Section(int(code), start, value, pos)


def section(code: int, value: Any) -> bytes:
    """A section whose value is not a composite. Raises Unencodable."""
    return b"\x00\x53" + bytes((code,)) + encode(value)


@dataclass(frozen=True, slots=True)
class Message:
    """A message taken apart. The body is `data` (one or more binaries), `sequences` or `value`."""

    header: Header | None = None
    delivery_annotations: dict[Any, Any] = field(default_factory=dict)
    annotations: dict[Any, Any] = field(default_factory=dict)
    properties: Properties = NO_PROPERTIES
    application_properties: dict[Any, Any] = field(default_factory=dict)
    data: tuple[bytes, ...] = ()
    sequences: tuple[list[Any], ...] = ()
    value: Any = None

    @property
    def body(self) -> bytes:
        """The data sections as one."""
        return b"".join(self.data)


_MAPS = {
    DELIVERY_ANNOTATIONS: "delivery_annotations",
    MESSAGE_ANNOTATIONS: "annotations",
    APPLICATION_PROPERTIES: "application_properties",
}


def parse(buf: bytes) -> Message:
    """A message from its bytes. Raises Malformed."""
    found: dict[str, Any] = {}
    data: list[bytes] = []
    sequences: list[list[Any]] = []
    for part in sections(buf):
        value, _ = decode(buf, part.value)
        if part.code in _MAPS:
            found[_MAPS[part.code]] = _of(value, dict)
        elif part.code == DATA:
            data.append(_of(value, bytes))
        elif part.code == SEQUENCE:
            sequences.append(_of(value, list))
        elif part.code == VALUE:
            found["value"] = value
        elif part.code in (HEADER, PROPERTIES):
            found["header" if part.code == HEADER else "properties"] = composites.read(buf, part.start)[0]
    return Message(data=tuple(data), sequences=tuple(sequences), **found)


def build(message: Message) -> bytes:
    """A message as bytes. Raises Unencodable."""
    out = []
    if message.header is not None:
        out.append(composites.write(message.header))
    if message.delivery_annotations:
        out.append(section(DELIVERY_ANNOTATIONS, message.delivery_annotations))
    if message.annotations:
        out.append(section(MESSAGE_ANNOTATIONS, message.annotations))
    if message.properties != NO_PROPERTIES:
        out.append(composites.write(message.properties))
    if message.application_properties:
        out.append(section(APPLICATION_PROPERTIES, message.application_properties))
    out.extend(section(DATA, part) for part in message.data)
    out.extend(section(SEQUENCE, part) for part in message.sequences)
    if not message.data and not message.sequences:
        out.append(section(VALUE, message.value))
    return b"".join(out)


def _of[T](value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise Malformed(f"a message section that is not a {kind.__name__}")
    return value
