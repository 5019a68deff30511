"""One message as the broker keeps it, and how it is read from and written to the wire.

What the sender wrote (properties, application properties, body) is kept as its bytes and handed on untouched. The
header and the broker's own annotations are written anew for each delivery.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from sandbox.amqp import codec
from sandbox.amqp.message import (
    APPLICATION_PROPERTIES,
    DATA,
    DELIVERY_ANNOTATIONS,
    FOOTER,
    HEADER,
    MESSAGE_ANNOTATIONS,
    PROPERTIES,
)
from sandbox.servicebus import refusals

ACTIVE, DEFERRED, SCHEDULED = 0, 1, 2
"""States, as x-opt-message-state tells them."""

BATCH_FORMAT = 0x80013700
"""Message format of a batch: each data section is an encoded message."""

MAX_MESSAGE_ID = 128
MAX_SESSION_ID = 128

_SEQUENCE = codec.Symbol("x-opt-sequence-number")
_ENQUEUED = codec.Symbol("x-opt-enqueued-time")
_ENQUEUE_SEQUENCE = codec.Symbol("x-opt-enqueue-sequence-number")
_LOCKED_UNTIL = codec.Symbol("x-opt-locked-until")
_STATE = codec.Symbol("x-opt-message-state")
_SCHEDULED = codec.Symbol("x-opt-scheduled-enqueue-time")
_DEAD_LETTER_SOURCE = codec.Symbol("x-opt-deadletter-source")
_BROKERS_OWN = (_SEQUENCE, _ENQUEUED, _ENQUEUE_SEQUENCE, _LOCKED_UNTIL, _STATE, _SCHEDULED, _DEAD_LETTER_SOURCE)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as a sender wrote it."""

    raw: bytes
    header: codec.Header
    annotations: dict[Any, Any]
    properties: bytes
    application: bytes
    body: bytes
    message_id: str
    session_id: str | None
    scheduled_at: int | None


@dataclass(slots=True, eq=False)
class Message:
    """A message in a queue. `key` is the storage's, `sequence` the queue's; the last three fields are the storage's."""

    key: int
    sequence: int
    sent: Sent
    state: int
    enqueued_at: int
    expires_at: int | None = None
    ttl: int | None = None
    delivery_count: int = 0
    token: bytes | None = None
    locked_until: int = 0
    content_changed: bool = False
    stored: tuple[object, ...] | None = None
    locked_on_disk: bool = False

    @property
    def session_id(self) -> str | None:
        return self.sent.session_id

    def payload(self, locked_until: int | None = None, state: int | None = None) -> bytes:
        """The message for a receiver. The header always tells the delivery count: clients read null as unknown."""
        sent = self.sent
        header = codec.write(
            codec.Header(sent.header.durable, sent.header.priority, self.ttl, None, self.delivery_count)
        )
        annotations = {
            **sent.annotations,
            _ENQUEUED: codec.Timestamp(self.enqueued_at),
            _SEQUENCE: codec.Long(self.sequence),
            _ENQUEUE_SEQUENCE: codec.Long(self.sequence),
        }
        if sent.scheduled_at is not None:
            annotations[_SCHEDULED] = codec.Timestamp(sent.scheduled_at)
        if locked_until is not None:
            annotations[_LOCKED_UNTIL] = codec.Timestamp(locked_until)
        if state is not None:
            annotations[_STATE] = state
        return b"".join(
            (header, codec.section(MESSAGE_ANNOTATIONS, annotations), sent.properties, sent.application, sent.body)
        )


def read(raw: bytes) -> Sent:
    """A message as it came. Raises codec.Malformed, and Refusal for ids that the service would not take."""
    header, annotations, properties = codec.Header(), {}, codec.Properties()
    properties_raw = application = b""
    body = []
    for part in codec.sections(raw):
        if part.code == HEADER:
            header = codec.read(raw, part.start)[0]
        elif part.code == MESSAGE_ANNOTATIONS:
            annotations = _map(raw, part.value)
        elif part.code == PROPERTIES:
            properties, properties_raw = codec.read(raw, part.start)[0], raw[part.start : part.end]
        elif part.code == APPLICATION_PROPERTIES:
            _map(raw, part.value)
            application = raw[part.start : part.end]
        elif part.code != DELIVERY_ANNOTATIONS:
            body.append((part.code == FOOTER, raw[part.start : part.end]))
    if properties.message_id is None:
        # Clients settle and log by it: a message without one gets one, as in the service.
        properties = properties._replace(message_id=uuid.uuid4().hex)
        properties_raw = codec.write(properties)
        raw = _assemble(header, annotations, properties_raw, application, [part for _, part in body])
    scheduled = annotations.get(_SCHEDULED)
    message_id = str(properties.message_id)
    if len(message_id) > MAX_MESSAGE_ID or len(properties.group_id or "") > MAX_SESSION_ID:
        raise refusals.invalid("A message id and a session id have at most 128 characters.")
    return Sent(
        raw=raw,
        header=header,
        annotations={key: value for key, value in annotations.items() if key not in _BROKERS_OWN},
        properties=properties_raw,
        application=application,
        body=b"".join(part for _, part in sorted(body, key=lambda one: one[0])),
        message_id=message_id,
        session_id=properties.group_id,
        scheduled_at=int(scheduled) if isinstance(scheduled, int) else None,
    )


def read_all(raw: bytes, message_format: int) -> list[Sent]:
    """The message, or the messages of a batch. Raises codec.Malformed and Refusal."""
    if message_format != BATCH_FORMAT:
        return [read(raw)]
    return [read(_binary(raw, part.value)) for part in codec.sections(raw) if part.code == DATA]


def dead_lettered(sent: Sent, reason: str | None, description: str | None) -> Sent:
    """The message with the reason that the service puts among its application properties."""
    application: dict[Any, Any] = {}
    if sent.application:
        application = dict(codec.decode(sent.application, codec.decode(sent.application, 1)[1])[0])
    for name, text in (("DeadLetterReason", reason), ("DeadLetterErrorDescription", description)):
        if text is not None:
            application[name] = text
    section = codec.section(APPLICATION_PROPERTIES, application) if application else b""
    annotations = dict(sent.annotations)
    if sent.scheduled_at is not None:
        annotations[_SCHEDULED] = codec.Timestamp(sent.scheduled_at)
    raw = _assemble(sent.header, annotations, sent.properties, section, [sent.body])
    return Sent(
        raw, sent.header, sent.annotations, sent.properties, section, sent.body,
        sent.message_id, sent.session_id, sent.scheduled_at,
    )  # fmt: skip


def _assemble(
    header: codec.Header, annotations: dict[Any, Any], properties: bytes, application: bytes, body: list[bytes]
) -> bytes:
    marked = codec.section(MESSAGE_ANNOTATIONS, annotations) if annotations else b""
    return b"".join((codec.write(header), marked, properties, application, *body))


def _map(raw: bytes, pos: int) -> dict[Any, Any]:
    value, _ = codec.decode(raw, pos)
    if not isinstance(value, dict):
        raise codec.Malformed("annotations or application properties that are not a map")
    return value


def _binary(raw: bytes, pos: int) -> bytes:
    value, _ = codec.decode(raw, pos)
    if not isinstance(value, bytes):
        raise codec.Malformed("a data section that is not binary")
    return value
