"""Databases and containers, time to live, and what is refused, through the SDK."""

import asyncio
from uuid import uuid4

import pytest
from azure.cosmos import exceptions
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy
from azure.cosmos.partition_key import PartitionKey

from sandbox import topology
from tests.wire.cosmos.clocks import SetClock
from tests.wire.cosmos.conftest import MakeContainer
from tests.wire.cosmos.reading import everything, select


async def test_declared_containers_are_there_with_their_partition_keys(database: DatabaseProxy) -> None:
    for declared in topology.load().containers:
        properties = await database.get_container_client(declared.name).read()
        assert properties["partitionKey"]["paths"] == [declared.partition_key]
        assert properties.get("defaultTtl") == declared.default_ttl


async def test_database_is_created_once_listed_and_deleted(client: CosmosClient) -> None:
    name = str(uuid4())
    database = await client.create_database(name)
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await client.create_database(name)
    await client.create_database_if_not_exists(name)
    container = await database.create_container("c", PartitionKey("/pk"))
    await container.create_item({"id": "1", "pk": "a"})
    assert name in [found["id"] for found in await everything(client.list_databases())]
    await client.delete_database(name)
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await database.read()
    fresh = await (await client.create_database(name)).create_container("c", PartitionKey("/pk"))
    assert await everything(fresh.read_all_items()) == []


async def test_container_is_created_once_listed_queried_and_deleted(database: DatabaseProxy) -> None:
    name = str(uuid4())
    await database.create_container(name, PartitionKey("/pk"), default_ttl=10)
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await database.create_container(name, PartitionKey("/pk"))
    again = await database.create_container_if_not_exists(name, PartitionKey("/pk"))
    assert (await again.read())["defaultTtl"] == 10
    assert name in [found["id"] for found in await everything(database.list_containers())]
    found = await everything(
        database.query_containers("SELECT * FROM r WHERE r.id = @id", parameters=[{"name": "@id", "value": name}])
    )
    assert [container["id"] for container in found] == [name]
    await database.delete_container(name)
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await again.read()


async def test_time_to_live_can_be_changed_and_the_partition_key_cannot(
    database: DatabaseProxy, make_container: MakeContainer
) -> None:
    container = await make_container()
    await database.replace_container(container, PartitionKey("/pk"), default_ttl=77)
    assert (await container.read())["defaultTtl"] == 77
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await database.replace_container(container, PartitionKey("/other"))
    assert caught.value.status_code == 400


async def test_throughput_can_be_read(messages: ContainerProxy) -> None:
    assert (await messages.get_throughput()).offer_throughput == 400


async def test_expired_documents_are_gone_for_everyone(make_container: MakeContainer, clock: SetClock) -> None:
    container = await make_container(default_ttl=100)
    for name, ttl in (("default", None), ("short", 10), ("long", 1000), ("never", -1)):
        await container.create_item({"id": name, "pk": "A", **({"ttl": ttl} if ttl else {})})
    clock.forward(50)
    assert sorted(await select(container, "SELECT VALUE c.id FROM c")) == ["default", "long", "never"]
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("short", "A")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.patch_item("short", "A", [{"op": "add", "path": "/x", "value": 1}])
    fresh = await container.create_item({"id": "short", "pk": "A"})
    assert fresh["id"] == "short"
    clock.forward(60)
    assert sorted(await select(container, "SELECT VALUE c.id FROM c", partition_key="A")) == ["long", "never", "short"]
    await container.patch_item("long", "A", [{"op": "add", "path": "/x", "value": 1}])
    clock.forward(950)
    assert sorted(await select(container, "SELECT VALUE c.id FROM c")) == ["long", "never"]


async def test_without_a_default_nothing_expires(make_container: MakeContainer, clock: SetClock) -> None:
    container = await make_container()
    await container.create_item({"id": "1", "pk": "A", "ttl": 5})
    clock.forward(10)
    assert (await container.read_item("1", "A"))["id"] == "1"


@pytest.mark.parametrize("ttl", [0, -2, 1.5, "10", True])
async def test_time_to_live_that_is_none_is_400(messages: ContainerProxy, ttl: object) -> None:
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await messages.create_item({"id": str(uuid4()), "partition": "L", "ttl": ttl})
    assert caught.value.status_code == 400


async def test_what_is_not_here_is_refused_with_its_name(messages: ContainerProxy, database: DatabaseProxy) -> None:
    refused = []
    calls = [
        messages.scripts.create_stored_procedure({"id": "p", "body": "function () {}"}),
        messages.scripts.create_trigger({"id": "t", "body": "", "triggerType": "Pre", "triggerOperation": "All"}),
        messages.scripts.create_user_defined_function({"id": "u", "body": "function () {}"}),
        database.create_user({"id": "somebody"}),
        messages.create_item({"id": "x", "partition": "L"}, pre_trigger_include="t"),
        database.create_container(
            "v", PartitionKey("/pk"), vector_embedding_policy={"vectorEmbeddings": [{"path": "/v"}]}
        ),
    ]
    for call in calls:
        with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
            await call
        refused.append((caught.value.status_code, "does not do this" in str(caught.value.message)))
    assert refused == [(400, True)] * len(calls)


async def test_concurrent_creates_of_one_id_have_one_winner(messages: ContainerProxy) -> None:
    name = str(uuid4())
    results = await asyncio.gather(
        *(messages.create_item({"id": name, "partition": "L", "by": at}) for at in range(16)), return_exceptions=True
    )
    won = [result for result in results if not isinstance(result, BaseException)]
    lost = [result for result in results if isinstance(result, exceptions.CosmosResourceExistsError)]
    assert (len(won), len(lost)) == (1, 15)


async def test_concurrent_increments_are_all_counted(messages: ContainerProxy) -> None:
    name = str(uuid4())
    await messages.create_item({"id": name, "partition": "L", "n": 0})
    operation = [{"op": "incr", "path": "/n", "value": 1}]
    await asyncio.gather(*(messages.patch_item(name, "L", operation) for _ in range(32)))
    assert (await messages.read_item(name, "L"))["n"] == 32
