"""What was acknowledged survives kill -9 of the real process."""

import asyncio
import contextlib
import stat
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.partition_key import PartitionKey

from tests.wire.cosmos.processes import Running, started
from tests.wire.cosmos.reading import everything


def connected(running: Running) -> CosmosClient:
    return CosmosClient(running.facts["endpoint"], running.facts["key"], retry_total=0)


def messages(client: CosmosClient) -> ContainerProxy:
    return client.get_database_client("knutepunkt").get_container_client("messages")


async def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged: dict[str, dict[str, Any]] = {}
    enough = asyncio.Event()
    async with started(tmp_path) as running, connected(running) as client:
        container = messages(client)

        async def write(writer: int) -> None:
            for at in range(10_000):
                item: dict[str, Any] = {"id": f"{writer}-{at}", "partition": f"p{at % 5}", "n": 0, "text": "x" * 500}
                made = await container.create_item(item)
                acknowledged[item["id"]] = dict(made)
                if len(acknowledged) == 300:
                    enough.set()
                if at % 3 == 0:
                    operation = [{"op": "incr", "path": "/n", "value": 1}]
                    patched = await container.patch_item(item["id"], item["partition"], operation)
                    acknowledged[item["id"]] = dict(patched)

        writers = [asyncio.create_task(write(writer)) for writer in range(8)]
        await enough.wait()
        await running.kill()
        for writer in writers:
            writer.cancel()
        with contextlib.suppress(AzureError, asyncio.CancelledError):
            await asyncio.gather(*writers)

    async with started(tmp_path, running.facts["port"]) as again, connected(again) as client:
        assert (again.facts["port"], again.facts["key"]) == (running.facts["port"], running.facts["key"])
        stored = {item["id"]: item for item in await everything(messages(client).read_all_items())}
    lost = [name for name in acknowledged if name not in stored]
    # A write that was on its way may have been carried out without its answer: then a patch is ahead, never behind.
    changed = [
        name
        for name, item in acknowledged.items()
        if name in stored and stored[name]["_etag"] != item["_etag"] and stored[name]["n"] != item["n"] + 1
    ]
    assert (lost, changed) == ([], [])
    assert len(stored) - len(acknowledged) <= 8


async def test_change_feed_token_made_containers_and_deletes_survive(tmp_path: Path) -> None:
    async with started(tmp_path) as running, connected(running) as client:
        database = client.get_database_client("knutepunkt")
        container = await database.create_container("made", PartitionKey("/pk"))
        for at in range(3):
            await container.create_item({"id": str(at), "pk": "A"})
        await container.delete_item("2", "A")
        await everything(container.query_items_change_feed(start_time="Beginning"))
        token = container.client_connection.last_response_headers["etag"]
        await running.kill()
    async with started(tmp_path) as again, connected(again) as client:
        container = client.get_database_client("knutepunkt").get_container_client("made")
        assert await everything(container.query_items_change_feed(continuation=token)) == []
        await container.create_item({"id": "3", "pk": "A"})
        changed = await everything(container.query_items_change_feed(continuation=token))
        assert [item["id"] for item in changed] == ["3"]
        assert sorted(item["id"] for item in await everything(container.read_all_items())) == ["0", "1", "3"]


async def test_order_of_changes_never_goes_back_when_the_latest_documents_are_gone(tmp_path: Path) -> None:
    async with started(tmp_path) as running, connected(running) as client:
        container = messages(client)
        await container.create_item({"id": "1", "partition": "L"})
        await everything(container.query_items_change_feed(start_time="Beginning"))
        token = container.client_connection.last_response_headers["etag"]
        await container.delete_item("1", "L")
        await running.kill()
    async with started(tmp_path) as again, connected(again) as client:
        await messages(client).create_item({"id": "2", "partition": "L"})
        changed = await everything(messages(client).query_items_change_feed(continuation=token))
        assert [item["id"] for item in changed] == ["2"]


async def test_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    async with started(tmp_path) as first:
        key = first.facts["key"]
    kept = [path for path in tmp_path.iterdir() if path.name == "account.key"]  # noqa: ASYNC240 - a test's own folder
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600]
    async with started(tmp_path) as second:
        assert second.facts["key"] == key
        assert second.facts["connectionString"] == f"AccountEndpoint={second.facts['endpoint']};AccountKey={key};"
