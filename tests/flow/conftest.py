"""One hub for all flow tests that leave it as they found it; tests that break parts of it run their own."""

from collections.abc import AsyncIterator

import pytest

from tests.flow.hub import QUICK, World, world

PLENTY = {"Limits__perSecond": "1000", "Limits__burst": "10000"}
"""Attacks are many calls of few callers; those that are about too many calls have limits of their own."""


@pytest.fixture(scope="session")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A running hub."""
    async with world(tmp_path_factory.mktemp("hub"), {**QUICK, **PLENTY}) as running:
        yield running
