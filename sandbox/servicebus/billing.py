"""Operations as Azure bills them, counted by queue and kind.

Source: https://azure.microsoft.com/pricing/details/service-bus/, FAQ "How is the Operations meter calculated for queues
and topics?": a send and a delivery of up to 64 KB are one operation each and larger messages one for each 64 KB begun;
completing, abandoning, deferring, dead-lettering and renewing a lock are one each; a message that is handed out again
counts again. Sending many in one batch saves nothing (Microsoft Learn, "Best Practices for performance improvements
using Service Bus Messaging": batching does not change what is billed). Receive-and-delete is one for both steps.

Assumed, since nothing is published: requests to `$management` (peek, session state, cancelling) are one each, and that
a link which waits for a session, or gets one, is none. Sessions taken are among the counters, for whoever sees it
otherwise.
"""

from collections import Counter
from typing import Final

_STEP: Final = 64 * 1024

SEND: Final = "sends"
RECEIVE: Final = "receives"
SETTLE: Final = "settlements"
RENEW: Final = "renewals"
REQUEST: Final = "requests"


class Bill:
    """What was done so far."""

    def __init__(self) -> None:
        self.operations: Counter[tuple[str, str]] = Counter()

    def message(self, queue: str, kind: str, size: int) -> None:
        """A message of `size` bytes was sent or handed out."""
        self.operations[queue, kind] += max(1, -(-size // _STEP))

    def one(self, queue: str, kind: str, count: int = 1) -> None:
        """Something was done that costs the same for every message."""
        self.operations[queue, kind] += count
