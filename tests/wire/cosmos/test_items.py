"""Single documents through the SDK."""

from typing import Any
from uuid import uuid4

import pytest
from azure.core import MatchConditions
from azure.cosmos import exceptions
from azure.cosmos.aio import ContainerProxy, CosmosClient

from tests.wire.cosmos.conftest import MakeContainer


def document(**more: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "partition": "L", **more}


async def test_created_document_reads_back_with_system_properties(messages: ContainerProxy) -> None:
    sent = document(text="blåbær\u2028\U0001f6d1", nested={"a": [1, 2.5, None, True, {"b": []}]})
    created = await messages.create_item(sent)
    read = await messages.read_item(sent["id"], "L")
    assert read == created
    assert {name: read[name] for name in sent} == sent
    assert set(read) - set(sent) == {"_rid", "_self", "_etag", "_attachments", "_ts"}


async def test_second_create_of_an_id_in_a_partition_is_409(messages: ContainerProxy) -> None:
    sent = document()
    await messages.create_item(sent)
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await messages.create_item(sent)
    await messages.create_item(sent | {"partition": "another"})


async def test_missing_document_is_404(messages: ContainerProxy) -> None:
    for call in (messages.read_item("nobody", "L"), messages.delete_item("nobody", "L")):
        with pytest.raises(exceptions.CosmosResourceNotFoundError):
            await call
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await messages.replace_item("nobody", {"id": "nobody", "partition": "L"})
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await messages.patch_item("nobody", "L", [{"op": "set", "path": "/a", "value": 1}])


async def test_missing_container_is_404(client: CosmosClient) -> None:
    missing = client.get_database_client("knutepunkt").get_container_client("nothing")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await missing.read_item("a", "L")


async def test_upsert_creates_then_replaces_and_changes_the_etag(messages: ContainerProxy) -> None:
    sent = document(n=1)
    first = await messages.upsert_item(sent)
    second = await messages.upsert_item(sent | {"n": 2})
    assert (first["n"], second["n"]) == (1, 2)
    assert first["_etag"] != second["_etag"]
    assert first["_rid"] == second["_rid"]


async def test_stale_etag_is_412_for_every_kind_of_write(messages: ContainerProxy) -> None:
    stale = await messages.create_item(document(n=1))
    fresh = await messages.replace_item(stale["id"], stale | {"n": 2})
    old: Any = {"etag": stale["_etag"], "match_condition": MatchConditions.IfNotModified}
    calls = [
        messages.replace_item(stale["id"], stale, **old),
        messages.upsert_item(stale, **old),
        messages.patch_item(stale["id"], "L", [{"op": "incr", "path": "/n", "value": 1}], **old),
        messages.delete_item(stale["id"], "L", **old),
    ]
    for call in calls:
        with pytest.raises(exceptions.CosmosAccessConditionFailedError):
            await call
    assert await messages.read_item(stale["id"], "L") == fresh
    current: Any = {"etag": fresh["_etag"], "match_condition": MatchConditions.IfNotModified}
    replaced = await messages.replace_item(stale["id"], fresh | {"n": 3}, **current)
    assert replaced["n"] == 3


async def test_upsert_with_etag_creates_what_is_not_there(messages: ContainerProxy) -> None:
    created = await messages.upsert_item(document(), etag='"none"', match_condition=MatchConditions.IfNotModified)
    assert created["_etag"]


async def test_read_of_an_unchanged_document_answers_304_without_body(messages: ContainerProxy) -> None:
    made = await messages.create_item(document())
    same = await messages.read_item(made["id"], "L", etag=made["_etag"], match_condition=MatchConditions.IfModified)
    assert dict(same) == {}


async def test_deleted_document_is_gone_and_its_id_is_free(messages: ContainerProxy) -> None:
    made = await messages.create_item(document())
    await messages.delete_item(made["id"], "L")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await messages.read_item(made["id"], "L")
    await messages.create_item(made)


async def test_write_without_response_stores_and_sends_no_body(messages: ContainerProxy) -> None:
    sent = document()
    assert dict(await messages.create_item(sent, no_response=True)) == {}
    assert (await messages.read_item(sent["id"], "L"))["id"] == sent["id"]


async def test_document_over_two_megabytes_is_413_and_one_just_under_is_stored(messages: ContainerProxy) -> None:
    for size in (2 * 1024 * 1024, 6 * 1024 * 1024):
        with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
            await messages.create_item(document(text="x" * size))
        assert caught.value.status_code == 413
    made = await messages.create_item(document(text="x" * (2 * 1024 * 1024 - 1024)))
    await messages.delete_item(made["id"], "L")


@pytest.mark.parametrize("name", ["with space", "colon:at@sign", "æøå", "per%cent", "plus+", "quote'\"", "a" * 1023])
async def test_ids_with_special_characters_round_trip(messages: ContainerProxy, name: str) -> None:
    sent = {"id": name, "partition": "L"}
    await messages.upsert_item(sent)
    assert (await messages.read_item(name, "L"))["id"] == name
    await messages.delete_item(name, "L")


@pytest.mark.parametrize("name", ["", 7, None, "a/b", "a#b", "a?b", "a\\b", "\ud800"])
async def test_ids_that_cosmos_forbids_are_400(messages: ContainerProxy, name: object) -> None:
    with pytest.raises((exceptions.CosmosHttpResponseError, TypeError, ValueError)) as caught:
        await messages.create_item({"id": name, "partition": "L"})
    if isinstance(caught.value, exceptions.CosmosHttpResponseError):
        assert caught.value.status_code == 400


async def test_numbers_are_doubles(messages: ContainerProxy) -> None:
    sent = document(values=[2**53, 12345678901234567890, 0.1, 1e300, -0.0, 5.0])
    made = await messages.create_item(sent)
    assert made["values"] == [2**53, 12345678901234567000.0, 0.1, 1e300, 0, 5]


async def test_half_a_surrogate_pair_survives(messages: ContainerProxy) -> None:
    sent = document(text="æ\ud800", other='\x00\x1f"\\')
    made = await messages.create_item(sent)
    assert (await messages.read_item(made["id"], "L"))["text"] == "æ\ud800"


async def test_nesting_deeper_than_128_levels_is_400(messages: ContainerProxy) -> None:
    deep: Any = "x"
    for _ in range(140):
        deep = [deep]
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await messages.create_item(document(deep=deep))
    assert caught.value.status_code == 400


async def test_partition_key_of_a_nested_path(make_container: MakeContainer) -> None:
    container = await make_container("/owner/id")
    await container.create_item({"id": "1", "owner": {"id": 7}})
    assert (await container.read_item("1", 7))["id"] == "1"
    await container.create_item({"id": "2"})
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.create_item({"id": "3", "owner": {"id": ["list"]}})
    assert caught.value.status_code == 400


async def test_partition_keys_of_every_type_are_different_partitions(make_container: MakeContainer) -> None:
    container = await make_container("/k")
    for at, value in enumerate(["1", 1, 1.5, True, False, None]):
        await container.create_item({"id": "same", "k": value, "at": at})
    reads = [(await container.read_item("same", value))["at"] for value in ("1", 1.0, 1.5, True, False)]
    assert reads == [0, 1, 2, 3, 4]


async def test_hierarchical_partition_key_reads_by_all_parts_and_queries_by_prefix(
    make_container: MakeContainer,
) -> None:
    container = await make_container(["/a", "/b"])
    for a in "xy":
        for b in "12":
            await container.create_item({"id": "i", "a": a, "b": b})
    assert (await container.read_item("i", ["x", "2"]))["b"] == "2"
    found = [item["b"] async for item in container.query_items("SELECT * FROM c", partition_key=["y"])]
    assert sorted(found) == ["1", "2"]


async def test_unique_key_holds_within_a_partition(make_container: MakeContainer) -> None:
    container = await make_container(unique_key_policy={"uniqueKeys": [{"paths": ["/mail", "/of/kind"]}]})
    first = await container.create_item({"id": "1", "pk": "A", "mail": "m", "of": {"kind": 1}})
    await container.create_item({"id": "1", "pk": "B", "mail": "m", "of": {"kind": 1}})
    second = await container.create_item({"id": "2", "pk": "A", "mail": "n", "of": {"kind": 1}})
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await container.replace_item("2", second | {"mail": "m"})
    await container.replace_item("1", first | {"mail": "free"})
    await container.replace_item("2", second | {"mail": "m"})
    await container.delete_item("2", "A")
    await container.create_item({"id": "3", "pk": "A", "mail": "m", "of": {"kind": 1}})


async def test_read_many_items(messages: ContainerProxy) -> None:
    made = [await messages.create_item(document(partition=f"many-{at % 3}")) for at in range(9)]
    found = await messages.read_items([(item["id"], item["partition"]) for item in made])
    assert sorted(item["id"] for item in found) == sorted(item["id"] for item in made)


async def test_charge_grows_with_the_document(messages: ContainerProxy) -> None:
    charges = []
    for size in (10, 100_000):
        made = await messages.create_item(document(text="x" * size))
        charges.append(float(made.get_response_headers()["x-ms-request-charge"]))
    assert 1 < charges[0] < charges[1]
