"""The door: authorisation, HTTP itself, and the sandbox's own addresses."""

import asyncio
import base64
import email.utils
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio
from azure.core.exceptions import AzureError
from azure.cosmos import CosmosClient as SyncClient
from azure.cosmos import exceptions
from azure.cosmos.aio import CosmosClient

from sandbox import topology
from sandbox.cosmos import Served, serve
from tests.wire.cosmos.reading import everything


@pytest_asyncio.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """An account that these tests may spoil."""
    async with serve(tmp_path_factory.mktemp("door"), topology.load()) as served:
        yield served


@pytest_asyncio.fixture(scope="module")
async def http(own: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(own.endpoint) as session:
        yield session


def signed(own: Served, method: str, kind: str, link: str, date: datetime) -> dict[str, str]:
    """Headers of a request signed by hand, as Microsoft's documentation says it, not as the endpoint does it."""
    stamp = email.utils.format_datetime(date, usegmt=True)
    text = f"{method.lower()}\n{kind}\n{link}\n{stamp.lower()}\n\n"
    digest = hmac.new(base64.b64decode(own.key), text.encode(), hashlib.sha256).digest()
    token = f"type=master&ver=1.0&sig={base64.b64encode(digest).decode()}"
    return {"x-ms-date": stamp, "authorization": quote(token, safe="")}


@pytest.mark.parametrize(("minutes", "status"), [(0, 200), (-14, 200), (14, 200), (-16, 403), (16, 403)])
async def test_requests_dated_more_than_15_minutes_off_are_403(
    own: Served, http: aiohttp.ClientSession, minutes: int, status: int
) -> None:
    date = datetime.now(UTC) + timedelta(minutes=minutes)
    async with http.get("/dbs", headers=signed(own, "get", "dbs", "", date)) as answer:
        assert answer.status == status


@pytest.mark.parametrize("authorization", [None, "", "nonsense", "type%3Daad%26ver%3D1.0%26sig%3Dx", "type%3Dmaster"])
async def test_request_without_a_good_signature_is_401(http: aiohttp.ClientSession, authorization: str | None) -> None:
    headers = {"x-ms-date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")}
    if authorization is not None:
        headers["authorization"] = authorization
    async with http.get("/dbs", headers=headers) as answer:
        assert answer.status == 401
        assert set(await answer.json()) == {"code", "message"}


async def test_signature_for_one_thing_does_not_open_another(own: Served, http: aiohttp.ClientSession) -> None:
    headers = signed(own, "get", "colls", "dbs/knutepunkt/colls/messages", datetime.now(UTC))
    async with http.get("/dbs/knutepunkt/colls/messages", headers=headers) as answer:
        assert answer.status == 200
    for method, path in (("get", "/dbs/knutepunkt/colls/trail"), ("delete", "/dbs/knutepunkt/colls/messages")):
        async with http.request(method, path, headers=headers) as answer:
            assert answer.status == 401


async def test_another_key_is_401(own: Served) -> None:
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        async with CosmosClient(own.endpoint, "bm90IHRoZSBrZXk="):
            pass
    assert caught.value.status_code == 401


async def raw(own: Served, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(text)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "text",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /dbs HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /dbs HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /dbs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000,
    ],
)
async def test_what_is_not_http_is_400_and_the_connection_ends(own: Served, text: bytes) -> None:
    assert (await raw(own, text)).startswith(b"HTTP/1.1 400 ")


async def test_requests_sent_ahead_are_answered_in_order(own: Served) -> None:
    first = b"GET /_sandbox/counters HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    last = b"GET /_sandbox/none HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    answer = await raw(own, first + b"GET /dbs HTTP/1.1\r\nHost: x\r\n\r\n" + last)
    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"200", b"401", b"404"]


async def test_request_that_comes_byte_by_byte_is_answered(own: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    for byte in b'POST /_sandbox/faults HTTP/1.1\r\nHost: localhost:1\r\nContent-Length: 16\r\n\r\n{"refuse":false}':
        writer.write(bytes([byte]))
        await writer.drain()
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_body_that_is_far_too_large_is_read_to_its_end_and_answered_with_413(own: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(b"POST /dbs HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n")
    for _ in range(80):
        writer.write(b"x" * 100_000)
        await writer.drain()
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_counters_count_by_kind(own: Served, http: aiohttp.ClientSession) -> None:
    async def counts() -> dict[str, int]:
        async with http.get("/_sandbox/counters") as answer:
            told = await answer.json()
        assert told["cpuSeconds"] > 0
        assert told["rssBytes"] > 1_000_000
        requests: dict[str, int] = told["requests"]
        return requests

    before = await counts()
    async with CosmosClient(own.endpoint, own.key) as client:
        container = client.get_database_client("knutepunkt").get_container_client("messages")
        await container.create_item({"id": "counted", "partition": "L"})
        await container.read_item("counted", "L")
        await everything(container.query_items("SELECT * FROM c", partition_key="L"))
        await container.execute_item_batch([("delete", ("counted",))], "L")
    after = await counts()
    for kind in ("create", "read", "query", "batch"):
        assert after[kind] - before.get(kind, 0) == 1


async def fault(http: aiohttp.ClientSession, **wanted: Any) -> int:
    async with http.post("/_sandbox/faults", json=wanted) as answer:
        return answer.status


@pytest.mark.parametrize(("mode", "status"), [("503", 503), ("429", 429)])
async def test_fault_answers_every_request_with_its_status_until_told(
    own: Served, http: aiohttp.ClientSession, mode: str, status: int
) -> None:
    assert await fault(http, refuse=True, mode=mode, delayMs=20) == 200
    for _ in range(3):
        async with http.get("/dbs", headers=signed(own, "get", "dbs", "", datetime.now(UTC))) as answer:
            assert answer.status == status
            assert answer.headers.get("x-ms-retry-after-ms") == ("20" if mode == "429" else None)
    assert await fault(http, refuse=False) == 200
    async with http.get("/dbs", headers=signed(own, "get", "dbs", "", datetime.now(UTC))) as answer:
        assert answer.status == 200


async def test_fault_with_a_count_ends_by_itself(own: Served, http: aiohttp.ClientSession) -> None:
    assert await fault(http, refuse=True, count=2) == 200
    statuses = []
    for _ in range(3):
        async with http.get("/dbs", headers=signed(own, "get", "dbs", "", datetime.now(UTC))) as answer:
            statuses.append(answer.status)
    assert statuses == [503, 503, 200]


async def test_dropped_connection_is_what_a_client_sees(own: Served, http: aiohttp.ClientSession) -> None:
    assert await fault(http, refuse=True, mode="drop", count=1) == 200
    assert await raw(own, b"POST /dbs HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n") == b""


async def test_slow_answer_still_comes(own: Served, http: aiohttp.ClientSession) -> None:
    assert await fault(http, refuse=True, mode="slow", delayMs=30, count=1) == 200
    async with http.get("/dbs", headers=signed(own, "get", "dbs", "", datetime.now(UTC))) as answer:
        assert answer.status == 200


async def test_dropped_after_it_was_done_is_done(own: Served, http: aiohttp.ClientSession) -> None:
    async with CosmosClient(own.endpoint, own.key, retry_total=0) as client:
        container = client.get_database_client("knutepunkt").get_container_client("messages")
        await container.upsert_item({"id": "first", "partition": "L"})
        assert await fault(http, refuse=True, mode="drop-after") == 200
        with pytest.raises(AzureError):
            await container.create_item({"id": "done", "partition": "L"})
        assert await fault(http, refuse=False) == 200
        assert (await container.read_item("done", "L"))["id"] == "done"


async def test_a_condition_that_holds_is_said_not_to_in_a_batch_too(own: Served, http: aiohttp.ClientSession) -> None:
    async with CosmosClient(own.endpoint, own.key) as client:
        container = client.get_database_client("knutepunkt").get_container_client("messages")
        await container.upsert_item({"id": "storm", "partition": "L", "n": 1})
        change = [{"op": "incr", "path": "/n", "value": 1}]
        assert await fault(http, refuse=True, mode="412") == 200
        with pytest.raises(exceptions.CosmosHttpResponseError) as refused:
            await container.patch_item("storm", "L", change, filter_predicate="FROM c WHERE c.n = 1")
        assert refused.value.status_code == 412
        guarded = ("patch", ("storm", change), {"filter_predicate": "FROM c WHERE c.n = 1"})
        with pytest.raises(exceptions.CosmosBatchOperationError) as failed:
            await container.execute_item_batch([("create", ({"id": "beside", "partition": "L"},)), guarded], "L")
        assert [each["statusCode"] for each in failed.value.operation_responses] == [424, 412]
        await container.patch_item("storm", "L", change)
        assert await fault(http, refuse=False) == 200
        assert (await container.read_item("storm", "L"))["n"] == 2


async def test_a_share_of_requests_gets_the_fault_and_the_same_seed_the_same_ones(http: aiohttp.ClientSession) -> None:
    async def statuses() -> list[int]:
        assert await fault(http, refuse=True, mode="503", share=0.5, seed=7) == 200
        found = []
        for _ in range(20):
            async with http.get("/dbs") as answer:
                found.append(answer.status)
        assert await fault(http, refuse=False) == 200
        return found

    first = await statuses()
    assert {503, 401} == set(first)
    assert await statuses() == first


@pytest.mark.parametrize(
    "wanted",
    [
        {}, {"refuse": "yes"}, {"refuse": True, "mode": "sulk"}, {"refuse": True, "count": 0}, [1],
        {"refuse": True, "share": 0}, {"refuse": True, "share": 1.1}, {"refuse": True, "often": 1},
    ],
)  # fmt: skip
async def test_fault_that_is_none_is_400(http: aiohttp.ClientSession, wanted: object) -> None:
    async with http.post("/_sandbox/faults", json=wanted) as answer:
        assert answer.status == 400


async def test_own_addresses_refuse_another_host_name(own: Served, http: aiohttp.ClientSession) -> None:
    async with http.get("/_sandbox/counters", headers={"Host": f"rebound.example:{own.port}"}) as answer:
        assert answer.status == 403


async def test_sdk_retries_a_throttled_request_and_succeeds(own: Served, http: aiohttp.ClientSession) -> None:
    async with CosmosClient(own.endpoint, own.key) as client:
        container = client.get_database_client("knutepunkt").get_container_client("messages")
        await container.upsert_item({"id": "throttled", "partition": "L"})
        assert await fault(http, refuse=True, mode="429", count=2, delayMs=10) == 200
        assert (await container.read_item("throttled", "L"))["id"] == "throttled"


async def test_synchronous_sdk_does_the_same(own: Served) -> None:
    def work() -> list[Any]:
        with SyncClient.from_connection_string(own.connection_string) as client:
            container = client.get_database_client("knutepunkt").get_container_client("registry")
            container.create_item({"id": "1", "orgnr": "S", "n": 1})
            container.upsert_item({"id": "2", "orgnr": "S", "n": 2})
            container.patch_item("1", "S", [{"op": "incr", "path": "/n", "value": 4}])
            container.execute_item_batch([("delete", ("2",)), ("create", ({"id": "3", "orgnr": "S", "n": 3},))], "S")
            query = "SELECT VALUE c.n FROM c WHERE c.n > @n ORDER BY c.n"
            parameters: list[dict[str, Any]] = [{"name": "@n", "value": 2}]
            found = list(container.query_items(query, parameters=parameters, enable_cross_partition_query=True))
            fed = [item["id"] for item in container.query_items_change_feed(start_time="Beginning")]
            try:
                container.read_item("2", "S")
            except exceptions.CosmosResourceNotFoundError as error:
                return [found, fed, error.status_code]
        return []

    assert await asyncio.to_thread(work) == [[3, 5], ["1", "3"], 404]


async def test_a_second_start_on_the_same_folder_keeps_everything(tmp_path: Path) -> None:
    for round_ in range(2):
        async with serve(tmp_path, topology.load()) as served, CosmosClient(served.endpoint, served.key) as client:
            container = client.get_database_client("knutepunkt").get_container_client("registry")
            await container.upsert_item({"id": str(round_), "orgnr": "999999999"})
            assert len(await everything(container.read_all_items())) == round_ + 1


async def test_declared_container_with_another_partition_key_stops_the_start(tmp_path: Path) -> None:
    declared = topology.load()
    async with serve(tmp_path, declared):
        pass
    changed = topology.Topology((), declared.database, (topology.Container("messages", "/other"),))
    with pytest.raises(ValueError, match="another partition key"):
        async with serve(tmp_path, changed):
            pass


async def test_nothing_of_a_document_is_in_an_error(own: Served) -> None:
    async with CosmosClient(own.endpoint, own.key) as client:
        container = client.get_database_client("knutepunkt").get_container_client("messages")
        with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
            await container.create_item({"id": "x", "partition": "L", "ttl": "secret-value"})
        assert "secret-value" not in json.dumps(str(caught.value.message))
