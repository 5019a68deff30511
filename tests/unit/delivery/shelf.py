"""Standing documents in memory, a register and a clock to turn: what the gate needs around it."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.delivery.gate import To
from shared.delivery.gatekeeper import Gatekeeper
from shared.delivery.standing import Standings, document_id
from shared.messages.documents import (
    AlreadyThere,
    ConditionFailed,
    Create,
    Document,
    NotThere,
    Operation,
    Patch,
    Unreachable,
)
from shared.registry.model import Limits, Municipality, Receiver
from shared.registry.traffic import Stop, Traffic

T0 = datetime(2026, 1, 15, 8, tzinfo=UTC)
TO = To("310000019", "epj")
_MUNICIPALITY = Municipality(TO.orgnr, "En kommune", (Receiver(TO.receiver, "https://epj.example.no/fhir"),))


class Shelf:
    """The container `operations`, as far as standing documents go. Each operation lets others run first."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.down = False
        self.reads = 0
        self.writes = 0

    async def read(self, id: str, partition: str) -> Document | None:
        await self._arrive()
        self.reads += 1
        found = self.documents.get(id)
        return None if found is None else dict(found)

    async def patch(self, patch: Patch, partition: str) -> Document:
        await self._arrive()
        document = self.documents.get(patch.id)
        if document is None:
            raise NotThere
        match = re.fullmatch(r"FROM c WHERE c\.version = (\d+)", patch.condition or "")
        assert match is not None
        if document["version"] != int(match[1]):
            raise ConditionFailed
        assert len(patch.changes) <= 10, "Cosmos takes no more"
        self.writes += 1
        self.documents[patch.id] = {**document, **{each.path[1:]: each.value for each in patch.changes}}
        return dict(self.documents[patch.id])

    async def batch(self, operations: Sequence[Operation], partition: str) -> None:
        await self._arrive()
        for each in operations:
            assert isinstance(each, Create)
            if each.document["id"] in self.documents:
                raise AlreadyThere
            self.writes += 1
            self.documents[each.document["id"]] = dict(each.document)

    async def put(self, document: Document, partition: str) -> None:
        raise NotImplementedError

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        raise NotImplementedError

    async def _arrive(self) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise Unreachable("STATUS_503")


class Around:
    """Everything around one or more gates."""

    def __init__(self) -> None:
        self.now = T0
        self.shelf = Shelf()
        self.home: Municipality | None = _MUNICIPALITY
        self.register_down = False

    async def municipality(self, orgnr: str) -> Municipality | None:
        """As the register answers."""
        if self.register_down:
            raise Unreachable("STATUS_503")
        return self.home

    def gate(self) -> Gatekeeper:
        """Another instance's gate."""
        return Gatekeeper(
            register=self, standings=Standings(self.shelf), clock=lambda: self.now, chance=lambda: 0.5
        )  # fmt: skip

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def stop(self, until: datetime | None, receiver: str = TO.receiver) -> None:
        """Stop deliveries."""
        self.home = replace(_MUNICIPALITY, traffic=Traffic(deliveries={receiver: Stop(until)}))

    def open(self) -> None:
        """Open what was stopped."""
        self.home = _MUNICIPALITY

    def limits(self, **limits: int) -> None:
        """Say what the receiver takes."""
        self.home = replace(_MUNICIPALITY, receivers=(replace(_MUNICIPALITY.receivers[0], limits=Limits(**limits)),))

    @property
    def document(self) -> Document:
        """The receiver's standing document."""
        return self.shelf.documents[document_id(TO)]
