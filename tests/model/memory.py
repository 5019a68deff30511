"""Containers in memory that behave as the sandbox's Cosmos endpoint does, and fail where they are told to."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from enum import Enum, auto
from typing import Any, cast

from sandbox.cosmos.catalogue import Container as Definition
from sandbox.cosmos.partition import PartitionKey
from sandbox.cosmos.patching import apply
from sandbox.cosmos.sql.conditions import holds
from sandbox.cosmos.sql.query import compile_text
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


class Trouble(Enum):
    """What can go wrong with one operation."""

    NOT_DONE = auto()
    """The database is out of reach: nothing happens."""
    ANSWER_LOST = auto()
    """It happens, and nobody learns of it."""
    KILLED_BEFORE = auto()
    """The worker dies before it."""
    KILLED_AFTER = auto()
    """The worker dies after it."""


class Killed(BaseException):
    """The worker is dead: nothing of it runs any more, no handler and no clean-up of any consequence."""


class _Definition:
    key = PartitionKey.of({"paths": ["/partition"]})


class MemoryContainer:
    """See shared.messages.documents.Container. `trouble` is asked before every operation that a worker does."""

    def __init__(self, trouble: Callable[[], Trouble | None] = lambda: None) -> None:
        self.documents: dict[tuple[str, str], Document] = {}
        self._trouble = trouble

    async def read(self, id: str, partition: str) -> Document | None:
        """See Container."""
        after = self._before()
        found: Document | None = _copy(self.documents.get((partition, id)))
        after()
        return found

    async def read_all(self, ids: Sequence[str], partition: str) -> tuple[Document, ...]:
        """See Container."""
        after = self._before()
        found = [_copy(self.documents.get((partition, id))) for id in ids]
        after()
        if None in found:
            raise NotThere
        return tuple(cast(list[Document], found))

    async def patch(self, patch: Patch, partition: str) -> Document:
        """See Container."""
        after = self._before()
        changed = self._all((patch,), partition)
        self.documents.update(changed)
        after()
        return _copy(self.documents[(partition, patch.id)])

    async def batch(self, operations: Sequence[Operation], partition: str) -> None:
        """See Container."""
        after = self._before()
        self.documents.update(self._all(operations, partition))
        after()

    async def put(self, document: Document, partition: str) -> None:
        """See Container."""
        after = self._before()
        self.documents[(partition, document["id"])] = _copy(document)
        after()

    async def create(self, documents: Sequence[Document], partition: str) -> None:
        """As append-only containers have it."""
        await self.batch([Create(each) for each in documents], partition)

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        """See Container."""
        after = self._before()
        compiled = compile_text(text)
        bound = compiled.bind(parameters)
        rows = [row for each in self.documents.values() for row in compiled.rows(cast(Any, each), bound)]
        skip, most = compiled.slice_of(bound)
        found = compiled.gathered(rows, bound)[skip:][: limit if most is None else min(limit, most)]
        after()
        return cast(Sequence[Document], _copy(found))

    async def value(self, text: str, parameters: dict[str, Any]) -> Any:
        """The one value of an aggregate."""
        found = await self.query(text, parameters, limit=1)
        return found[0] if found else None

    async def pages(self, text: str, parameters: dict[str, Any]) -> AsyncIterator[Sequence[Document]]:
        """As the audit log and the waking of lanes read."""
        found = await self.query(text, parameters, limit=10**9)
        for at in range(0, len(found), 10):
            yield found[at : at + 10]

    def _before(self) -> Callable[[], None]:
        trouble = self._trouble()
        match trouble:
            case Trouble.NOT_DONE:
                raise Unreachable("NOT_DONE")
            case Trouble.KILLED_BEFORE:
                raise Killed

        def after() -> None:
            match trouble:
                case Trouble.ANSWER_LOST:
                    raise Unreachable("ANSWER_LOST")
                case Trouble.KILLED_AFTER:
                    raise Killed

        return after

    def _all(self, operations: Sequence[Operation], partition: str) -> dict[tuple[str, str], Document]:
        changed: dict[tuple[str, str], Document] = {}
        for index, operation in enumerate(operations):
            match operation:
                case Create(document):
                    place = (partition, document["id"])
                    assert document.get("partition", partition) == partition
                    if place in changed or place in self.documents:
                        raise AlreadyThere(index)
                    changed[place] = _copy(document)
                case Patch():
                    place = (partition, operation.id)
                    known = changed.get(place, self.documents.get(place))
                    if known is None:
                        raise NotThere(index)
                    if operation.condition is not None and not holds(operation.condition, cast(Any, known)):
                        raise ConditionFailed(index)
                    document = _copy(known)
                    changes = [
                        {"op": each.op, "path": each.path, **({} if each.op == "remove" else {"value": each.value})}
                        for each in operation.changes
                    ]
                    apply(cast(Definition, _Definition), cast(Any, document), cast(Any, _copy(changes)))
                    changed[place] = document
        return changed


def _copy[T](value: T) -> T:
    return cast(T, json.loads(json.dumps(value)))
