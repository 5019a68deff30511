"""A proof is used once, by whichever instance is first, through the real Cosmos SDK."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sandbox.cosmos import Served
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.proofs import CONTAINER, CosmosProofs
from shared.azure.settings import CosmosSettings
from shared.errors import NotAvailable
from tests.wire.cosmos.clocks import SetClock

Memories = tuple[CosmosProofs, CosmosProofs]

_numbers = count()


@pytest.fixture
def key() -> str:
    """A proof that no other test has."""
    return f"proof-{next(_numbers)}"


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=15)


async def test_first_use_is_told_from_every_later_one(memories: Memories, key: str) -> None:
    one, other = memories
    assert await one.remember(key, soon())
    assert not await one.remember(key, soon())
    assert not await other.remember(key, soon())


async def test_of_many_at_once_in_two_instances_one_is_first(memories: Memories, key: str) -> None:
    answers = await asyncio.gather(*(memory.remember(key, soon()) for memory in memories * 8))
    assert sorted(answers) == [False] * 15 + [True]


async def test_proof_is_forgotten_a_minute_after_it_is_too_old(
    memories: Memories, account: Served, cosmos_clock: SetClock, key: str
) -> None:
    one, _ = memories
    assert await one.remember(key, soon())
    settings = CosmosSettings.model_validate({"Cosmos": account.connection_string})
    async with Cosmos(settings) as cosmos:
        container = LazyContainer(cosmos, CONTAINER)
        document = await container.read(key, key)
        assert document is not None
        assert {name for name in document if not name.startswith("_")} == {"id", "by", "ttl"}
        assert 74 <= document["ttl"] <= 76
        cosmos_clock.forward(80)
        assert await container.read(key, key) is None


async def test_proof_that_is_too_old_already_is_kept_for_a_minute_all_the_same(memories: Memories, key: str) -> None:
    one, other = memories
    assert await one.remember(key, datetime(2020, 1, 1, tzinfo=UTC))
    assert not await other.remember(key, datetime(2020, 1, 1, tzinfo=UTC))


async def test_memory_out_of_reach_is_not_available(account: Served) -> None:
    nowhere = account.connection_string.replace(account.endpoint, "http://127.0.0.1:1")
    assert nowhere != account.connection_string
    settings = CosmosSettings.model_validate({"Cosmos": nowhere, "Cosmos__patience": "1"})
    async with Cosmos(settings) as cosmos:
        with pytest.raises(NotAvailable):
            await CosmosProofs(LazyContainer(cosmos, CONTAINER)).remember("x", soon())


class LostAnswer:
    """A container whose first answer is lost: the SDK asks again, and finds what it wrote itself."""

    def __init__(self, container: LazyContainer) -> None:
        self._container = container

    async def batch(self, operations: object, partition: str) -> None:
        await self._container.batch(operations, partition)  # type: ignore[arg-type]
        await self._container.batch(operations, partition)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._container, name)


async def test_proof_whose_answer_was_lost_and_asked_for_again_is_used_for_the_first_time(
    account: Served, key: str
) -> None:
    settings = CosmosSettings.model_validate({"Cosmos": account.connection_string})
    async with Cosmos(settings) as cosmos:
        memory = CosmosProofs(LostAnswer(LazyContainer(cosmos, CONTAINER)))  # type: ignore[arg-type]
        assert await memory.remember(key, soon())
        assert not await memory.remember(key, soon())
