"""The performatives of AMQP 1.0 (part 2, section 2.7) and of its SASL layer (part 5) as typed tuples."""

from typing import Any, NamedTuple

from sandbox.amqp.composites import (
    ANY,
    BINARY,
    BOOL,
    ERROR,
    MAP,
    NESTED,
    SYMBOL,
    SYMBOLS,
    TEXT,
    UBYTE,
    UINT,
    ULONG,
    USHORT,
    DeliveryState,
    Error,
    Source,
    Target,
    must,
    register,
)
from sandbox.amqp.types import Array, Described, Symbol

SENDER, RECEIVER = False, True
"""The two roles of a link's end, as attach and disposition state them."""

SETTLED = 1
"""snd-settle-mode: everything is sent settled (Service Bus: receive-and-delete)."""


class Open(NamedTuple):
    """Begins a connection. `idle_time_out` is in milliseconds."""

    container_id: str
    hostname: str | None = None
    max_frame_size: int | None = None
    channel_max: int | None = None
    idle_time_out: int | None = None
    outgoing_locales: Array | Symbol | None = None
    incoming_locales: Array | Symbol | None = None
    offered_capabilities: Array | Symbol | None = None
    desired_capabilities: Array | Symbol | None = None
    properties: dict[Any, Any] | None = None


class Begin(NamedTuple):
    """Begins a session on a channel."""

    remote_channel: int | None
    next_outgoing_id: int
    incoming_window: int
    outgoing_window: int
    handle_max: int | None = None
    offered_capabilities: Array | Symbol | None = None
    desired_capabilities: Array | Symbol | None = None
    properties: dict[Any, Any] | None = None


class Attach(NamedTuple):
    """Attaches a link to a session. `role` is the role of whoever sends the attach."""

    name: str
    handle: int
    role: bool
    snd_settle_mode: int | None = None
    rcv_settle_mode: int | None = None
    source: Source | Described | None = None
    target: Target | Described | None = None
    unsettled: dict[Any, Any] | None = None
    incomplete_unsettled: bool | None = None
    initial_delivery_count: int | None = None
    max_message_size: int | None = None
    offered_capabilities: Array | Symbol | None = None
    desired_capabilities: Array | Symbol | None = None
    properties: dict[Any, Any] | None = None


class Flow(NamedTuple):
    """States the windows of a session, and with a handle the credit of a link."""

    next_incoming_id: int | None
    incoming_window: int
    next_outgoing_id: int
    outgoing_window: int
    handle: int | None = None
    delivery_count: int | None = None
    link_credit: int | None = None
    available: int | None = None
    drain: bool | None = None
    echo: bool | None = None
    properties: dict[Any, Any] | None = None


class Transfer(NamedTuple):
    """Carries a message, or a part of one when `more` is true."""

    handle: int
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool | None = None
    more: bool | None = None
    rcv_settle_mode: int | None = None
    state: DeliveryState | None = None
    resume: bool | None = None
    aborted: bool | None = None
    batchable: bool | None = None


class Disposition(NamedTuple):
    """Tells the state of deliveries `first` to `last`. `role` is the role of whoever sends it."""

    role: bool
    first: int
    last: int | None = None
    settled: bool | None = None
    state: DeliveryState | None = None
    batchable: bool | None = None


class Detach(NamedTuple):
    """Takes a link from its session."""

    handle: int
    closed: bool | None = None
    error: Error | None = None


class End(NamedTuple):
    """Ends a session."""

    error: Error | None = None


class Close(NamedTuple):
    """Ends a connection."""

    error: Error | None = None


class SaslMechanisms(NamedTuple):
    """The server's SASL mechanisms."""

    mechanisms: Array | Symbol


class SaslInit(NamedTuple):
    """The client's choice of mechanism."""

    mechanism: str
    initial_response: bytes | None = None
    hostname: str | None = None


class SaslChallenge(NamedTuple):
    """A question to the client."""

    challenge: bytes


class SaslResponse(NamedTuple):
    """The client's answer."""

    response: bytes


class SaslOutcome(NamedTuple):
    """How it went. 0 is good."""

    code: int
    additional_data: bytes | None = None


type Performative = Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close
type Sasl = SaslMechanisms | SaslInit | SaslChallenge | SaslResponse | SaslOutcome

PERFORMATIVES = (Open, Begin, Attach, Flow, Transfer, Disposition, Detach, End, Close)
SASL = (SaslMechanisms, SaslInit, SaslChallenge, SaslResponse, SaslOutcome)

register(
    Open, 0x10, "amqp:open:list",
    must(TEXT), TEXT, UINT, USHORT, UINT, SYMBOLS, SYMBOLS, SYMBOLS, SYMBOLS, MAP,
)  # fmt: skip
register(
    Begin, 0x11, "amqp:begin:list",
    USHORT, must(UINT), must(UINT), must(UINT), UINT, SYMBOLS, SYMBOLS, MAP,
)  # fmt: skip
register(
    Attach, 0x12, "amqp:attach:list",
    must(TEXT), must(UINT), must(BOOL), UBYTE, UBYTE, NESTED, NESTED, MAP, BOOL, UINT, ULONG, SYMBOLS, SYMBOLS, MAP,
)  # fmt: skip
register(
    Flow, 0x13, "amqp:flow:list",
    UINT, must(UINT), must(UINT), must(UINT), UINT, UINT, UINT, UINT, BOOL, BOOL, MAP,
)  # fmt: skip
register(
    Transfer, 0x14, "amqp:transfer:list",
    must(UINT), UINT, BINARY, UINT, BOOL, BOOL, UBYTE, NESTED, BOOL, BOOL, BOOL,
)  # fmt: skip
register(Disposition, 0x15, "amqp:disposition:list", must(BOOL), must(UINT), UINT, BOOL, NESTED, BOOL)
register(Detach, 0x16, "amqp:detach:list", must(UINT), BOOL, ERROR)
register(End, 0x17, "amqp:end:list", ERROR)
register(Close, 0x18, "amqp:close:list", ERROR)
register(SaslMechanisms, 0x40, "amqp:sasl-mechanisms:list", must(ANY))
register(SaslInit, 0x41, "amqp:sasl-init:list", must(SYMBOL), BINARY, TEXT)
register(SaslChallenge, 0x42, "amqp:sasl-challenge:list", must(BINARY))
register(SaslResponse, 0x43, "amqp:sasl-response:list", must(BINARY))
register(SaslOutcome, 0x44, "amqp:sasl-outcome:list", must(UBYTE), BINARY)
