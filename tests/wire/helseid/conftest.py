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

    def __call__(self, rules: Rules | None = None, port: int = 0) -> AbstractAsyncContextManager[HelseId]: ...


def copy_of(part: HelseId, place: Path) -> Path:
    """A folder for another stand-in. Making keys costs processor time: the copy has them already."""
    return shutil.copytree(part.keys_path.parent, place / "helseid")


@pytest.fixture(scope="session")
async def helseid(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HelseId]:
    async with serve(tmp_path_factory.mktemp("helseid")) as part:
        yield part


@pytest.fixture
def fresh(helseid: HelseId, tmp_path: Path) -> Fresh:
    folder = copy_of(helseid, tmp_path)

    def start(rules: Rules | None = None, port: int = 0) -> AbstractAsyncContextManager[HelseId]:
        return serve(folder, port, rules=rules)

    return start


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session
