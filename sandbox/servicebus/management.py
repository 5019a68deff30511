"""The request/response operations of `<queue>/$management`.

Source: Microsoft Learn, "AMQP 1.0 in Azure Service Bus: request-response-based operations", as the SDKs send them.
"""

import uuid
from collections.abc import Callable
from typing import Any

from sandbox.amqp import codec
from sandbox.servicebus import billing, refusals
from sandbox.servicebus import message as messages
from sandbox.servicebus.queue import Queue
from sandbox.servicebus.sessions import Session, Sessions

type Arguments = dict[Any, Any]
type Answer = tuple[int, dict[str, Any]]

ALL_SESSIONS = 253402300800000
"""A last-updated-time that means: whenever."""

MAX_PEEKED_BYTES = 1 << 20
_NO_CONTENT: Answer = (204, {})


def answer(queue: Queue, operation: object, arguments: object, holder: object) -> Answer:
    """Do one operation for a connection (`holder`). Returns status and body. Raises Refusal."""
    name = str(operation).removeprefix("com.microsoft:")
    known = _OPERATIONS.get(name)
    if known is None:
        raise refusals.not_implemented(f"The operation '{name}'")
    if not isinstance(arguments, dict):
        raise refusals.invalid("The body of a request is a map.")
    try:
        status, body = known(queue, arguments, holder)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise refusals.invalid(f"The operation '{name}' lacks an argument or has one of a wrong type.") from None
    if name in _REQUESTS:
        queue.context.bill.one(queue.name, billing.REQUEST)
    return status, body


def _sessions(queue: Queue) -> Sessions:
    if queue.sessions is None:
        raise refusals.not_allowed("The entity does not have sessions.")
    return queue.sessions


def _session(queue: Queue, arguments: Arguments, holder: object) -> Session:
    return _sessions(queue).held_by(arguments["session-id"], holder)


def _renew_lock(queue: Queue, arguments: Arguments, _holder: object) -> Answer:
    expirations = [queue.renew(token.bytes_le) for token in arguments["lock-tokens"]]
    return 200, {"expirations": codec.timestamps(expirations)}


def _renew_session_lock(queue: Queue, arguments: Arguments, holder: object) -> Answer:
    until = _sessions(queue).renew(_session(queue, arguments, holder))
    queue.context.counters[queue.name, "sessionLockRenewals"] += 1
    queue.context.bill.one(queue.name, billing.RENEW)
    return 200, {"expiration": codec.Timestamp(until)}


def _set_session_state(queue: Queue, arguments: Arguments, holder: object) -> Answer:
    state = arguments.get("session-state")
    if state is not None and not isinstance(state, bytes):
        raise refusals.invalid("A session's state is binary.")
    _sessions(queue).set_state(_session(queue, arguments, holder), state)
    return 200, {}


def _get_session_state(queue: Queue, arguments: Arguments, holder: object) -> Answer:
    return 200, {"session-state": _session(queue, arguments, holder).state}


def _get_message_sessions(queue: Queue, arguments: Arguments, _holder: object) -> Answer:
    updated, skip, top = int(arguments["last-updated-time"]), int(arguments["skip"]), int(arguments["top"])
    ids = list(_sessions(queue).ids(None if updated >= ALL_SESSIONS else updated))[skip : skip + top]
    return (200, {"skip": skip + len(ids), "sessions-ids": codec.strings(ids)}) if ids else _NO_CONTENT


def _peek(queue: Queue, arguments: Arguments, _holder: object) -> Answer:
    wanted, size = int(arguments["message-count"]), 0
    found: list[dict[str, bytes]] = []
    for message in queue.browse(int(arguments["from-sequence-number"]), arguments.get("session-id")):
        raw = message.payload(state=message.state)
        size += len(raw)
        if found and size > MAX_PEEKED_BYTES:
            break
        found.append({"message": raw})
        if len(found) >= wanted:
            break
    return (200, {"messages": found}) if found else _NO_CONTENT


def _schedule(queue: Queue, arguments: Arguments, _holder: object) -> Answer:
    sent = [messages.read(bytes(one["message"])) for one in arguments["messages"]]
    return 200, {"sequence-numbers": codec.longs(queue.send(sent))}


def _cancel(queue: Queue, arguments: Arguments, _holder: object) -> Answer:
    queue.cancel_scheduled([int(sequence) for sequence in arguments["sequence-numbers"]])
    return 200, {}


def _receive_deferred(queue: Queue, arguments: Arguments, holder: object) -> Answer:
    session_id = None
    if queue.sessions is not None:
        session_id = _session(queue, arguments, holder).id
    out: list[dict[str, Any]] = []
    for message in queue.deferred([int(sequence) for sequence in arguments["sequence-numbers"]], session_id):
        if int(arguments["receiver-settle-mode"]) == 1:
            token = queue.lock(message)
            raw = message.payload(message.locked_until, messages.DEFERRED)
            out.append({"lock-token": uuid.UUID(bytes_le=token), "message": raw})
        else:
            out.append({"message": message.payload(None, messages.DEFERRED)})
            queue.consume(message)
    return 200, {"messages": out}


def _update_disposition(queue: Queue, arguments: Arguments, holder: object) -> Answer:
    if queue.sessions is not None and arguments.get("session-id") is not None:
        _session(queue, arguments, holder)
    status = str(arguments["disposition-status"])
    for token in [one.bytes_le for one in arguments["lock-tokens"]]:
        if status == "completed":
            queue.complete(token)
        elif status == "abandoned":
            queue.abandon(token)
        elif status == "defered":  # as the service spells it
            queue.defer(token)
        elif status == "suspended":
            queue.dead_letter(token, arguments.get("deadletter-reason"), arguments.get("deadletter-description"))
        else:
            raise refusals.invalid("The disposition status is not known.")
    return 200, {}


_REQUESTS = frozenset((
    "set-session-state", "get-session-state", "get-message-sessions", "peek-message", "cancel-scheduled-message",
    "receive-by-sequence-number",
))  # fmt: skip
"""Billed as what they are; the others are billed as the sends, settlements and renewals that they cause."""

_OPERATIONS: dict[str, Callable[[Queue, Arguments, object], Answer]] = {
    "renew-lock": _renew_lock,
    "renew-session-lock": _renew_session_lock,
    "set-session-state": _set_session_state,
    "get-session-state": _get_session_state,
    "get-message-sessions": _get_message_sessions,
    "peek-message": _peek,
    "schedule-message": _schedule,
    "cancel-scheduled-message": _cancel,
    "receive-by-sequence-number": _receive_deferred,
    "update-disposition": _update_disposition,
}
