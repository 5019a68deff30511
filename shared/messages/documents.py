"""What the stores need of a document database, in its own words: partitions, atomic batches, conditional patches.

`shared.azure.cosmos` fulfils it with Cosmos DB. Deciding code sees only these names, so it runs without an Azure SDK.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Document = dict[str, Any]


class StoreError(Exception):
    """An operation on a document did not happen. `index` is its place in the batch (0 when alone)."""

    def __init__(self, index: int = 0) -> None:
        super().__init__(f"operation {index}")
        self.index = index


class AlreadyThere(StoreError):
    """A document with this id is in the partition already."""


class NotThere(StoreError):
    """There is no such document, or not the place in it that was to be changed."""


class ConditionFailed(StoreError):
    """The document is not as the writer took it to be: somebody else was faster."""


class Unreachable(Exception):
    """The database did not answer, or asked to be left alone; whether the operation happened is not known."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change within a document. `path` is a JSON pointer; `/list/-` is the end of a list."""

    op: Literal["set", "add", "remove", "incr"]
    path: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Create:
    """Put a new document; AlreadyThere when its id is taken."""

    document: Document


@dataclass(frozen=True, slots=True)
class Patch:
    """Change a document in place, if it meets the condition (a Cosmos `FROM c WHERE …`); ten changes at the most."""

    id: str
    changes: tuple[Change, ...]
    condition: str | None = None


Operation = Create | Patch


class Container(Protocol):
    """Documents of one kind, each in a partition. Every method may raise Unreachable."""

    async def read(self, id: str, partition: str) -> Document | None:
        """One point read; None when there is no such document."""

    async def patch(self, patch: Patch, partition: str) -> Document:
        """Change one document and return it as it is afterwards. Raises NotThere, ConditionFailed."""

    async def batch(self, operations: Sequence[Operation], partition: str) -> None:
        """All of the operations or none. Raises AlreadyThere, NotThere or ConditionFailed with the culprit's index."""

    async def put(self, document: Document, partition: str) -> None:
        """Put a document, in place of one with the same id if there is one."""

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        """Documents of any partition. Not for hot paths."""


class Counted(Container, Protocol):
    """Documents that can be counted too."""

    async def value(self, text: str, parameters: dict[str, Any]) -> Any:
        """The one value of a `SELECT VALUE COUNT(1)` over all partitions; None when there is none."""


class Together(Counted, Protocol):
    """Documents that can be read several at a time too."""

    async def read_all(self, ids: Sequence[str], partition: str) -> tuple[Document, ...]:
        """Documents of one partition in one go, all as they are now. Raises NotThere when one is missing.

        Cosmos DB answers a point read by any replica, with what that knows (consistency by session); a batch, even one
        that only reads, is the writing replica's.
        """
