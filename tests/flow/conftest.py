"""One hub for all flow tests that leave it as they found it; tests that break parts of it run their own."""

from collections.abc import AsyncIterator

import pytest

from tests.flow.hub import World, world


@pytest.fixture(scope="session")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A running hub."""
    async with world(tmp_path_factory.mktemp("hub")) as running:
        yield running
