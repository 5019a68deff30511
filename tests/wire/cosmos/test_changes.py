"""The change feed through the SDK."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.cosmos import exceptions
from azure.cosmos.aio import ContainerProxy

from tests.wire.cosmos.conftest import MakeContainer
from tests.wire.cosmos.reading import everything


def token(container: ContainerProxy) -> str:
    return str(container.client_connection.last_response_headers["etag"])


async def changes(container: ContainerProxy, **options: Any) -> list[str]:
    feed: Any = container.query_items_change_feed(**options)
    return [item["id"] for item in await everything(feed)]


async def filled(make_container: MakeContainer, count: int) -> ContainerProxy:
    container = await make_container()
    for at in range(count):
        await container.create_item({"id": str(at), "pk": "odd" if at % 2 else "even"})
    return container


async def test_feed_from_the_beginning_has_each_document_once_in_order_of_latest_change(
    make_container: MakeContainer,
) -> None:
    container = await filled(make_container, 4)
    await container.patch_item("0", "even", [{"op": "add", "path": "/x", "value": 1}])
    await container.delete_item("2", "even")
    assert await changes(container, start_time="Beginning") == ["1", "3", "0"]


async def test_feed_goes_on_where_it_was_left(make_container: MakeContainer) -> None:
    container = await filled(make_container, 3)
    assert await changes(container, start_time="Beginning") == ["0", "1", "2"]
    left = token(container)
    assert await changes(container, continuation=left) == []
    await container.upsert_item({"id": "1", "pk": "odd", "n": 2})
    assert await changes(container, continuation=left) == ["1"]


async def test_feed_from_now_has_only_what_comes_later(make_container: MakeContainer) -> None:
    container = await filled(make_container, 3)
    assert await changes(container, start_time="Now") == []
    left = token(container)
    await container.create_item({"id": "new", "pk": "even"})
    assert await changes(container, continuation=left) == ["new"]


async def test_feed_from_a_time(make_container: MakeContainer) -> None:
    container = await filled(make_container, 3)
    assert await changes(container, start_time=datetime.now(UTC) - timedelta(hours=1)) == ["0", "1", "2"]
    assert await changes(container, start_time=datetime.now(UTC) + timedelta(days=300)) == []


async def test_feed_of_a_partition_key_and_of_a_feed_range(make_container: MakeContainer) -> None:
    container = await filled(make_container, 5)
    assert await changes(container, start_time="Beginning", partition_key="odd") == ["1", "3"]
    (whole,) = await everything(container.read_feed_ranges())
    assert await changes(container, start_time="Beginning", feed_range=whole) == ["0", "1", "2", "3", "4"]
    odd = await container.feed_range_from_partition_key("odd")
    assert await changes(container, start_time="Beginning", feed_range=odd) == ["1", "3"]


async def test_feed_in_pages_loses_nothing(make_container: MakeContainer) -> None:
    container = await filled(make_container, 10)
    feed: Any = container.query_items_change_feed(start_time="Beginning", max_item_count=3)
    sizes = [len(await everything(page)) async for page in feed.by_page()]
    assert sizes == [3, 3, 3, 1]


async def test_all_versions_mode_is_refused_honestly(make_container: MakeContainer) -> None:
    container = await filled(make_container, 1)
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await changes(container, mode="AllVersionsAndDeletes")
    assert caught.value.status_code == 400
