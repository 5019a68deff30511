"""Containers of some size: large partitions, whole-container searches, and the indexes that make themselves."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from azure.cosmos.aio import ContainerProxy, CosmosClient

from sandbox import topology
from sandbox.cosmos import serve
from sandbox.cosmos.indexes import MOST
from tests.wire.cosmos.reading import everything, select

LANES, EACH = 30, 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("large")


@pytest_asyncio.fixture(scope="module")
async def large(folder: Path) -> AsyncIterator[ContainerProxy]:
    async with serve(folder, topology.load()) as served, CosmosClient(served.endpoint, served.key) as client:
        container = client.get_database_client("knutepunkt").get_container_client("messages")
        for lane in range(LANES):
            await container.execute_item_batch([("create", (item(lane, at),)) for at in range(EACH)], str(lane))
        one = [{"id": str(at), "partition": "long", "type": "other", "at": at} for at in range(600)]
        for begin in range(0, 600, 100):
            await container.execute_item_batch([("create", (it,)) for it in one[begin : begin + 100]], "long")
        yield container


def item(lane: int, at: int) -> dict[str, Any]:
    kind = "lane" if at == 0 else "event"
    return {"id": f"{lane}-{at}", "partition": str(lane), "type": kind, "due": f"2026-11-{1 + lane % 28:02}", "at": at}


def made(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "cosmos.sqlite3") as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'path%'")}


async def test_partition_of_600_documents_is_paged_in_order(large: ContainerProxy) -> None:
    pages = large.query_items("SELECT VALUE c.at FROM c", partition_key="long", max_item_count=170).by_page()
    counted = [await everything(page) async for page in pages]
    assert [len(page) for page in counted] == [170, 170, 170, 90]
    assert [at for page in counted for at in page] == list(range(600))


async def test_a_search_that_comes_again_gets_an_index_and_the_same_answer(large: ContainerProxy, folder: Path) -> None:
    text = "SELECT VALUE c.id FROM c WHERE c.type = 'lane' AND c.due <= @now"
    answers = [await select(large, text, {"now": "2026-11-03"}) for _ in range(4)]
    assert made(folder) == {"path_1_type+due"}
    assert answers[0] == [f"{lane}-0" for lane in range(LANES) if lane % 28 < 3]
    assert all(answer == answers[0] for answer in answers)
    await large.patch_item("0-0", "0", [{"op": "set", "path": "/due", "value": "2027"}])
    assert await select(large, text, {"now": "2026-11-03"}) == answers[0][1:]
    assert await select(large, text, {"now": "2026-11-03"}, max_item_count=2) == answers[0][1:]


async def test_indexes_that_make_themselves_are_few(large: ContainerProxy, folder: Path) -> None:
    for at in range(MOST + 2):
        for _ in range(2):
            await select(large, " ".join(("SELECT * FROM c WHERE", f"c.nothing{at} = 1")))
    assert len(made(folder)) == MOST
