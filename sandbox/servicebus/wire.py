"""What the broker says on the wire that is the same for all links."""

from sandbox.amqp import codec
from sandbox.servicebus.refusals import Refusal

MAX_MESSAGE_BYTES = 256 * 1024
"""The largest message, as in the service's standard tier."""

MAX_ASSEMBLED_BYTES = 2 << 20
"""How much of a larger message is read, so that it can be refused as a message and not as a connection."""

MAX_FRAME_BYTES = 64 * 1024
CHANNEL_MAX = 4999
HANDLE_MAX = 255
"""Links of one session: handles 0 to 255, as the service says in its begin."""

WINDOW = 2**31 - 1
SENDER_CREDIT = 1000
IDLE_MS = 240_000
TICKS_AT_1970 = 621_355_968_000_000_000
"""1970 in .NET ticks of 100 ns since the year 1."""

SESSION_FILTER = codec.Symbol("com.microsoft:session-filter")
SESSION_WAIT_MS = 65_000
"""How long a receiver waits for the next session when it does not say."""


def error(refusal: Refusal) -> codec.Error:
    """The AMQP error of a refusal."""
    return codec.Error(refusal.condition, refusal.description)


def rejected(refusal: Refusal) -> codec.Rejected:
    """The outcome of a refusal."""
    return codec.Rejected(error(refusal))


def ticks(at: int) -> codec.Long:
    """Milliseconds since 1970 as .NET ticks."""
    return codec.Long(at * 10_000 + TICKS_AT_1970)
