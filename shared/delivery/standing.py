"""How a receiver stands, as all instances know it: one document each in the container `operations`.

Written when something changes (a breaker opens or closes, a probe is claimed, lanes are parked), not at every delivery.
Each change is made only to the version that the writer has seen, so of two instances that want the same, one gets it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared import clock
from shared.delivery.gate import To
from shared.messages.documents import (
    AlreadyThere,
    Change,
    ConditionFailed,
    Container,
    Create,
    Document,
    NotThere,
    Patch,
)

TYPE: Final = "receiver"
"""The `type` of these documents."""
_MANY: Final = 2000
"""More receivers than Norway's municipalities have."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a receiver. Times are UTC."""

    to: To
    version: int = 0
    """How often it was written; 0: never, nothing has happened yet."""
    open: bool = False
    """Whether its breaker is open."""
    since: datetime | None = None
    """When the breaker opened, or closed, last."""
    failures: int = 0
    """Failed tries in a row, as of the last write."""
    last_code: str = ""
    last_failure: datetime | None = None
    last_success: datetime | None = None
    probe_at: datetime | None = None
    """While it is open: when the next probe may go."""
    held: bool = False
    """Whether lanes may be parked for it."""
    look_again: datetime | None = None
    """When to look once more whether lanes are parked for it, after none were."""

    def document(self, now: datetime) -> Document:
        """As kept."""
        return {
            "id": document_id(self.to),
            "type": TYPE,
            "key": self.to.key,
            "orgnr": self.to.orgnr,
            "receiver": self.to.receiver,
            "version": self.version,
            "state": "open" if self.open else "closed",
            "since": _written(self.since),
            "failures": self.failures,
            "lastCode": self.last_code,
            "lastFailure": _written(self.last_failure),
            "lastSuccess": _written(self.last_success),
            "probeAt": _written(self.probe_at),
            "held": self.held,
            "lookAgain": _written(self.look_again),
            "updated": clock.written(now),
        }


def document_id(to: To) -> str:
    """The id, and partition, of a receiver's standing document."""
    return f"{TYPE}.{to.orgnr}.{to.receiver}"


def standing_from(document: Document) -> Standing:
    """The standing behind its document. Raises KeyError or ValueError for a document that is none."""
    return Standing(
        to=To(document["orgnr"], document["receiver"]),
        version=document["version"],
        open=document["state"] == "open",
        since=_read(document["since"]),
        failures=document["failures"],
        last_code=document["lastCode"],
        last_failure=_read(document["lastFailure"]),
        last_success=_read(document["lastSuccess"]),
        probe_at=_read(document["probeAt"]),
        held=document["held"],
        look_again=_read(document["lookAgain"]),
    )


class Standings:
    """The standing documents. Every method may raise Unreachable."""

    def __init__(self, container: Container) -> None:
        self._container = container

    async def read(self, to: To) -> Standing:
        """How a receiver stands; version 0 when nothing was ever written of it."""
        id = document_id(to)
        document = await self._container.read(id, id)
        return Standing(to) if document is None else standing_from(document)

    async def write(self, before: Standing, after: Standing, now: datetime) -> Standing | None:
        """Make `after` of `before`. Returns it with its version; None when somebody else has changed it meanwhile.

        At most eight fields may differ: Cosmos takes ten changes of a document, and two are the version and the time.
        """
        made = replace(after, version=before.version + 1)
        old, new = before.document(now), made.document(now)
        id = new["id"]
        try:
            if before.version == 0:
                await self._container.batch([Create(new)], id)
                return made
            differing = [Change("set", f"/{name}", value) for name, value in new.items() if old[name] != value]
            changes = (*differing, Change("set", "/updated", new["updated"]))
            await self._container.patch(Patch(id, changes, f"FROM c WHERE c.version = {before.version}"), id)
        except (AlreadyThere, NotThere, ConditionFailed):
            return None
        return made

    async def to_wake(self, now: datetime) -> Sequence[Standing]:
        """Receivers for which lanes may be parked."""
        found = await self._container.query(
            "SELECT * FROM c WHERE c.type = @type AND (c.held = true OR c.lookAgain <= @now)",
            {"@type": TYPE, "@now": clock.written(now)},
            _MANY,
        )
        return tuple(sorted(map(standing_from, found), key=lambda each: each.to.key))


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else clock.written(moment)


def _read(text: str | None) -> datetime | None:
    return None if text is None else clock.read(text)
