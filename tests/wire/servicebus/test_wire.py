"""What the broker does with clients that are not an SDK: many links on one connection, odd frames, faults."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusReceiveMode
from azure.servicebus.aio import ServiceBusClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.amqp import codec
from sandbox.servicebus import serve
from sandbox.servicebus.storage import Storage
from tests.wire.servicebus.conftest import TOPOLOGY, Bus, until
from tests.wire.servicebus.raw import Raw, connect, receiver, sender
from tests.wire.servicebus.test_access import signed


@pytest.fixture
async def raw(bus: Bus) -> AsyncIterator[Raw]:
    async with connect(bus.service.port) as raw:
        assert await raw.put_token(signed(bus.service, ""), "sb://127.0.0.1/") == 202
        yield raw


def message(session: str | None = None, size: int = 1) -> bytes:
    return codec.build(
        codec.Message(properties=codec.Properties(message_id="m", group_id=session), data=(b"x" * size,))
    )


async def test_many_sessions_are_worked_through_on_one_connection(bus: Bus, raw: Raw) -> None:
    sessions = [f"s{number}" for number in range(40)]
    raw.send(sender("send", 100, "lanes-list"))
    for number, session in enumerate(sessions):
        raw.send(codec.frame(0, codec.Transfer(100, number, b"t", 0, False), message(session)))
    for _ in sessions:
        assert isinstance((await raw.expect(codec.Disposition)).state, codec.Accepted)
    for number in range(40):
        raw.send(receiver(f"r{number}", number, "lanes-list", None, timeout=codec.UInt(5000)))
        raw.send(codec.Flow(0, 5000, 0, 5000, number, 0, 1))
    granted = [await raw.expect(codec.Attach, lambda one: one.name.startswith("r")) for _ in sessions]
    assert [one.source.filter for one in granted if isinstance(one.source, codec.Source)] == [
        {codec.Symbol("com.microsoft:session-filter"): session} for session in sessions
    ]
    for _ in sessions:
        transfer = await raw.expect(codec.Transfer)
        assert transfer.delivery_id is not None
        raw.send(codec.Disposition(codec.RECEIVER, transfer.delivery_id, None, False, codec.Accepted()))
    queue = bus.service.server.broker.find("lanes-list")
    await until(lambda: not queue.messages)
    for number in range(40):
        raw.send(codec.Detach(number, True))
    await raw.expect(codec.Detach, lambda one: one.handle == 39)
    assert queue.sessions is not None
    assert list(queue.sessions.ids(None)) == []


async def test_no_more_is_sent_than_the_clients_window_takes(bus: Bus) -> None:
    async with connect(bus.service.port) as raw:
        await raw.put_token(signed(bus.service, ""), "sb://127.0.0.1/")
        raw.send(sender("send", 1, "other"))
        for number in range(6):
            raw.send(codec.frame(0, codec.Transfer(1, number + 1, b"t", 0, True), message()))
        received = len(raw.all(codec.Transfer))
        raw.send(receiver("r", 0, "other"), codec.Flow(received, 2, 0, 5000, 0, 0, 10))
        for _ in range(2):
            await raw.expect(codec.Transfer)
        raw.send(codec.Flow(received + 2, 2, 0, 5000, echo=True))
        for _ in range(2):
            await raw.expect(codec.Transfer)
        await raw.expect(codec.Flow, lambda flow: flow.handle is None)
        assert len(raw.all(codec.Transfer)) == received + 4
        raw.send(codec.Flow(received + 4, 100, 0, 5000, 0, 0, 10, drain=True))
        drained = await raw.expect(codec.Flow, lambda flow: flow.drain is True)
        assert (drained.delivery_count, drained.link_credit) == (10, 0)
        deliveries = [one for one in raw.all(codec.Transfer) if one.handle == 0]
        assert len(deliveries) == 6
        first, last = deliveries[0].delivery_id, deliveries[-1].delivery_id
        assert first is not None
        raw.send(codec.Disposition(codec.RECEIVER, first, last, True, codec.Accepted()))
        await until(lambda: not bus.service.server.broker.find("other").messages)


async def test_a_message_split_over_frames_is_one_and_one_too_large_ends_only_its_link(bus: Bus, raw: Raw) -> None:
    raw.send(sender("send", 1, "batch"))
    whole = message(size=200_000)
    raw.send(*codec.transfer_frames(0, codec.Transfer(1, 1, b"t", 0, False), whole, 4096))
    assert isinstance((await raw.expect(codec.Disposition)).state, codec.Accepted)
    raw.send(*codec.transfer_frames(0, codec.Transfer(1, 2, b"t", 0, False), b"x" * 3_000_000, 60_000))
    detach = await raw.expect(codec.Detach)
    assert detach.error is not None
    assert detach.error.condition == "amqp:link:message-size-exceeded"
    raw.send(sender("again", 2, "batch"))
    assert (await raw.expect(codec.Attach)).target is not None
    delete = ServiceBusReceiveMode.RECEIVE_AND_DELETE
    assert len(await bus.receive("batch", receive_mode=delete, prefetch_count=300)) == 1


async def test_a_message_that_is_not_amqp_is_rejected_and_nothing_is_kept_of_it(bus: Bus, raw: Raw) -> None:
    raw.send(sender("send", 1, "plain"))
    for number, rubbish in enumerate((b"rubbish", b"\x00\x53\x75\xa0\xff", b"\x00\x53\x74\x45")):
        raw.send(codec.frame(0, codec.Transfer(1, number, b"t", 0, False), rubbish))
        state = (await raw.expect(codec.Disposition)).state
        assert isinstance(state, codec.Rejected)
        assert state.error is not None
        assert state.error.condition == "amqp:decode-error"
    assert not bus.service.server.broker.find("plain").messages


async def test_an_unknown_request_is_answered_as_not_implemented(raw: Raw) -> None:
    raw.send(
        codec.Attach("m-out", 1, codec.SENDER, target=codec.Target("plain/$management")),
        codec.Attach("m-in", 2, codec.RECEIVER, source=codec.Source("plain/$management"), target=codec.Target("me")),
        codec.Flow(0, 5000, 0, 5000, 2, 0, 10),
    )
    for operation, status in (("com.microsoft:add-rule", 501), ("com.microsoft:renew-lock", 400)):
        request = codec.Message(
            properties=codec.Properties(message_id=operation, reply_to="me"),
            application_properties={"operation": operation},
            value={},
        )
        raw.send(codec.frame(0, codec.Transfer(1, 1, b"t", 0, True), codec.build(request)))
        reply = codec.parse(await raw.expect_payload())
        assert reply.properties.correlation_id == operation
        assert reply.application_properties["statusCode"] == status


@pytest.mark.parametrize(
    "frames",
    [
        [codec.Attach("x", 256, codec.SENDER, target=codec.Target("plain"))],
        [sender("x", 1, "plain"), sender("y", 1, "plain")],
        [codec.frame(7, codec.Attach("x", 1, codec.SENDER))],
        [b"\x00\x00\x00\x10\x02\x00\x00\x00rubbish!"],
        [b"\xff\xff\xff\xff\x02\x00\x00\x00"],
        [b"HTTP/1.1"],
    ],
)
async def test_a_client_that_breaks_the_protocol_is_told_and_let_go(
    raw: Raw, frames: list[bytes | codec.Performative]
) -> None:
    raw.send(*frames)
    close = await raw.expect(codec.Close)
    assert close.error is not None
    assert close.error.condition == "amqp:framing-error"
    assert await raw.ended()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rubbish=st.binary(min_size=1, max_size=200))
async def test_no_bytes_from_a_client_keep_others_from_being_served(bus: Bus, rubbish: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bus.service.port)
    writer.write(codec.AMQP_HEADER + rubbish)
    writer.write_eof()
    async with asyncio.timeout(10):
        await reader.read()
    writer.close()
    async with connect(bus.service.port) as raw:
        assert raw.got


async def test_faults_drop_and_refuse_connections_until_told_otherwise(tmp_path: Path) -> None:
    async with serve(tmp_path, TOPOLOGY) as service, aiohttp.ClientSession() as http:
        url = f"{service.counters_url}/faults"
        async with connect(service.port) as raw:
            async with http.post(url, json={"dropConnections": True}) as answer:
                assert answer.status == 200
            assert await raw.ended()
        async with connect(service.port) as raw:
            async with http.post(url, json={"refuse": True}) as answer:
                assert await answer.json() == {"refuse": True}
            assert await raw.ended()
        with pytest.raises(ConnectionError):
            async with connect(service.port):
                pass
        async with http.post(url, json={"refuse": False}) as answer:
            assert await answer.json() == {"refuse": False}
        async with connect(service.port) as raw:
            assert raw.got
        async with http.post(url, json={"explode": True}) as answer:
            assert answer.status == 400


async def test_the_sdk_recovers_from_dropped_connections_on_its_own(tmp_path: Path) -> None:
    async with (
        serve(tmp_path, TOPOLOGY) as service,
        ServiceBusClient.from_connection_string(service.connection_string, retry_backoff_factor=0.05) as client,
        client.get_queue_sender("plain") as sending,
    ):
        await sending.send_messages(ServiceBusMessage(b"1"))
        service.server.drop_connections()
        await sending.send_messages(ServiceBusMessage(b"2"))
        assert len(service.server.broker.find("plain").messages) == 2


async def test_nothing_is_acknowledged_that_could_not_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_storage: Storage) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with serve(tmp_path, TOPOLOGY) as service:
        async with connect(service.port) as raw:
            await raw.put_token(signed(service, ""), "sb://127.0.0.1/")
            raw.send(sender("send", 1, "plain"))
            await raw.expect(codec.Flow, lambda flow: flow.handle == 1)
            monkeypatch.setattr(Storage, "commit", full)
            raw.send(codec.frame(0, codec.Transfer(1, 1, b"t", 0, False), message()))
            assert await raw.ended()
            assert not [one for one in raw.all(codec.Disposition) if one.first == 1]
        with pytest.raises(ConnectionError):
            async with connect(service.port):
                pass
        monkeypatch.undo()
    async with serve(tmp_path, TOPOLOGY) as service:
        assert not service.server.broker.find("plain").messages


async def test_the_counters_tell_operations_per_queue_and_what_they_cost(bus: Bus) -> None:
    async def counted() -> dict[str, Any]:
        async with aiohttp.ClientSession() as http, http.get(bus.service.counters_url) as answer:
            told: dict[str, Any] = await answer.json()
            return told

    before = (await counted())["operations"].get("lanes-kept", {})
    await (await bus.sender("lanes-kept")).send_messages(ServiceBusMessage(b"x", session_id="counted"))
    async with bus.lane("lanes-kept", "counted") as receiver:
        await receiver.complete_message((await receiver.receive_messages(1, max_wait_time=5))[0])
    told = await counted()
    for operation in ("sends", "sessionsAccepted", "deliveries", "completes"):
        assert told["operations"]["lanes-kept"][operation] == before.get(operation, 0) + 1
    assert told["cpuSeconds"] > 0
    assert told["rssBytes"] > 1_000_000
