"""Queries through the SDK: the language, places to look in, paging."""

from typing import Any

import pytest
import pytest_asyncio
from azure.cosmos import exceptions
from azure.cosmos.aio import ContainerProxy

from tests.wire.cosmos.conftest import MakeContainer
from tests.wire.cosmos.reading import everything, select

DOCUMENTS: list[dict[str, Any]] = [
    {"id": "1", "pk": "A", "kind": "lamp", "n": 3, "tags": ["red", "old"], "at": "2026-01-03", "o": {"x": 1}},
    {"id": "2", "pk": "A", "kind": "lamp", "n": 1.5, "tags": [], "at": "2026-01-01"},
    {"id": "3", "pk": "B", "kind": "door", "n": -2, "tags": ["red"], "at": "2026-01-02", "o": {"x": 2, "y": [1, 2]}},
    {"id": "4", "pk": "B", "kind": "door", "n": None, "tags": "red"},
    {"id": "5", "pk": "C", "kind": None, "n": "3", "flag": True},
    {"id": "6", "pk": "C", "n": True, "flag": False, "text": "50% æ_b [x]"},
]


@pytest_asyncio.fixture(scope="module")
async def shelf(make_container: MakeContainer) -> ContainerProxy:
    container = await make_container()
    for item in DOCUMENTS:
        await container.create_item(item)
    return container


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT VALUE c.id FROM c WHERE c.kind = 'lamp'", ["1", "2"]),
        ("SELECT VALUE c.id FROM c WHERE c.kind = null", ["5"]),
        ("SELECT VALUE c.id FROM c WHERE c.kind != 'lamp'", ["3", "4", "5"]),
        ("SELECT VALUE c.id FROM c WHERE NOT IS_DEFINED(c.kind)", ["6"]),
        ("SELECT VALUE c.id FROM c WHERE c.n > 1", ["1", "2"]),
        ("SELECT VALUE c.id FROM c WHERE c.n >= 1.5 AND c.n <= 3", ["1", "2"]),
        ("SELECT VALUE c.id FROM c WHERE c.n < 0", ["3"]),
        ("SELECT VALUE c.id FROM c WHERE c.n = true", ["6"]),
        ("SELECT VALUE c.id FROM c WHERE c.n = '3'", ["5"]),
        ("SELECT VALUE c.id FROM c WHERE 3 = c.n", ["1"]),
        ("SELECT VALUE c.id FROM c WHERE c.n IN (3, '3', true, null)", ["1", "4", "5", "6"]),
        ("SELECT VALUE c.id FROM c WHERE c.n NOT IN (3, '3')", ["2", "3", "4", "6"]),
        ("SELECT VALUE c.id FROM c WHERE c.at BETWEEN '2026-01-02' AND '2026-01-03'", ["1", "3"]),
        ("SELECT VALUE c.id FROM c WHERE c.at <= '2026-01-02'", ["2", "3"]),
        ("SELECT VALUE c.id FROM c WHERE c.flag", ["5"]),
        ("SELECT VALUE c.id FROM c WHERE NOT c.flag", ["6"]),
        ("SELECT VALUE c.id FROM c WHERE c.n", ["6"]),
        ("SELECT VALUE c.id FROM c WHERE c.o.y[1] = 2", ["3"]),
        ("SELECT VALUE c.id FROM c WHERE c['o']['x'] = 1", ["1"]),
        ("SELECT VALUE c.id FROM c WHERE c.o = {x: 1}", ["1"]),
        ("SELECT VALUE c.id FROM c WHERE c.tags = ['red']", ["3"]),
        ("SELECT VALUE c.id FROM c WHERE c.pk = 'B'", ["3", "4"]),
        ("SELECT VALUE c.id FROM c WHERE c.id IN ('1', '6')", ["1", "6"]),
        ("SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.tags, 'red')", ["1", "3"]),
        ("SELECT VALUE c.id FROM c WHERE c.text LIKE '%!%%' ESCAPE '!'", ["6"]),
        ("SELECT VALUE c.id FROM c WHERE c.at LIKE '____-01-0[12]'", ["2", "3"]),
        ("SELECT VALUE c.id FROM c WHERE STARTSWITH(c.kind, 'LA', true)", ["1", "2"]),
        ("SELECT VALUE c.id FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = 'old')", ["1"]),
        ("SELECT VALUE t FROM c JOIN t IN c.tags", ["red", "old", "red"]),
        ("SELECT VALUE t FROM t IN c.tags", ["red", "old", "red"]),
        ("SELECT DISTINCT VALUE c.kind FROM c", ["lamp", "door", None]),
        ("SELECT c.id, t FROM c JOIN t IN c.tags WHERE t = 'old'", [{"id": "1", "t": "old"}]),
        ("SELECT VALUE COUNT(1) FROM c", [6]),
        ("SELECT VALUE COUNT(c.kind) FROM c", [5]),
        ("SELECT VALUE SUM(c.n) FROM c WHERE c.n < 100", [2.5]),
        ("SELECT VALUE SUM(c.n) FROM c", []),
        ("SELECT MIN(c.at) AS low, MAX(c.at) AS high FROM c", [{"low": "2026-01-01", "high": "2026-01-03"}]),
        ("SELECT VALUE AVG(c.n) FROM c WHERE c.kind = 'lamp'", [2.25]),
        ("SELECT VALUE COUNT(1) FROM c WHERE c.id = 'none'", [0]),
        (
            "SELECT c.kind, COUNT(1) AS many FROM c GROUP BY c.kind",
            [{"kind": "lamp", "many": 2}, {"kind": "door", "many": 2}, {"kind": None, "many": 1}, {"many": 1}],
        ),
        ("SELECT VALUE c.id FROM c ORDER BY c.n", ["4", "6", "3", "2", "1", "5"]),
        ("SELECT VALUE c.id FROM c ORDER BY c.at DESC", ["1", "3", "2", "4", "5", "6"]),
        ("SELECT VALUE c.id FROM c ORDER BY c.pk DESC, c.id ASC", ["5", "6", "3", "4", "1", "2"]),
        ("SELECT TOP 2 VALUE c.id FROM c ORDER BY c.id DESC", ["6", "5"]),
        ("SELECT VALUE c.id FROM c ORDER BY c.id OFFSET 1 LIMIT 2", ["2", "3"]),
        ("SELECT VALUE c.id FROM c OFFSET 4 LIMIT 5", ["5", "6"]),
        ("SELECT TOP 0 * FROM c", []),
        ("SELECT VALUE {i: c.id, u: c.nothing} FROM c WHERE c.id = '1'", [{"i": "1"}]),
        ("SELECT c.nothing, c.n * 2 FROM c WHERE c.id = '1'", [{"$1": 6}]),
        ("SELECT VALUE c.n / 0 FROM c WHERE c.id = '1'", []),
        ("SELECT VALUE c.nothing ?? c.n FROM c WHERE c.id = '1'", [3]),
        ("SELECT VALUE c.n > 2 ? 'much' : 'little' FROM c WHERE c.kind = 'lamp'", ["much", "little"]),
        ("SELECT VALUE UPPER(CONCAT(c.kind, '-', c.id)) FROM c WHERE c.id = '1'", ["LAMP-1"]),
        ("SELECT VALUE ARRAY(SELECT VALUE UPPER(t) FROM t IN c.tags) FROM c WHERE c.id = '1'", [["RED", "OLD"]]),
        ("SELECT VALUE (SELECT VALUE COUNT(1) FROM t IN c.tags) FROM c WHERE c.id = '1'", [2]),
        ("SELECT VALUE x.y FROM c.o x WHERE IS_DEFINED(x.y)", [[1, 2]]),
        ("SELECT VALUE root.id FROM root WHERE root.n = 3 -- a comment", ["1"]),
        ("select value c.id from c where c.kind='door' and (c.n=null or c.n<0) order by c.id desc", ["4", "3"]),
    ],
)
async def test_language(shelf: ContainerProxy, text: str, expected: list[Any]) -> None:
    assert await select(shelf, text) == expected


async def test_select_star_gives_whole_documents(shelf: ContainerProxy) -> None:
    found = await select(shelf, "SELECT * FROM c WHERE c.id = @id", {"id": "3"})
    assert found == [await shelf.read_item("3", "B")]


@pytest.mark.parametrize("value", ["lamp", 3, 1.5, True, None, ["red"], {"x": 1}])
async def test_parameters_of_every_type(shelf: ContainerProxy, value: object) -> None:
    text = "SELECT VALUE c.id FROM c WHERE c.kind = @v OR c.n = @v OR c.tags = @v OR c.o = @v"
    assert await select(shelf, text, {"v": value})


async def test_query_in_a_partition_sees_only_that_partition(shelf: ContainerProxy) -> None:
    assert await select(shelf, "SELECT VALUE c.id FROM c", partition_key="B") == ["3", "4"]
    assert await select(shelf, "SELECT VALUE COUNT(1) FROM c", partition_key="none") == [0]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM c WHERE",
        "SELEKT * FROM c",
        "SELECT * FROM c WHERE c.a = @missing",
        "SELECT VALUE d.id FROM c",
        "SELECT VALUE NOSUCH(c.id) FROM c",
        "SELECT VALUE udf.mine(c.id) FROM c",
        "SELECT VALUE LENGTH() FROM c",
        "SELECT * FROM c JOIN t IN c.tags",
        "SELECT * FROM c WHERE COUNT(1) > 1",
        "SELECT TOP -1 * FROM c",
        "SELECT VALUE VectorDistance(c.v, [1]) FROM c",
        "SELECT * FROM c WHERE c.a = 'open",
    ],
)
async def test_query_that_cannot_be_understood_is_400_with_a_reason(shelf: ContainerProxy, text: str) -> None:
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await select(shelf, text)
    assert caught.value.status_code == 400
    assert caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT VALUE c.id FROM c",
        "SELECT VALUE c.id FROM c WHERE c.n >= 0",
        "SELECT VALUE c.id FROM c ORDER BY c.n DESC, c.id",
        "SELECT VALUE c.id FROM c ORDER BY c.part",
        "SELECT DISTINCT VALUE c.n FROM c",
        "SELECT VALUE t FROM c JOIN t IN c.tags",
        "SELECT VALUE t FROM c JOIN t IN c.tags ORDER BY c.n",
        "SELECT VALUE c.id FROM c ORDER BY c.id OFFSET 3 LIMIT 11",
        "SELECT TOP 13 VALUE c.id FROM c",
        "SELECT VALUE c.id FROM c OFFSET 5 LIMIT 9",
        "SELECT c.part, COUNT(1) AS n FROM c GROUP BY c.part",
    ],
)
@pytest.mark.parametrize("size", [1, 4, 7])
async def test_pages_together_are_the_whole(pile: ContainerProxy, text: str, size: int) -> None:
    whole = await select(pile, text, max_item_count=1000)
    pages = pile.query_items(text, max_item_count=size).by_page()
    counted = [await everything(page) async for page in pages]
    assert [item for page in counted for item in page] == whole
    assert max(map(len, counted)) <= size


@pytest_asyncio.fixture(scope="module")
async def pile(make_container: MakeContainer) -> ContainerProxy:
    container = await make_container()
    for at in range(23):
        item = {"id": f"{at:02}", "pk": str(at % 3), "n": at % 5, "part": at % 4, "tags": ["x"] * (at % 3)}
        await container.create_item(item)
    return container


async def test_documents_changed_between_pages_neither_repeat_nor_shift_the_rest(
    make_container: MakeContainer,
) -> None:
    container = await make_container()
    for at in range(20):
        await container.create_item({"id": f"{at:02}", "pk": "A", "due": at})
    for text in ("SELECT * FROM c WHERE c.due >= 0", "SELECT * FROM c WHERE c.due >= 0 ORDER BY c.due"):
        seen = []
        async for page in container.query_items(text, partition_key="A", max_item_count=3).by_page():
            for item in await everything(page):
                seen.append(item["id"])
                # What has been dealt with falls out of the query, or moves to another place in its order.
                await container.replace_item(item["id"], item | {"due": -1 - item["due"]})
        assert seen == [f"{at:02}" for at in range(20)]
        for item in await everything(container.read_all_items()):
            await container.replace_item(item["id"], item | {"due": int(item["id"])})


async def test_continuation_goes_on_in_a_later_query(pile: ContainerProxy) -> None:
    first = pile.query_items("SELECT VALUE c.id FROM c ORDER BY c.id", max_item_count=10).by_page()
    begun = await everything(await anext(first))
    rest = pile.query_items("SELECT VALUE c.id FROM c ORDER BY c.id", max_item_count=100)
    token = first.continuation_token  # type: ignore[attr-defined]
    assert token
    found = [item async for page in rest.by_page(token) async for item in page]
    assert begun + found == [f"{at:02}" for at in range(23)]


async def test_read_all_items(shelf: ContainerProxy) -> None:
    assert [item["id"] for item in await everything(shelf.read_all_items())] == ["1", "2", "3", "4", "5", "6"]


async def test_feed_range_holds_what_is_in_it(shelf: ContainerProxy) -> None:
    ranges = await everything(shelf.read_feed_ranges())
    assert len(ranges) == 1
    assert len(await select(shelf, "SELECT * FROM c", feed_range=ranges[0])) == 6
    only = await shelf.feed_range_from_partition_key("C")
    assert await select(shelf, "SELECT VALUE c.id FROM c", feed_range=only) == ["5", "6"]
