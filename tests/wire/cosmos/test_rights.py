"""A process of the app may do in the stores what its components' identities may in Azure, and nothing else."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from sandbox import rights
from sandbox.cosmos import Served, serve
from sandbox.topology import Topology, load


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load()


@pytest.fixture(scope="module")
def held_to() -> dict[str, rights.Allowed]:
    """Every component by itself: on one machine some share a process, in Azure none do."""
    return {name: each.allowed for name, each in rights.load().items()}


@pytest.fixture(scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory, topology: Topology, held_to: dict[str, rights.Allowed]
) -> AsyncIterator[Served]:
    async with serve(tmp_path_factory.mktemp("cosmos"), topology, processes=held_to) as found:
        yield found


type Call = Callable[[ContainerProxy, dict[str, Any], str], Awaitable[object]]


async def _all(found: AsyncIterator[object]) -> None:
    async for _ in found:
        pass


CALLS: dict[str, tuple[str, Call]] = {
    "read": ("containers/items/read", lambda it, one, key: it.read_item(one["id"], key)),
    "query": (
        "containers/executeQuery",
        lambda it, _one, key: _all(it.query_items("SELECT * FROM c", partition_key=key)),
    ),
    "changes": (
        "containers/readChangeFeed",
        lambda it, _one, _key: _all(it.query_items_change_feed(start_time="Beginning")),
    ),
    "create": ("containers/items/create", lambda it, one, _key: it.create_item({**one, "id": "made", "source": "m"})),
    "upsert": ("containers/items/upsert", lambda it, one, _key: it.upsert_item({**one, "n": 2})),
    "replace": ("containers/items/replace", lambda it, one, _key: it.replace_item(one["id"], {**one, "n": 3})),
    "patch": (
        "containers/items/replace",
        lambda it, one, key: it.patch_item(one["id"], key, [{"op": "set", "path": "/n", "value": 4}]),
    ),
    "patch in a batch": (
        "containers/items/replace",
        lambda it, one, key: it.execute_item_batch(
            [("patch", (one["id"], [{"op": "set", "path": "/n", "value": 5}]), {})], key
        ),
    ),
    "delete": (
        "containers/items/delete",
        lambda it, _one, key: it.delete_item("not there", key),
    ),
}


@pytest.mark.parametrize("component", ["api", "road", "upkeep"])
async def test_each_component_may_do_what_it_is_given_and_nothing_else(
    component: str, served: Served, topology: Topology, held_to: dict[str, rights.Allowed]
) -> None:
    places = [(topology.database, each) for each in topology.containers]
    places += [(apart.name, each) for apart in topology.apart for each in apart.containers]
    judged = set()
    async with (
        CosmosClient(served.endpoint, served.key) as owner,
        CosmosClient(served.endpoint, served.process_keys[component]) as client,
    ):
        for database, container in places:
            field = container.partition_key.removeprefix("/")
            one = {"id": component, field: component, "source": component, "n": 1}
            theirs = client.get_database_client(database).get_container_client(container.name)
            own = owner.get_database_client(database).get_container_client(container.name)
            await own.upsert_item(one)
            for name, (action, call) in CALLS.items():
                may = action in held_to[component].get(container.name, frozenset())
                assert await _let(call, theirs, one, component) is may, (container.name, name)
                judged.add(may)
    assert judged == {True, False}


async def _let(call: Call, container: ContainerProxy, one: dict[str, Any], key: str) -> bool:
    """Whether it was not forbidden; what else may be wrong with it is another matter."""
    try:
        await call(container, one, key)
    except (CosmosHttpResponseError, CosmosBatchOperationError) as error:
        return error.status_code != 403
    return True


def test_no_component_may_delete_and_none_may_change_the_log(held_to: dict[str, rights.Allowed]) -> None:
    for allowed in held_to.values():
        assert not any("containers/items/delete" in actions for actions in allowed.values())
        for container in ("trail", "checkpoints"):
            assert not {"containers/items/replace", "containers/items/upsert"} & allowed.get(container, frozenset())


def test_a_process_may_do_what_its_components_may(held_to: dict[str, rights.Allowed]) -> None:
    processes = rights.of_processes()
    assert processes["queues"] == held_to["road"]
    assert "trail" not in processes["queues"]
    for container, actions in processes["app"].items():
        assert actions == held_to["api"].get(container, frozenset()) | held_to["upkeep"].get(container, frozenset())


def test_rights_are_given_over_containers_that_exist(topology: Topology, held_to: dict[str, rights.Allowed]) -> None:
    there = {each.name for each in topology.containers} | {
        each.name for apart in topology.apart for each in apart.containers
    }
    assert {name for allowed in held_to.values() for name in allowed} == there


def test_a_role_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    declared = json.loads(rights.DEFAULT_PATH.read_text(encoding="utf-8"))
    declared["components"][0]["containers"]["messages"] = "everything"
    file = tmp_path / "components.json"
    file.write_text(json.dumps(declared), encoding="utf-8")
    with pytest.raises(KeyError, match="everything"):
        rights.load(file)
