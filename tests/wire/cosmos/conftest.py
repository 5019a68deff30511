"""One account for all tests of the Cosmos endpoint, and containers of their own for those that need one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy
from azure.cosmos.partition_key import PartitionKey

from sandbox import topology
from sandbox.cosmos import Served, serve
from tests.wire.cosmos.clocks import SetClock

MakeContainer = Callable[..., Awaitable[ContainerProxy]]


@pytest.fixture(scope="session")
def clock() -> SetClock:
    return SetClock()


@pytest_asyncio.fixture(scope="session")
async def account(tmp_path_factory: pytest.TempPathFactory, clock: SetClock) -> AsyncIterator[Served]:
    folder: Path = tmp_path_factory.mktemp("cosmos")
    async with serve(folder, topology.load(), clock=clock) as served:
        yield served


@pytest_asyncio.fixture(scope="session")
async def client(account: Served) -> AsyncIterator[CosmosClient]:
    async with CosmosClient(account.endpoint, account.key) as found:
        yield found


@pytest_asyncio.fixture(scope="session")
async def database(client: CosmosClient) -> DatabaseProxy:
    return client.get_database_client("knutepunkt")


@pytest.fixture(scope="session")
def messages(database: DatabaseProxy) -> ContainerProxy:
    return database.get_container_client("messages")


@pytest.fixture(scope="session")
def make_container(database: DatabaseProxy) -> MakeContainer:
    numbers = count(1)

    async def make(path: str | list[str] = "/pk", **options: Any) -> ContainerProxy:
        key = PartitionKey(path=path) if isinstance(path, str) else PartitionKey(path=path, kind="MultiHash")
        made: ContainerProxy = await database.create_container(f"made-{next(numbers)}", key, **options)
        return made

    return make
