"""Queue triggers of the local host against the local Service Bus, fed by the unmodified azure-servicebus SDK."""

import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

from tests.wire.host.running import APPS, Part, running, start, until, until_true

APP = ["--app", str(APPS / "queues")]
TOPOLOGY = {
    "serviceBus": {
        "queues": [
            {"name": "lanes", "requiresSession": True, "lockDuration": "PT2S", "maxDeliveryCount": 5},
            {"name": "plain", "lockDuration": "PT2S", "maxDeliveryCount": 5},
            {"name": "text", "lockDuration": "PT5S"},
        ]
    },
    "cosmos": {"database": "none", "containers": []},
}

Line = dict[str, Any]


class Bench:
    """A broker, a host on it, and what the toy app has seen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen_path = folder / "seen"
        self.topology = folder / "topology.json"
        self.topology.write_text(json.dumps(TOPOLOGY), encoding="utf-8")
        self.broker: Part
        self.host: Part
        self.client: ServiceBusClient | None = None
        self.senders: dict[str, ServiceBusSender] = {}

    async def start_broker(self, port: int = 0) -> None:
        arguments = ["--port", str(port), "--data", str(self.folder / "broker"), "--topology", str(self.topology)]
        self.broker = await start("servicebus", arguments, self.folder)

    async def start_host(self) -> None:
        settings = {
            "ServiceBus": self.broker.facts["connectionString"],
            "LANES": "lanes",
            "TOY_SEEN": str(self.seen_path),
        }
        self.host = await start("host", [*APP, "--data", str(self.folder / "host")], self.folder, settings)

    def seen(self, matches: Callable[[Line], bool]) -> list[Line]:
        """What the toy app wrote, where it matches."""
        if not self.seen_path.exists():
            return []
        # The last line may be half written.
        lines = self.seen_path.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        return [line for line in map(json.loads, lines) if matches(line)]

    async def send(self, queue: str, messages: list[ServiceBusMessage]) -> None:
        # A client costs about a second to close: one for each broker, and its senders are kept open.
        if self.client is None:
            self.client = ServiceBusClient.from_connection_string(self.broker.facts["connectionString"])
        if queue not in self.senders:
            self.senders[queue] = self.client.get_queue_sender(queue)
        await self.senders[queue].send_messages(messages)

    async def end(self) -> None:
        """End the host, the SDK's client and the broker, in that order."""
        if hasattr(self, "host"):
            await self.host.end()
        if self.client is not None:
            await self.client.close()
        await self.broker.end()

    async def operations(self, queue: str) -> dict[str, int]:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{self.broker.facts['countersPort']}/") as answer,
        ):
            found: dict[str, int] = (await answer.json())["operations"].get(queue, {})
            return found

    async def fault(self, **faults: bool) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"http://127.0.0.1:{self.broker.facts['countersPort']}/faults", json=faults) as answer,
        ):
            assert answer.status == 200


def message(body: bytes | str, session: str | None = None, **properties: Any) -> ServiceBusMessage:
    return ServiceBusMessage(body, session_id=session, **properties)


@asynccontextmanager
async def benched(folder: Path) -> AsyncIterator[Bench]:
    """A bench with a running broker; whatever else was started on it is ended with it."""
    bench = Bench(folder)
    await bench.start_broker()
    try:
        yield bench
    finally:
        await bench.end()


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with benched(tmp_path_factory.mktemp("queues")) as bench:
        await bench.start_host()
        yield bench


async def test_a_message_reaches_its_function_with_body_and_metadata_as_in_azure(bench: Bench) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await bench.send(
        "lanes",
        [
            message(
                b"\x00\xff\x01",
                "meta",
                message_id="m-1",
                correlation_id="c-1",
                subject="signal",
                content_type="application/octet-stream",
                application_properties={"Diagnostic-Id": trace, "attempt": 2, "text": "é"},
            )
        ],
    )
    [seen] = await until(lambda: bench.seen(lambda line: line.get("session_id") == "meta"))
    assert seen["body"].encode("latin-1") == b"\x00\xff\x01"
    assert (seen["message_id"], seen["correlation_id"], seen["subject"], seen["label"]) == (
        "m-1",
        "c-1",
        "signal",
        "signal",
    )
    assert seen["delivery_count"] == 1
    assert seen["enqueued_naive"] is True
    assert seen["expires"].startswith("9999-12-31")
    assert seen["application_properties"] == seen["user_properties"]
    assert seen["application_properties"] | {"attempt": 2, "text": "é"} == seen["application_properties"]
    assert seen["trace_parent"][:36] == trace[:36]
    assert seen["trace_parent"] != trace
    assert seen["metadata"]["EnqueuedTime"].endswith("+00:00")
    assert not {"TimeToLive", "LockedUntil", "ScheduledEnqueueTimeUtc", "State"} & seen["metadata"].keys()


async def test_a_json_body_overwrites_the_metadata_unless_the_data_type_is_binary(bench: Bench) -> None:
    body = json.dumps({"MessageId": "other", "deliverycount": 77, "Subject": None, "Label": ["x"]})
    await bench.send("text", [message(body, message_id="own", subject="kept")])
    await bench.send("plain", [message(body, message_id="own-plain", subject="kept")])
    [text] = await until(lambda: bench.seen(lambda line: line["function"] == "on_text"))
    [plain] = await until(lambda: bench.seen(lambda line: line.get("message_id") == "own-plain"))
    assert (text["message_id"], text["delivery_count"], text["subject"], text["label"]) == ("other", 77, "kept", "kept")
    assert plain["delivery_count"] == 1


async def test_each_session_is_in_order_one_at_a_time_while_sessions_run_beside_each_other(bench: Bench) -> None:
    await bench.send(
        "lanes", [message("sleep:0.05", f"order-{lane}", subject=str(n)) for n in range(4) for lane in "abc"]
    )

    def mine(line: Line) -> bool:
        return str(line.get("session_id")).startswith("order-")

    await until(lambda: len(bench.seen(mine)) == 12)
    seen = bench.seen(mine)
    for lane in "abc":
        assert [line["subject"] for line in seen if line["session_id"] == f"order-{lane}"] == ["0", "1", "2", "3"]
    assert {line["at_once_in_lane"] for line in seen} == {1}
    assert max(line["at_once_in_all"] for line in seen) > 1


async def test_more_sessions_than_slots_are_all_served(bench: Bench) -> None:
    await bench.send("lanes", [message("x", f"many-{n}") for n in range(20)])

    def served() -> set[str]:
        found = {str(line.get("session_id")) for line in bench.seen(lambda line: True)}
        return {session for session in found if session.startswith("many-")}

    await until(lambda: len(served()) == 20)


async def test_a_failed_message_comes_back_first_and_counted_and_holds_up_only_its_own_session(bench: Bench) -> None:
    await bench.send("lanes", [message("fail:2", "poison"), message("after", "poison"), message("x", "healthy")])
    await until(lambda: bench.seen(lambda line: line.get("session_id") == "poison" and line["body"] == "after"))
    poison = bench.seen(lambda line: line.get("session_id") == "poison")
    assert [(line["body"], line["delivery_count"]) for line in poison] == [
        ("fail:2", 1),
        ("fail:2", 2),
        ("fail:2", 3),
        ("after", 1),
    ]
    await until(lambda: bench.seen(lambda line: line.get("session_id") == "healthy"))


async def test_locks_are_renewed_for_as_long_as_the_function_runs(bench: Bench) -> None:
    before = await bench.operations("lanes"), await bench.operations("plain")
    await bench.send("lanes", [message("sleep:4", "long")])
    await bench.send("plain", [message("sleep:4")])

    async def settled() -> bool:
        now = await bench.operations("lanes"), await bench.operations("plain")
        return all(
            then.get("completes", 0) < after.get("completes", 0) for then, after in zip(before, now, strict=True)
        )

    await until_true(settled)
    ended = bench.seen(lambda line: line["body"] == "sleep:4" and "began" not in line)
    assert [line["delivery_count"] for line in ended] == [1, 1]


async def test_plain_messages_run_beside_each_other_up_to_the_limit(bench: Bench) -> None:
    await bench.send("plain", [message("sleep:0.2", subject="wide") for _ in range(10)])
    await until(lambda: len(bench.seen(lambda line: line.get("subject") == "wide")) == 10)
    at_once = [line["at_once_in_lane"] for line in bench.seen(lambda line: line.get("subject") == "wide")]
    assert 1 < max(at_once) <= 4


async def test_dropped_connections_lose_nothing_and_mend_themselves(bench: Bench) -> None:
    await bench.send("lanes", [message("sleep:0.1", f"drop-{n % 5}", message_id=f"drop-{n}") for n in range(20)])
    await until(lambda: bench.seen(lambda line: str(line.get("message_id")).startswith("drop-")))
    await bench.fault(dropConnections=True)
    await until(lambda: len({line["message_id"] for line in bench.seen(dropped)}) == 20)


def dropped(line: Line) -> bool:
    return str(line.get("message_id")).startswith("drop-")


async def test_a_killed_broker_is_found_again_without_a_restart_and_nothing_is_lost(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        await bench.start_host()
        await bench.send("lanes", [message("x", f"s{n}", message_id=f"kill-{n}") for n in range(30)])
        await until(lambda: bench.seen(lambda line: True))
        await bench.broker.end(signal.SIGKILL)
        await until(lambda: any("cannot be reached" in line["message"] for line in bench.host.logged()))
        await bench.start_broker(bench.broker.facts["port"])
        await bench.send("plain", [message("after")])
        await until(
            lambda: len({line["message_id"] for line in bench.seen(lambda one: one["function"] == "on_lane")}) == 30
        )
        await until(lambda: bench.seen(lambda line: line["body"] == "after"))


async def test_sigterm_lets_a_running_message_finish_and_completes_it(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        await bench.start_host()
        await bench.send(
            "lanes", [message("sleep:0.5", "last"), message("next", "last"), message("sleep:1.5", "longer")]
        )
        await until(lambda: len(bench.seen(lambda line: bool(line.get("began")))) == 2)
        assert await bench.host.end(signal.SIGTERM) == 0
        assert {line["body"] for line in bench.seen(lambda line: "began" not in line)} == {"sleep:0.5", "sleep:1.5"}
        assert (await bench.operations("lanes"))["completes"] == 2
        await bench.start_host()
        await until(lambda: bench.seen(lambda line: line["body"] == "next"))
        assert [line["delivery_count"] for line in bench.seen(lambda line: line["body"] == "next")] == [1]


async def test_a_queue_that_does_not_exist_is_reported_and_the_other_queues_work(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        settings = {
            "ServiceBus": bench.broker.facts["connectionString"],
            "LANES": "nowhere",
            "TOY_SEEN": str(bench.seen_path),
        }
        async with running("host", [*APP, "--data", str(tmp_path / "host")], tmp_path, settings) as host:
            await bench.send("plain", [message("works")])
            await until(lambda: bench.seen(lambda line: line["body"] == "works"))
            await until(lambda: any("nowhere" in line["message"] for line in host.logged()))


async def test_a_broker_that_is_away_at_start_is_waited_for(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        await bench.fault(refuse=True)
        await bench.start_host()
        await until(lambda: any("cannot be reached" in line["message"] for line in bench.host.logged()))
        await bench.fault(refuse=False)
        await bench.send("lanes", [message("late", "s")])
        await until(lambda: bench.seen(lambda line: line["body"] == "late"))
