"""What the broker answers when it will not do something: an AMQP condition, a text, and a status for $management.

The conditions are those of the service, as azure-servicebus maps them to exceptions.
"""


class Refusal(Exception):
    """The broker will not do it."""

    def __init__(self, condition: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.condition = condition
        self.description = description
        self.status = status


def not_found(path: str) -> Refusal:
    return Refusal("amqp:not-found", f"The messaging entity '{path}' could not be found.", 404)


def not_allowed(description: str) -> Refusal:
    return Refusal("amqp:not-allowed", description)


def not_implemented(what: str) -> Refusal:
    return Refusal("amqp:not-implemented", f"{what} is not implemented by this local broker.", 501)


def invalid(description: str) -> Refusal:
    return Refusal("com.microsoft:argument-error", description)


def unauthorized(description: str) -> Refusal:
    return Refusal("amqp:unauthorized-access", description, 401)


def message_lock_lost() -> Refusal:
    return Refusal(
        "com.microsoft:message-lock-lost",
        "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the "
        "queue.",
        410,
    )


def session_lock_lost() -> Refusal:
    return Refusal(
        "com.microsoft:session-lock-lost",
        "The session lock has expired on the MessageSession. Accept a new MessageSession.",
        410,
    )


def session_busy(session_id: str) -> Refusal:
    return Refusal(
        "com.microsoft:session-cannot-be-locked",
        f"The requested session '{session_id}' cannot be accepted. It may be locked by another receiver.",
        409,
    )


def busy() -> Refusal:
    return Refusal(
        "com.microsoft:server-busy", "The request was terminated because the namespace is being throttled.", 503
    )


def timed_out() -> Refusal:
    return Refusal("com.microsoft:timeout", "The operation did not complete within the allotted timeout.", 408)


def message_not_found() -> Refusal:
    return Refusal("com.microsoft:message-not-found", "One or more of the messages do not exist.", 404)


def too_large(size: int, limit: int) -> Refusal:
    return Refusal(
        "amqp:link:message-size-exceeded",
        f"The received message (size: {size} bytes) exceeds the limit ({limit} bytes) currently allowed on the link.",
    )
