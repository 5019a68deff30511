"""What is kept of a refused call: that it was refused, when, for which rule, and whose it was if that is known.

Nothing of the message is kept but its checksum and size. A caller whose token did not hold is not named: the name would
be an unproven claim (domain/audit.md). One document a refusal, in partitions of an hour.
"""

import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from shared.clock import written
from shared.messages.documents import AlreadyThere, Document
from shared.registry.model import is_orgnr
from shared.trail.ports import AppendOnly


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that was refused."""

    at: datetime
    code: str
    status: int
    rules: tuple[str, ...]
    orgnr: str
    resource: str
    correlation_id: str
    vkp_id: str | None
    """The caller, if it was authenticated."""
    body: bytes | None
    """The body, if it was read for judging; its checksum is kept."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """How the caller was known and by what was judged (`shared.trail.facts`), if it was authenticated."""

    def document(self) -> Document:
        """As kept in the outbox."""
        return {
            "id": str(uuid.uuid4()),
            "period": self.at.astimezone(UTC).strftime("%Y-%m-%dT%H"),
            "type": "refusal",
            "at": written(self.at),
            "code": self.code,
            "status": self.status,
            "rules": list(self.rules),
            # An address is free text until it is known to be one of ours.
            "orgnr": self.orgnr if is_orgnr(self.orgnr) else None,
            "resource": self.resource,
            "correlationId": self.correlation_id,
            "authenticated": self.vkp_id is not None,
            "vkpId": self.vkp_id,
            "sha256": sha256(self.body).hexdigest() if self.body is not None else None,
            "size": len(self.body) if self.body is not None else None,
            "facts": dict(self.facts),
        }


class RefusalTrail:
    """Refusals in the container `refusals`: an outbox of the log. They lapse there in time; their entries do not."""

    def __init__(self, container: AppendOnly) -> None:
        self._container = container

    async def keep(self, refusal: Refusal) -> None:
        """Store it. Raises Unreachable."""
        document = refusal.document()
        # The id is new: when it is there already, the first try was stored and its answer was lost.
        with contextlib.suppress(AlreadyThere):
            await self._container.create([document], document["period"])
