"""Cosmos DB as the hub's document database: the one place where its SDK is called and its errors are told apart."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import aiohttp
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.settings import settings as sdk_settings
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from shared.azure import credentials
from shared.azure.settings import CosmosSettings
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

_SUBJECT: Final = {404: NotThere, 409: AlreadyThere, 412: ConditionFailed}
_NOT_IN_PLACE: Final = 400
_LONGEST_ID: Final = 1023
_LONGEST_PARTITION: Final = 2048
"""Bytes (Azure Cosmos DB service quotas, per-item limits)."""


class CosmosContainer:
    """A container, as `shared.messages.documents.Container` wants it.

    `patience_s` bounds every operation, the SDK's own retries included: a caller waits for an answer.
    """

    def __init__(self, proxy: ContainerProxy, patience_s: float) -> None:
        self._proxy = proxy
        self._patience_s = patience_s

    async def read(self, id: str, partition: str) -> Document | None:
        """See Container."""
        if _longer(id, _LONGEST_ID) or _longer(partition, _LONGEST_PARTITION):
            # Cosmos would answer 400, as for a mistake of ours; but it is only a caller's, and nothing is there.
            return None
        try:
            async with self._told_apart():
                return dict(await self._proxy.read_item(id, partition))
        except NotThere:
            return None

    async def read_all(self, ids: Sequence[str], partition: str) -> tuple[Document, ...]:
        """See Container."""
        async with self._told_apart():
            found = await self._proxy.execute_item_batch([("read", (id,)) for id in ids], partition)
        return tuple(dict(each["resourceBody"]) for each in found)

    async def patch(self, patch: Patch, partition: str) -> Document:
        """See Container."""
        async with self._told_apart():
            return dict(
                await self._proxy.patch_item(
                    patch.id, partition, _changes(patch), filter_predicate=patch.condition, no_response=False
                )
            )

    async def batch(self, operations: Sequence[Operation], partition: str) -> None:
        """See Container."""
        async with self._told_apart():
            await self._proxy.execute_item_batch([_batched(each) for each in operations], partition)

    async def put(self, document: Document, partition: str) -> None:
        """See Container."""
        async with self._told_apart():
            await self._proxy.upsert_item(document)

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        """See Container."""
        found: list[Document] = []
        async with self._told_apart():
            pages = self._proxy.query_items(
                text,
                parameters=[{"name": name, "value": value} for name, value in parameters.items()],
                max_item_count=limit,
            )
            async for document in pages:
                found.append(dict(document))
                if len(found) >= limit:
                    break
        return found

    async def value(self, text: str, parameters: dict[str, Any]) -> Any:
        """See shared.watch.ports.Looking. Adds up what the partitions answer, as the SDK does for VALUE aggregates."""
        given = [{"name": name, "value": value} for name, value in parameters.items()]
        async with self._told_apart():
            async for found in self._proxy.query_items(text, parameters=given):
                return found
        return None

    async def create(self, documents: Sequence[Document], partition: str) -> None:
        """See AppendOnly."""
        await self.batch([Create(each) for each in documents], partition)

    async def pages(self, text: str, parameters: dict[str, Any]) -> AsyncIterator[Sequence[Document]]:
        """See AppendOnly."""
        found = self._proxy.query_items(
            text, parameters=[{"name": name, "value": value} for name, value in parameters.items()]
        ).by_page()
        while True:
            async with self._told_apart():
                try:
                    page = [dict(each) async for each in await anext(found)]
                except StopAsyncIteration:
                    return
            yield page

    @asynccontextmanager
    async def _told_apart(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience_s):
                yield
        except CosmosBatchOperationError as error:
            raise _subject(error.operation_responses[error.error_index]["statusCode"], error.error_index) from None
        except CosmosHttpResponseError as error:
            raise _subject(error.status_code, 0) from None
        except (ServiceRequestError, ServiceResponseError, TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unreachable(type(error).__name__) from None
        except AzureError as error:
            raise Unreachable(type(error).__name__) from None


class Cosmos:
    """The account's client, opened when first needed and kept open for the life of the process."""

    def __init__(self, settings: CosmosSettings) -> None:
        self.settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._client: CosmosClient | None = None
        self._opening = asyncio.Lock()

    async def container(self, name: str) -> CosmosContainer:
        """A container by name. Raises Unreachable while the account cannot be reached."""
        return CosmosContainer(await self.proxy(name), self.settings.patience_s)

    async def proxy(self, name: str) -> ContainerProxy:
        """The SDK's own object for a container. Raises Unreachable while the account cannot be reached."""
        client = await self._open()
        return client.get_database_client(self.settings.database).get_container_client(name)

    async def _open(self) -> CosmosClient:
        async with self._opening:
            if self._client is None:
                # A session of our own, because the SDK's default asks the environment for proxies and reads .netrc at
                # every request: half of what a point read costs.
                session = aiohttp.ClientSession(
                    trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
                )
                client = _client(self.settings, session)
                try:
                    async with asyncio.timeout(self.settings.patience_s):
                        await client.__aenter__()
                except (AzureError, TimeoutError, aiohttp.ClientError, OSError) as error:
                    await session.close()
                    raise Unreachable(type(error).__name__) from None
                self._session, self._client = session, client
            return self._client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the client and its connections."""
        client, session, self._client, self._session = self._client, self._session, None, None
        if client is not None:
            await client.close()
        if session is not None:
            await session.close()


class LazyContainer:
    """A container whose account may be out of reach when the process starts: looked up at the first operation."""

    def __init__(self, cosmos: Cosmos, name: str) -> None:
        self._cosmos = cosmos
        self._name = name
        self._found: CosmosContainer | None = None

    async def read(self, id: str, partition: str) -> Document | None:
        """See Container."""
        return await (await self._container()).read(id, partition)

    async def read_all(self, ids: Sequence[str], partition: str) -> tuple[Document, ...]:
        """See Container."""
        return await (await self._container()).read_all(ids, partition)

    async def patch(self, patch: Patch, partition: str) -> Document:
        """See Container."""
        return await (await self._container()).patch(patch, partition)

    async def batch(self, operations: Sequence[Operation], partition: str) -> None:
        """See Container."""
        await (await self._container()).batch(operations, partition)

    async def put(self, document: Document, partition: str) -> None:
        """See Container."""
        await (await self._container()).put(document, partition)

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        """See Container."""
        return await (await self._container()).query(text, parameters, limit)

    async def value(self, text: str, parameters: dict[str, Any]) -> Any:
        """See shared.watch.ports.Looking."""
        return await (await self._container()).value(text, parameters)

    async def create(self, documents: Sequence[Document], partition: str) -> None:
        """See AppendOnly."""
        await (await self._container()).create(documents, partition)

    async def pages(self, text: str, parameters: dict[str, Any]) -> AsyncIterator[Sequence[Document]]:
        """See AppendOnly."""
        async for page in (await self._container()).pages(text, parameters):
            yield page

    async def _container(self) -> CosmosContainer:
        if self._found is None:
            self._found = await self._cosmos.container(self._name)
        return self._found


def _client(settings: CosmosSettings, session: aiohttp.ClientSession) -> CosmosClient:
    # What it is anyway, by the environment; but the SDK asks that several times for every request.
    sdk_settings.tracing_enabled = sdk_settings.tracing_enabled()
    transport = AioHttpTransport(session=session, session_owner=False, use_env_settings=False)
    # Only a patch's answer is ever read; the others would be the written documents all over again.
    common: dict[str, Any] = {
        "transport": transport, "connection_timeout": 3, "retry_total": 2, "no_response_on_write": True,
    }  # fmt: skip
    if settings.connection_string is not None:
        return CosmosClient.from_connection_string(settings.connection_string.get_secret_value(), **common)
    return CosmosClient(settings.account_endpoint or "", credentials.default(), **common)


def _changes(patch: Patch) -> list[dict[str, Any]]:
    return [
        {"op": change.op, "path": change.path}
        if change.op == "remove"
        else {"op": change.op, "path": change.path, "value": change.value}
        for change in patch.changes
    ]


def _batched(operation: Operation) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    match operation:
        case Create(document):
            return ("create", (document,), {})
        case Patch():
            condition = {"filter_predicate": operation.condition} if operation.condition else {}
            return ("patch", (operation.id, _changes(operation)), condition)


def _subject(status: int | None, index: int) -> Exception:
    known = _SUBJECT.get(status or 0)
    if known is not None:
        return known(index)
    return Unreachable(f"STATUS_{status}")


def _longer(text: str, most: int) -> bool:
    return len(text.encode("utf-8", "surrogatepass")) > most
