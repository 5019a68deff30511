"""Sessions, as Microsoft's own asynchronous SDK meets them."""

import asyncio
from datetime import UTC, datetime

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage
from azure.servicebus.exceptions import (
    OperationTimeoutError,
    ServiceBusError,
    SessionCannotBeLockedError,
    SessionLockLostError,
)

from tests.wire.servicebus.conftest import Bus, until


async def put(bus: Bus, queue: str, *messages: tuple[str, str]) -> None:
    sender = await bus.sender(queue)
    await sender.send_messages([ServiceBusMessage(body, session_id=session) for session, body in messages])


async def test_a_session_by_id_hands_out_its_own_messages_in_order(bus: Bus) -> None:
    await put(bus, "lanes", ("a", "1"), ("b", "1"), ("a", "2"), ("a", "3"))
    async with bus.lane("lanes", "a") as receiver:
        got = await receiver.receive_messages(10, max_wait_time=2)
        assert [(message.session_id, str(message)) for message in got] == [("a", "1"), ("a", "2"), ("a", "3")]
        await receiver.defer_message(got[0])
        await receiver.dead_letter_message(got[1], reason="r")
        await receiver.abandon_message(got[2])
        [again] = await receiver.receive_messages(1, max_wait_time=5)
        assert (str(again), again.delivery_count) == ("3", 1)
        await receiver.complete_message(again)
        number = got[0].sequence_number
        assert number is not None
        [deferred] = await receiver.receive_deferred_messages(number)
        await receiver.complete_message(deferred)
        assert await receiver.peek_messages(5) == []
    async with bus.lane("lanes", "b") as other:
        assert [str(message) for message in await other.peek_messages(5)] == ["1"]


async def test_a_message_without_a_session_is_refused_with_its_whole_batch(bus: Bus) -> None:
    sender = await bus.sender("lanes-busy")
    with pytest.raises(ServiceBusError):
        await sender.send_messages([ServiceBusMessage("1", session_id="s"), ServiceBusMessage("2")])
    assert not list((bus.service.server.broker.find("lanes-busy")).browse(0, None))


async def test_a_session_has_one_receiver_at_a_time(bus: Bus) -> None:
    async with bus.lane("lanes-busy", "s"):
        with pytest.raises(SessionCannotBeLockedError):
            await bus.client.get_queue_receiver("lanes-busy", session_id="s").__aenter__()
    async with bus.lane("lanes-busy", "s") as second:
        assert second.session.session_id == "s"


async def test_the_next_session_is_the_one_that_has_waited_longest(bus: Bus) -> None:
    await put(bus, "lanes-next", ("one", "1"), ("two", "1"), ("one", "2"))
    async with bus.lane("lanes-next") as first, bus.lane("lanes-next") as second:
        assert [first.session.session_id, second.session.session_id] == ["one", "two"]
        waiting = asyncio.ensure_future(
            bus.client.get_queue_receiver("lanes-next", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=5).__aenter__()
        )
        await put(bus, "lanes-next", ("three", "1"))
        third = await waiting
        assert third.session.session_id == "three"
        for receiver, count in ((first, 2), (second, 1), (third, 1)):
            for message in await receiver.receive_messages(count, max_wait_time=5):
                await receiver.complete_message(message)
        await third.close()


async def test_waiting_for_a_session_ends_when_the_time_is_out(bus: Bus) -> None:
    receiver = bus.client.get_queue_receiver("lanes-next", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=20)
    waiting = asyncio.ensure_future(receiver.__aenter__())
    queue = bus.service.server.broker.find("lanes-next")
    assert queue.sessions is not None
    sessions = queue.sessions
    await until(lambda: sessions.waiting == 1)
    bus.later(21)
    with pytest.raises(OperationTimeoutError):
        await waiting


async def test_a_sessions_state_is_kept_when_its_receiver_is_gone(bus: Bus) -> None:
    async with bus.lane("lanes-kept", "s") as receiver:
        assert await receiver.session.get_state() is None
        await receiver.session.set_state(b"here")
    async with bus.lane("lanes-kept", "s") as receiver:
        assert await receiver.session.get_state() == b"here"
        await receiver.session.set_state(None)
        assert await receiver.session.get_state() is None


async def test_a_renewed_session_lock_holds_and_a_lost_one_cannot_settle(bus: Bus) -> None:
    await put(bus, "lanes-lost", ("s", "1"))
    async with bus.lane("lanes-lost", "s") as receiver:
        [got] = await receiver.receive_messages(1, max_wait_time=5)
        bus.later(29)
        until = await receiver.session.renew_lock()
        assert until == datetime.fromtimestamp(bus.clock.now() / 1000 + 30, UTC)
        bus.later(29)
        assert await receiver.session.get_state() is None
        bus.later(2)
        with pytest.raises(SessionLockLostError):
            await receiver.session.get_state()
        with pytest.raises(SessionLockLostError):
            await receiver.complete_message(got)
    async with bus.lane("lanes-lost", "s") as receiver:
        [again] = await receiver.receive_messages(1, max_wait_time=5)
        assert again.delivery_count == 1
        await receiver.complete_message(again)


async def test_letting_a_session_go_does_not_count_as_a_delivery(bus: Bus) -> None:
    await put(bus, "lanes-lost", ("t", "1"))
    for _ in range(2):
        async with bus.lane("lanes-lost", "t") as receiver:
            [got] = await receiver.receive_messages(1, max_wait_time=5)
            assert got.delivery_count == 0


async def test_a_queue_with_sessions_refuses_a_receiver_without_one(bus: Bus) -> None:
    with pytest.raises(ServiceBusError):
        await bus.client.get_queue_receiver("lanes-list").__aenter__()
    with pytest.raises(ServiceBusError):
        await bus.client.get_queue_receiver("plain", session_id="s").__aenter__()
