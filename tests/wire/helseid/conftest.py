"""One stand-in for the folder's reading tests; tests that turn its switches start their own from the same keys."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest

from sandbox.helseid.rules import Rules
from sandbox.helseid.server import HelseId, serve


class Fresh(Protocol):
    """Starts a stand-in of its own."""

    def __call__(self, rules: Rules | None = None) -> AbstractAsyncContextManager[HelseId]: ...


@pytest.fixture(scope="session")
async def helseid(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HelseId]:
    async with serve(tmp_path_factory.mktemp("helseid")) as part:
        yield part


@pytest.fixture
def fresh(helseid: HelseId, tmp_path: Path) -> Fresh:
    # Making keys costs processor time: a copy of the folder has them already.
    folder = tmp_path / "helseid"
    shutil.copytree(helseid.keys_path.parent, folder)

    def start(rules: Rules | None = None) -> AbstractAsyncContextManager[HelseId]:
        return serve(folder, rules=rules)

    return start


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session
