"""Cosmos DB as the trail needs it: containers' change feeds, and how far they have been read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from shared.azure.cosmos import Cosmos, LazyContainer
from shared.messages.documents import Document, Unreachable


class Feeds:
    """Change feeds of one account, in the mode that gives each document as it is now.

    The SDK tells where a feed has got to only as the last header of its client. So this one has a client of its own,
    which is asked one thing at a time.
    """

    def __init__(self, cosmos: Cosmos, patience_s: float) -> None:
        self._cosmos = cosmos
        self._patience_s = patience_s
        self._alone = asyncio.Lock()

    def of(self, container: str) -> "ContainerFeed":
        """The feed of a container."""
        return ContainerFeed(self, container)

    async def page(self, container: str, position: str | None, limit: int) -> tuple[Sequence[Document], str]:
        """See Feed."""
        since: dict[str, Any] = {"start_time": "Beginning"} if position is None else {"continuation": position}
        async with self._alone, _unreachable(self._patience_s):
            proxy = await self._cosmos.proxy(container)
            pages = proxy.query_items_change_feed(max_item_count=limit, **since).by_page()
            documents = await _first(pages)
            after = str(proxy.client_connection.last_response_headers["etag"])
        return documents, after


class ContainerFeed:
    """The feed of one container."""

    def __init__(self, feeds: Feeds, container: str) -> None:
        self._feeds = feeds
        self._container = container

    async def after(self, position: str | None, limit: int) -> tuple[Sequence[Document], str]:
        """See Feed."""
        return await self._feeds.page(self._container, position, limit)


class KeptPositions:
    """How far feeds were read, one document each in the container `positions`."""

    def __init__(self, container: LazyContainer) -> None:
        self._container = container

    async def read(self, feed: str) -> str | None:
        """See Positions."""
        document = await self._container.read(feed, feed)
        return None if document is None else str(document["position"])

    async def keep(self, feed: str, position: str) -> None:
        """See Positions."""
        await self._container.put({"id": feed, "position": position}, feed)


async def _first(pages: Any) -> list[Document]:
    try:
        return [dict(each) async for each in await anext(pages)]
    except StopAsyncIteration:
        return []


class CosmosPurger:
    """Changes and deletes entries. Only `hub trail purge` has this, with an identity that may."""

    def __init__(self, cosmos: Cosmos, patience_s: float) -> None:
        self._cosmos = cosmos
        self._patience_s = patience_s

    async def replace(self, document: Document) -> None:
        """See Purger."""
        async with _unreachable(self._patience_s):
            await (await self._cosmos.proxy("trail")).replace_item(document["id"], document)

    async def delete(self, id: str, chain: str) -> None:
        """See Purger."""
        async with _unreachable(self._patience_s):
            with contextlib.suppress(CosmosResourceNotFoundError):
                await (await self._cosmos.proxy("trail")).delete_item(id, chain)


@asynccontextmanager
async def _unreachable(patience_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(patience_s):
            yield
    except (AzureError, TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unreachable(type(error).__name__) from None
