"""The memory of used DPoP proofs, in Cosmos: one for all instances of the app (`shared.access.dpop.ProofMemory`).

A document a proof, its id a hash and nothing else in it; creating it is using the proof up, and Cosmos lets one of two
that try succeed. It removes the document itself when its time is over (`ttl`).
"""

import math
import secrets
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock, utc_now
from shared.errors import NotAvailable
from shared.messages.documents import AlreadyThere, Container, Create, Unreachable

CONTAINER: Final = "proofs"

_MARGIN: Final = timedelta(seconds=60)
"""Another instance's clock, or Cosmos's own, may be behind: it would still take the proof."""


class CosmosProofs:
    """Used proofs in the container `proofs` (partition key `/id`)."""

    def __init__(self, container: Container, clock: Clock = utc_now) -> None:
        self._container = container
        self._clock = clock

    async def remember(self, key: str, until: datetime) -> bool:
        """See ProofMemory."""
        left = max(until - self._clock(), timedelta()) + _MARGIN
        mine = secrets.token_urlsafe(9)
        document = {"id": key, "by": mine, "ttl": math.ceil(left.total_seconds())}
        try:
            try:
                await self._container.batch([Create(document)], key)
            except AlreadyThere:
                # The SDK repeats a request whose answer was lost: then the first one of this very call was it.
                known = await self._container.read(key, key)
                return known is not None and known.get("by") == mine
        except Unreachable:
            raise NotAvailable from None
        return True
