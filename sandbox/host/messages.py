"""A Service Bus message as the extension 5.x and the host hand it to a worker: body and trigger metadata.

Sources (azure-functions.md 1.5): ServiceBusTriggerBindingStrategy.cs for the names; GrpcMessageConversionExtensions for
the types (strings as string, everything else as json, nulls left out); Utility.ApplyBindingData for the JSON body whose
properties overwrite the metadata when the data type is not binary. Not sent here: the extension's client objects
(MessageReceiver, MessageSession, MessageActions, …), which a Python function cannot use.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.amqp.codec import Message, Timestamp
from sandbox.host.amqp_links import Delivery
from sandbox.host.protos import TypedData

_MAX = "9999-12-31T23:59:59.9999999"
""".NET's DateTime.MaxValue, which stands for "never"."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
_LONGEST_MS = 5000 * 365 * 24 * 3600 * 1000


def lock_token(delivery: Delivery) -> uuid.UUID:
    """The lock token: the delivery tag in .NET's byte order. A tag of another length gives the zero token."""
    return uuid.UUID(bytes_le=delivery.tag) if len(delivery.tag) == 16 else uuid.UUID(int=0)


def trace_parent(message: Message) -> str | None:
    """The sender's trace, from the application properties that the SDKs write."""
    for name in ("traceparent", "Diagnostic-Id"):
        value = message.application_properties.get(name)
        if isinstance(value, str):
            return value
    return None


def body_value(message: Message, binary: bool) -> TypedData:
    """The body as the function's parameter: bytes, or text when the data type is not binary."""
    raw = raw_body(message)
    return TypedData(bytes=raw) if binary else TypedData(string=raw.decode("utf-8", "replace"))


def raw_body(message: Message) -> bytes:
    """The body's bytes: the data sections, or a string or binary value."""
    if message.data or message.value is None:
        return message.body
    if isinstance(message.value, bytes):
        return message.value
    return str(message.value).encode() if isinstance(message.value, str) else b""


def metadata(delivery: Delivery, binary: bool) -> dict[str, TypedData]:
    """The trigger metadata for one message."""
    message = delivery.message
    properties, annotations = message.properties, message.annotations
    enqueued = _enqueued(message)
    application = {str(name): _plain(value) for name, value in message.application_properties.items()}
    found: dict[str, TypedData] = {}
    texts = {
        "MessageId": _text(properties.message_id),
        "SessionId": properties.group_id,
        "LockToken": str(lock_token(delivery)),
        "ContentType": properties.content_type,
        "CorrelationId": _text(properties.correlation_id),
        "Subject": properties.subject,
        "Label": properties.subject,
        "ReplyTo": _text(properties.reply_to),
        "ReplyToSessionId": properties.reply_to_group_id,
        "To": _text(properties.to),
        "PartitionKey": _text(annotations.get("x-opt-partition-key")),
        "TransactionPartitionKey": _text(annotations.get("x-opt-via-partition-key")),
        "DeadLetterSource": _text(annotations.get("x-opt-deadletter-source")),
    }
    found |= {name: TypedData(string=text) for name, text in texts.items() if text is not None}
    expires = _expires(message, enqueued)
    delivered = message.header.delivery_count if message.header is not None else None
    others = {
        "DeliveryCount": (delivered or 0) + 1,
        "SequenceNumber": int(annotations.get("x-opt-sequence-number") or 0),
        "EnqueuedTimeUtc": _dotnet(enqueued),
        "EnqueuedTime": f"{_dotnet(enqueued)}+00:00",
        "ExpiresAtUtc": expires,
        "ExpiresAt": f"{expires}+00:00",
        "ApplicationProperties": application,
        "UserProperties": application,
    }
    found |= {name: TypedData(json=json.dumps(value)) for name, value in others.items()}
    if not binary:
        overwrite_from_body(found, raw_body(message))
    return found


def overwrite_from_body(found: dict[str, TypedData], raw: bytes) -> None:
    """What the host does to a text body: each top-level property that is no array overwrites the metadata so named."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return
    properties: dict[str, Any] = body if isinstance(body, dict) else {}
    names = {name.lower(): name for name in found}
    for name, value in properties.items():
        if value is None or isinstance(value, list):
            continue
        key = names.get(name.lower(), name)
        if isinstance(value, dict):
            found[key] = TypedData(json=json.dumps(value))
        else:
            found[key] = TypedData(string=value if isinstance(value, str) else json.dumps(value).capitalize())


def _enqueued(message: Message) -> datetime:
    value = message.annotations.get("x-opt-enqueued-time")
    return _moment(value) if isinstance(value, int) else _EPOCH


def _moment(milliseconds: int) -> datetime:
    """A time since 1970, held within what a datetime can be."""
    return _EPOCH + timedelta(milliseconds=max(_FIRST_MS, min(int(milliseconds), _LAST_MS)))


def _expires(message: Message, enqueued: datetime) -> str:
    created, until = message.properties.creation_time, message.properties.absolute_expiry_time
    if isinstance(created, int) and isinstance(until, int):
        lifetime: int | None = until - created
    else:
        lifetime = message.header.ttl if message.header is not None else None
    if lifetime is None or lifetime >= _LONGEST_MS:
        return _MAX
    return _dotnet(_moment((enqueued - _EPOCH) // timedelta(milliseconds=1) + lifetime))


def _dotnet(moment: datetime) -> str:
    """A DateTime of kind Unspecified as Newtonsoft writes it: no offset, no zeros at the end of the fraction."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    """An application property's value as JSON."""
    if isinstance(value, Timestamp):
        return f"{_dotnet(_moment(value))}Z"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else str(value)
