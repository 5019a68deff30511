"""The app writes the trail with an identity that can neither change nor delete, and asks for nothing more."""

import ast
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from sandbox.cosmos import Served, serve
from sandbox.stores import open_stores
from sandbox.topology import load
from shared.azure import trail_settings
from shared.azure.settings import CosmosSettings
from shared.azure.trail_parts import TrailParts
from shared.clock import utc_now
from shared.trail.looking import look
from tests.wire.trail.messages import event_of, travel
from tests.wire.trail.test_reading import a_look, shown

TRAIL = Path(__file__).resolve().parents[3] / "shared" / "trail"
CHANGING = {"put", "patch", "replace", "delete", "upsert_item", "replace_item", "delete_item", "patch_item"}


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serve(tmp_path_factory.mktemp("cosmos"), load()) as found:
        yield found


@pytest.fixture(scope="module")
async def client(served: Served) -> AsyncIterator[CosmosClient]:
    """With the app's key."""
    async with CosmosClient(served.endpoint, served.app_key) as found:
        yield found


CONTAINERS = {
    "trail": ("knutepunkt-trail", "trail", "chain"),
    "checkpoints": ("knutepunkt-checkpoints", "checkpoints", "series"),
}


@pytest.fixture(params=list(CONTAINERS.values()), ids=list(CONTAINERS))
def kept(request: pytest.FixtureRequest, client: CosmosClient) -> tuple[ContainerProxy, str]:
    database, name, key = request.param
    return client.get_database_client(database).get_container_client(name), key


async def test_the_app_may_create_and_read_and_nothing_else(kept: tuple[ContainerProxy, str]) -> None:
    container, key = kept
    document: dict[str, Any] = {"id": "1", key: "c", "source": "1", "n": 1}
    await container.create_item(document)
    assert (await container.read_item("1", "c"))["n"] == 1
    assert [each["n"] async for each in container.query_items("SELECT * FROM c", partition_key="c")] == [1]
    for call in (
        lambda: container.upsert_item({**document, "n": 2}),
        lambda: container.upsert_item({**document, "id": "new", "source": "2"}),
        lambda: container.replace_item("1", {**document, "n": 2}),
        lambda: container.patch_item("1", "c", [{"op": "set", "path": "/n", "value": 2}]),
        lambda: container.delete_item("1", "c"),
    ):
        with pytest.raises(CosmosHttpResponseError) as caught:
            await call()
        assert caught.value.status_code == 403
    assert (await container.read_item("1", "c"))["n"] == 1


@pytest.mark.parametrize("operation", [
    ("upsert", ({"id": "1", "chain": "c", "series": "c", "n": 2},)), ("delete", ("1",)),
    ("replace", ("1", {"id": "1", "chain": "c", "series": "c", "n": 2})),
    ("patch", ("1", [{"op": "set", "path": "/n", "value": 2}])),
])  # fmt: skip
async def test_no_batch_hides_a_change(kept: tuple[ContainerProxy, str], operation: Any) -> None:
    container, key = kept
    create = ("create", ({"id": "batched", key: "c", "source": "batched"},))
    with pytest.raises((CosmosHttpResponseError, CosmosBatchOperationError)) as caught:
        await container.execute_item_batch([create, operation], "c")
    assert caught.value.status_code == 403


async def test_the_app_has_no_right_over_containers_and_databases(client: CosmosClient) -> None:
    database = client.get_database_client("knutepunkt-trail")
    for call in (
        lambda: database.delete_container("trail"),
        lambda: client.delete_database("knutepunkt-trail"),
        lambda: client.create_database("mine"),
    ):
        with pytest.raises(CosmosHttpResponseError) as caught:
            await call()
        assert caught.value.status_code == 403


async def test_all_that_the_app_does_with_the_trail_is_done_with_those_rights(tmp_path: Path) -> None:
    async with serve(tmp_path, load()) as served:
        await everything_the_app_does(served)


async def everything_the_app_does(served: Served) -> None:
    values = {
        "Cosmos": served.connection_string, "Cosmos__database": load().database,
        "Trail": served.app_connection_string, "Checkpoints": served.app_connection_string,
        "Checkpoints__key": base64.b64encode(b"k" * 32).decode(),
    }  # fmt: skip
    async with (
        open_stores(served.connection_string, load().database) as stores,
        TrailParts(trail_settings.load(values), CosmosSettings.model_validate(values)) as parts,
    ):
        at = utc_now() - timedelta(minutes=5)
        await travel(stores, event_of("310000019", 0, at), at)
        assert [each.count for each in await parts.reconcile(timedelta(hours=1))] == [2, 4 - 1, 0, 0]
        assert (await parts.sequencer.tick()).written == 1
        await parts.seal()
        assert await look(parts.writer, parts.clock, a_look(), shown) == "the payload"
        await parts.seal()
        assert (await parts.verify(lambda *_: None)).findings == []


def test_no_code_of_the_trail_changes_or_deletes_what_is_kept_but_the_purge() -> None:
    # Refusals are kept in the hub's own documents, from where they come into the trail.
    allowed = {"purging.py": {"purger"}, "refusals.py": {"self._container"}}
    for path in sorted(TRAIL.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Await(value=ast.Call(func=ast.Attribute(value=owner, attr=name))) if name in CHANGING:
                    assert ast.unparse(owner) in allowed.get(path.name, set()), f"{path.name}: {ast.unparse(node)}"
