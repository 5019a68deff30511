"""What a receiver answers with is read so far and no further."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

from shared.delivery import receiver


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while given < 10 * receiver._MOST:
            given += 1024
            yield bytes(1024)

    await receiver._read_some(cast(Any, SimpleNamespace(content=SimpleNamespace(iter_any=endless))))
    assert given <= receiver._MOST + 1024
