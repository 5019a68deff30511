"""All that is known of one municipality's messages about one patient is one partition, whichever lane it belongs to.

The event, its bytes, the line of each receiver and what each has got are thereby written together or not at all: an
event is routed in the very batch that accepts it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from shared.messages.documents import Create, Document, Operation, Patch, Together
from shared.messages.lanes import partition_of

KEY: Final = "partition"
"""The property that the container is divided by (`infra/topology.json`)."""


class ByLane:
    """The container `messages`, asked by lane. Every method may raise Unreachable; see Container."""

    def __init__(self, container: Together) -> None:
        self.whole = container
        """For questions that go over all partitions."""

    async def read(self, id: str, lane: str) -> Document | None:
        """One point read; None when there is no such document."""
        return await self.whole.read(id, partition_of(lane))

    async def read_all(self, ids: Sequence[str], lane: str) -> tuple[Document, ...]:
        """Several documents in one go, as of the same moment. Raises NotThere when one is missing."""
        return await self.whole.read_all(ids, partition_of(lane))

    async def patch(self, patch: Patch, lane: str) -> Document:
        """Change one document and return it as it is afterwards. Raises NotThere, ConditionFailed."""
        return await self.whole.patch(patch, partition_of(lane))

    async def batch(self, operations: Sequence[Operation], lane: str) -> None:
        """All of the operations or none. Raises AlreadyThere, NotThere or ConditionFailed with the culprit's index."""
        partition = partition_of(lane)
        await self.whole.batch([_in(partition, each) for each in operations], partition)

    async def put(self, document: Document, lane: str) -> None:
        """Put a document, in place of one with the same id if there is one."""
        partition = partition_of(lane)
        await self.whole.put({**document, KEY: partition}, partition)

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        """Documents of any partition. Not for hot paths."""
        return await self.whole.query(text, parameters, limit)

    async def value(self, text: str, parameters: dict[str, Any]) -> Any:
        """The one value of an aggregate over all partitions; None when there is none."""
        return await self.whole.value(text, parameters)


def _in(partition: str, operation: Operation) -> Operation:
    if isinstance(operation, Create):
        return replace(operation, document={**operation.document, KEY: partition})
    return operation
