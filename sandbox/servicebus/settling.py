"""What a receiver's outcome means for a message."""

from typing import Any

from sandbox.amqp import codec
from sandbox.servicebus import wire
from sandbox.servicebus.queue import Queue
from sandbox.servicebus.refusals import Refusal


def settle(queue: Queue, token: bytes, state: codec.DeliveryState) -> codec.DeliveryState:
    """Do what the outcome says. Returns what the receiver is told: the same outcome, or why not.

    A `rejected` is told back without its error: the SDKs take an error inside as a refusal.
    """
    try:
        match state:
            case codec.Accepted():
                queue.complete(token)
            case codec.Rejected():
                reason, description = _dead_letter_reason(state)
                queue.dead_letter(token, reason, description)
                return codec.Rejected()
            case codec.Modified(undeliverable_here=True):
                queue.defer(token)
            case codec.Modified():
                queue.abandon(token)  # counts whatever delivery-failed says: the JavaScript SDK leaves it out
            case codec.Released():
                queue.abandon(token, counted=False)
            case _:
                return codec.Rejected(codec.Error("amqp:not-implemented", "This delivery state is not an outcome."))
    except Refusal as refusal:
        return wire.rejected(refusal)
    return state


def _dead_letter_reason(state: codec.Rejected) -> tuple[str | None, str | None]:
    if not isinstance(state.error, codec.Error):
        return None, None
    info: dict[Any, Any] = state.error.info or {}
    return info.get("DeadLetterReason"), info.get("DeadLetterErrorDescription", state.error.description)
