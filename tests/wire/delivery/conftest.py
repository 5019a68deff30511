"""A journal and a client of their own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from sandbox.epj.server import Epj, serve
from tests.wire.delivery.handing import Desk, desk


@pytest.fixture
async def epj(tmp_path: Path) -> AsyncIterator[Epj]:
    async with serve(tmp_path) as part:
        yield part


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@pytest.fixture
async def at(epj: Epj, http: aiohttp.ClientSession) -> AsyncIterator[Desk]:
    async with desk(epj, http) as made:
        yield made
