"""One Cosmos endpoint for all tests of the register that go over the wire."""

from collections.abc import AsyncIterator

import pytest

from sandbox.cosmos import serve
from sandbox.stores import open_stores
from sandbox.topology import load
from shared.azure.cosmos import LazyContainer


@pytest.fixture(scope="module")
async def container(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LazyContainer]:
    """The container `registry`, empty at first, over the real SDK."""
    async with (
        serve(tmp_path_factory.mktemp("registry"), load()) as account,
        open_stores(account.connection_string, load().database) as stores,
    ):
        yield stores.registry
