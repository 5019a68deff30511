"""`hub bench` tells what an event costs, beside how many others it is stored, and where the time goes."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient

from sandbox import topology
from sandbox.bench import cost, profile, stored
from sandbox.bench.driving import Counters
from sandbox.bench.process import Used
from sandbox.bench.rows import Sizes
from sandbox.bench.run import measure
from sandbox.cosmos import serve
from sandbox.cosmos.catalogue import Catalogue
from sandbox.cosmos.server import wall_clock
from sandbox.cosmos.storage import Storage

_LANE, _OUT = "a" * 20, "a" * 20 + ".epj"
_EVENT = f"{_LANE}.{'c' * 26}"


def messages_of(client: CosmosClient) -> ContainerProxy:
    return client.get_database_client("knutepunkt").get_container_client("messages")


async def _with_one_message(folder: Path, pending: list[str]) -> None:
    event = {
        "id": _EVENT, "lane": _LANE, "type": "event", "receivedAt": "2026-03-04T12:00:00.000000Z",
        "receivers": [{"receiver": "epj", "delivery": f"{_EVENT}.epj", "lane": _OUT}],
    }  # fmt: skip
    async with serve(folder, topology.load()) as served, CosmosClient(served.endpoint, served.key) as client:
        documents: list[dict[str, Any]] = [
            event,
            {"id": f"{_EVENT}.payload", "lane": _LANE, "type": "payload", "data": "x"},
            {"id": "lane.epj", "lane": _OUT, "type": "line", "pending": pending},
        ]  # fmt: skip
        if not pending:
            documents.append({"id": f"{_EVENT}.epj", "lane": _OUT, "type": "delivery", "event": _EVENT})
        for each in documents:
            await messages_of(client).create_item({**each, "partition": _LANE})


async def test_stored_messages_are_as_those_that_were_carried(tmp_path: Path) -> None:
    await _with_one_message(tmp_path, [])
    filled = stored.fill(tmp_path, 25)
    assert (filled.messages, filled.documents) == (25, 25 * 3 + 3)
    async with serve(tmp_path, topology.load()) as served, CosmosClient(served.endpoint, served.key) as client:
        messages = messages_of(client)
        query = "SELECT * FROM c WHERE c.type = 'event'"
        found = [each async for each in messages.query_items(query)]
        assert len({each["id"] for each in found}) == 26
        for each in found:
            assert each["id"].startswith(each["lane"])
            assert each["partition"] == each["lane"]
            assert (await messages.read_item(f"{each['id']}.payload", each["lane"]))["lane"] == each["lane"]
            (receiver,) = each["receivers"]
            delivery = await messages.read_item(receiver["delivery"], each["lane"])
            assert (delivery["event"], delivery["lane"]) == (each["id"], receiver["lane"])
            assert (await messages.read_item("lane.epj", each["lane"]))["lane"] == receiver["lane"]
        assert sorted(each["receivedAt"][:10] for each in found)[0] == "2026-03-02"


async def test_stored_messages_are_no_news_to_whoever_reads_the_change_feed(tmp_path: Path) -> None:
    await _with_one_message(tmp_path, [])
    async with serve(tmp_path, topology.load()) as served, CosmosClient(served.endpoint, served.key) as client:
        messages = messages_of(client)
        assert len([each async for each in messages.query_items_change_feed(start_time="Beginning")]) == 4
        read_to = str(messages.client_connection.last_response_headers["etag"])
    stored.fill(tmp_path, 10)
    async with serve(tmp_path, topology.load()) as served, CosmosClient(served.endpoint, served.key) as client:
        messages = messages_of(client)
        assert [each async for each in messages.query_items_change_feed(continuation=read_to)] == []
        await messages.create_item({"id": "new", "partition": "new"})
        news = [each["id"] async for each in messages.query_items_change_feed(continuation=read_to)]
        assert news == ["new"]


async def test_a_message_that_is_still_on_its_way_is_not_copied(tmp_path: Path) -> None:
    await _with_one_message(tmp_path, ["waiting"])
    with pytest.raises(LookupError):
        stored.fill(tmp_path, 1)
    storage = Storage(tmp_path)
    assert Catalogue(storage, wall_clock).container("knutepunkt", "messages")
    storage.close()
    with closing(sqlite3.connect(tmp_path / "cosmos.sqlite3")) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)


def _spent(events: int) -> cost.Spent:
    def booked(units: float) -> dict[str, float]:
        return {"requests": events, "units": units * events}

    charges = {
        "knutepunkt/messages": {"batch": booked(20), "changes": booked(1)},
        "knutepunkt-trail/trail": {"batch": booked(5)},
    }
    servicebus = {
        "billed": {"events": {"sends": events, "receives": events, "settlements": events}},
        "operations": {"events": {"sessionsAccepted": events}},
    }
    return cost.Spent({"app": Used(0.002 * events, 1.0, 1.0)}, Counters(servicebus, {"charges": charges}))


def test_the_road_and_the_audit_log_are_told_apart() -> None:
    values = {row.name: row.value for row in cost.rows(_spent(10), _spent(20), 10, 100.0)}
    assert values["Cosmos request units per event, the road"] == pytest.approx(20)
    assert values["Cosmos request units per event, the audit log"] == pytest.approx(6)
    assert values["Cosmos requests per event"] == pytest.approx(3)
    assert values["Service Bus operations per event"] == pytest.approx(3)
    assert values["sessions taken per event"] == pytest.approx(1)
    assert values["CPU per event, app"] == pytest.approx(2)
    assert values["the same, in readings of the message"] == pytest.approx(20)


def test_time_in_libraries_goes_to_whoever_called_them() -> None:
    root, work = "main (/x/sandbox/part.py:1)", "work (/x/functions/lanes.py:3)"
    samples = [
        f"{root};run (/x/sandbox/host/__main__.py:1);_run_once (/py/asyncio/base_events.py:2) 1",
        f"{root};{work};read (/v/azure/cosmos/aio/_c.py:4);dumps (/py/json/__init__.py:5) 6",
        f"{root};{work};read (/x/shared/messages/events.py:4);sha (/py/hashlib.py:5) 3",
    ]
    shares = {share.whose: share.share for share in profile.summed("queues", samples)}
    assert shares == {"the Cosmos SDK, with its HTTP": 0.6, "the hub's own code": 0.3, "the event loop": 0.1}


async def test_a_small_run_gives_every_figure(tmp_path: Path) -> None:
    said: list[str] = []
    sizes = Sizes(floor_s=0.1, steady_s=0.1, sustained=4, backlog=4, patients=4)
    rows, found = await measure(tmp_path, sizes, said.append)
    names = {row.name for row in rows}
    assert {"ingest at 100/s, p99", "sustained, end to end", "backlog drained", "backlog drained, time"} <= names
    assert {"Service Bus operations per event", "Cosmos request units per event, the road"} <= names
    assert all(row.value >= 0 for row in rows), json.dumps([row.name for row in rows if row.value < 0])
    assert not found.shares
    assert len(said) == 4
