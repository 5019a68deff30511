"""What watching needs of others: the database with its aggregates, and the ways by which people are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.messages.documents import Container, Document


class Looking(Protocol):
    """Documents to be looked through. Each method may raise Unreachable."""

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        """See Container."""

    async def value(self, text: str, parameters: dict[str, Any]) -> Any:
        """The one value of a `SELECT VALUE COUNT|SUM|MIN|MAX(…)` over all partitions; None when there is none."""


class Putting(Protocol):
    """Documents to be put somewhere."""

    async def put(self, document: Document, partition: str) -> None:
        """See Container."""


class Kept(Container, Looking, Protocol):
    """Documents to be looked through and changed."""


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as people get it."""

    id: str
    """The same at every try: who gets it twice can tell."""
    body: bytes
    """JSON, the same at every try."""
    subject: str
    text: str


class NotSent(Exception):
    """The channel did not take it, or it is not known whether it did; the text is a code."""


class Channel(Protocol):
    """A way by which people are told."""

    @property
    def name(self) -> str:
        """Its name: part of what is kept of every notice that it has not taken."""

    async def send(self, message: Message) -> None:
        """Send it. Raises NotSent."""

    async def close(self) -> None:
        """Let go of connections."""
