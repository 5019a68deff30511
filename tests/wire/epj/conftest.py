"""One journal and one HTTP client for the folder."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from sandbox.epj.server import Epj, serve

NOW = datetime(2030, 3, 4, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
async def epj(tmp_path: Path) -> AsyncIterator[Epj]:
    async with serve(tmp_path, clock=lambda: NOW) as part:
        yield part


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session
