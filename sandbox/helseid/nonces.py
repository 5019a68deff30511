"""The nonces of the token endpoint (RFC 9449 section 8): opaque to the client, good for a while, remembered nowhere.

HelseID publishes neither their form nor their lifetime. After a restart older ones are refused with a new one, which
every client must be ready for.
"""

import hmac
import secrets
from datetime import datetime
from typing import Final

from sandbox.helseid.jose import encoded

LIFETIME_S: Final = 300


class Nonces:
    """Makes and knows the nonces of one run."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def new(self, now: datetime) -> str:
        """A nonce that is good from now (UTC) on."""
        start = f"{int(now.timestamp()):x}-{secrets.token_urlsafe(8)}"
        return f"{start}.{self._tag(start)}"

    def holds(self, nonce: str, now: datetime) -> bool:
        """Whether this is one of ours and still good."""
        start, _, tag = nonce.rpartition(".")
        if not hmac.compare_digest(tag.encode(), self._tag(start).encode()):
            return False
        return abs(now.timestamp() - int(start.partition("-")[0], 16)) < LIFETIME_S

    def _tag(self, start: str) -> str:
        return encoded(hmac.digest(self._key, start.encode(), "sha256")[:16])
