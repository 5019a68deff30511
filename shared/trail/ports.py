"""What the trail needs of a document database. `shared.azure.trail` fulfils it with Cosmos DB."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from shared.messages.documents import Document


class AppendOnly(Protocol):
    """Documents that are created and read, and never changed or deleted. Every method may raise Unreachable.

    In Azure the app's identity has a role for these containers with `items/create`, `items/read` and `executeQuery`
    (with `readChangeFeed`, which the SDK's queries need) and nothing else.
    """

    async def create(self, documents: Sequence[Document], partition: str) -> None:
        """Put all of them or none; 100 at the most. Raises AlreadyThere."""

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        """What is found, `limit` at the most."""

    def pages(self, text: str, parameters: dict[str, Any]) -> AsyncIterator[Sequence[Document]]:
        """Everything that is found, page by page."""


class Feed(Protocol):
    """The documents of a container in the order of their latest change. May raise Unreachable."""

    async def after(self, position: str | None, limit: int) -> tuple[Sequence[Document], str]:
        """The next changes after a position (None: from the beginning), and the position after them."""


class Positions(Protocol):
    """How far each feed has been read; kept in a container of its own. May raise Unreachable."""

    async def read(self, feed: str) -> str | None:
        """The last position that was kept; None when there is none."""

    async def keep(self, feed: str, position: str) -> None:
        """Keep it in place of the one before."""
