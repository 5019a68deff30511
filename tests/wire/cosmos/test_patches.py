"""Partial document update and transactional batches through the SDK."""

from typing import Any
from uuid import uuid4

import pytest
from azure.cosmos import exceptions
from azure.cosmos.aio import ContainerProxy


async def made(messages: ContainerProxy, **more: Any) -> dict[str, Any]:
    return dict(await messages.create_item({"id": str(uuid4()), "partition": "P", **more}))


Operation = dict[str, Any]


@pytest.mark.parametrize(
    ("operation", "before", "after"),
    [
        ({"op": "add", "path": "/a", "value": 1}, {}, {"a": 1}),
        ({"op": "add", "path": "/a", "value": None}, {"a": 1}, {"a": None}),
        ({"op": "add", "path": "/o/new", "value": {"x": []}}, {"o": {}}, {"o": {"new": {"x": []}}}),
        ({"op": "add", "path": "/l/-", "value": 3}, {"l": [1, 2]}, {"l": [1, 2, 3]}),
        ({"op": "add", "path": "/l/0", "value": 0}, {"l": [1, 2]}, {"l": [0, 1, 2]}),
        ({"op": "add", "path": "/l/2", "value": 3}, {"l": [1, 2]}, {"l": [1, 2, 3]}),
        ({"op": "set", "path": "/l/0", "value": 9}, {"l": [1, 2]}, {"l": [9, 2]}),
        ({"op": "set", "path": "/a", "value": 9}, {}, {"a": 9}),
        ({"op": "replace", "path": "/a", "value": 2}, {"a": 1}, {"a": 2}),
        ({"op": "replace", "path": "/l/1/x", "value": 2}, {"l": [0, {"x": 1}]}, {"l": [0, {"x": 2}]}),
        ({"op": "remove", "path": "/a"}, {"a": 1, "b": 2}, {"b": 2}),
        ({"op": "remove", "path": "/l/1"}, {"l": [1, 2, 3]}, {"l": [1, 3]}),
        ({"op": "incr", "path": "/n", "value": 2}, {"n": 40}, {"n": 42}),
        ({"op": "incr", "path": "/n", "value": -0.5}, {"n": 1}, {"n": 0.5}),
        ({"op": "incr", "path": "/n", "value": 5}, {}, {"n": 5}),
        ({"op": "move", "from": "/a", "path": "/b"}, {"a": [1], "b": 0}, {"b": [1]}),
        ({"op": "move", "from": "/l/0", "path": "/b"}, {"l": [1, 2]}, {"l": [2], "b": 1}),
        ({"op": "set", "path": "/a~1b~0c", "value": 1}, {}, {"a/b~c": 1}),
    ],
)
async def test_operation_does_what_the_service_does(
    messages: ContainerProxy, operation: Operation, before: dict[str, Any], after: dict[str, Any]
) -> None:
    item = await made(messages, **before)
    patched = await messages.patch_item(item["id"], "P", [operation])
    assert {name: value for name, value in patched.items() if name[0] != "_"} == {
        "id": item["id"],
        "partition": "P",
        **after,
    }
    assert patched["_etag"] != item["_etag"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "remove", "path": "/missing"},
        {"op": "remove", "path": "/l/7"},
        {"op": "add", "path": "/missing/below", "value": 1},
        {"op": "add", "path": "/l/9", "value": 1},
        {"op": "set", "path": "/l/x", "value": 1},
        {"op": "set", "path": "/s/below", "value": 1},
        {"op": "incr", "path": "/s", "value": 1},
        {"op": "incr", "path": "/n", "value": "1"},
        {"op": "move", "from": "/missing", "path": "/b"},
        {"op": "move", "from": "/o", "path": "/o/below"},
        {"op": "set", "path": "/id", "value": "x"},
        {"op": "set", "path": "/partition", "value": "x"},
        {"op": "set", "path": "/_ts", "value": 1},
        {"op": "set", "path": "no-slash", "value": 1},
        {"op": "sing", "path": "/a", "value": 1},
        {"op": "set", "path": "/ttl", "value": 0},
    ],
)
async def test_operation_that_does_not_fit_is_400_and_changes_nothing(
    messages: ContainerProxy, operation: Operation
) -> None:
    item = await made(messages, l=[1], s="text", n=1, o={})
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await messages.patch_item(item["id"], "P", [{"op": "set", "path": "/first", "value": 1}, operation])
    assert caught.value.status_code == 400
    assert await messages.read_item(item["id"], "P") == item


async def test_ten_operations_pass_and_eleven_are_400(messages: ContainerProxy) -> None:
    item = await made(messages)
    operations = [{"op": "add", "path": f"/p{at}", "value": at} for at in range(11)]
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await messages.patch_item(item["id"], "P", operations)
    assert caught.value.status_code == 400
    assert (await messages.patch_item(item["id"], "P", operations[:10]))["p9"] == 9


async def test_patch_with_a_condition_that_does_not_hold_is_412(messages: ContainerProxy) -> None:
    item = await made(messages, state="Active", n=1)
    operation = [{"op": "set", "path": "/n", "value": 2}]
    with pytest.raises(exceptions.CosmosAccessConditionFailedError):
        await messages.patch_item(item["id"], "P", operation, filter_predicate="from c where c.state = 'active'")
    patched = await messages.patch_item(
        item["id"], "P", operation, filter_predicate="from c where c.state = 'Active' AND c.n < 2"
    )
    assert patched["n"] == 2


async def test_batch_does_every_kind_of_operation_in_order(messages: ContainerProxy) -> None:
    partition = str(uuid4())
    old = await messages.create_item({"id": "old", "partition": partition, "n": 1})
    results = await messages.execute_item_batch(
        [
            ("create", ({"id": "new", "partition": partition},)),
            ("upsert", ({"id": "ups", "partition": partition},)),
            ("patch", ("old", [{"op": "incr", "path": "/n", "value": 1}]), {"if_match_etag": old["_etag"]}),
            (
                "patch",
                ("old", [{"op": "incr", "path": "/n", "value": 1}]),
                {"filter_predicate": "from c where c.n = 2"},
            ),
            ("replace", ("new", {"id": "new", "partition": partition, "x": 1})),
            ("read", ("old",)),
            ("delete", ("ups",)),
        ],
        partition,
    )
    assert [result["statusCode"] for result in results] == [201, 201, 200, 200, 200, 200, 204]
    assert results[5]["resourceBody"]["n"] == 3
    assert results[0]["eTag"] == results[0]["resourceBody"]["_etag"]
    assert sorted([item["id"] async for item in messages.query_items("SELECT * FROM c", partition_key=partition)]) == [
        "new",
        "old",
    ]


@pytest.mark.parametrize(
    ("culprit", "status"),
    [
        (("create", ({"id": "old", "partition": "B"},)), 409),
        (("read", ("missing",)), 404),
        (("replace", ("old", {"id": "old", "partition": "B"}), {"if_match_etag": '"stale"'}), 412),
        (("patch", ("old", [{"op": "remove", "path": "/x"}])), 400),
        (("patch", ("old", [{"op": "add", "path": "/x", "value": 1}]), {"filter_predicate": "from c where c.no"}), 412),
        (("create", ({"id": "other", "partition": "another"},)), 400),
        (("create", ({"partition": "B"},)), 400),
    ],
)
async def test_failing_batch_names_the_culprit_and_changes_nothing(
    messages: ContainerProxy, culprit: Any, status: int
) -> None:
    before = await messages.upsert_item({"id": "old", "partition": "B"})
    first = ("upsert", ({"id": "fresh", "partition": "B"},))
    with pytest.raises(exceptions.CosmosBatchOperationError) as caught:
        await messages.execute_item_batch([first, culprit, first], "B")
    assert caught.value.error_index == 1
    assert [result["statusCode"] for result in caught.value.operation_responses] == [424, status, 424]
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await messages.read_item("fresh", "B")
    assert await messages.read_item("old", "B") == before


async def test_batch_of_more_than_100_operations_or_2_megabytes_is_refused(messages: ContainerProxy) -> None:
    many: Any = [("upsert", ({"id": str(at), "partition": "big"},)) for at in range(101)]
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await messages.execute_item_batch(many, "big")
    assert caught.value.status_code == 400
    large: Any = [("upsert", ({"id": str(at), "partition": "big", "text": "x" * 1_100_000},)) for at in range(2)]
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await messages.execute_item_batch(large, "big")
    assert caught.value.status_code == 413
    assert len(await messages.execute_item_batch(many[:100], "big")) == 100
