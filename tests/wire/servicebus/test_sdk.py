"""What Microsoft's own asynchronous SDK is promised, over the wire."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusReceiveMode, ServiceBusSubQueue
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    ServiceBusError,
)

from tests.wire.servicebus.conftest import Bus

DELETE = ServiceBusReceiveMode.RECEIVE_AND_DELETE
DEAD = ServiceBusSubQueue.DEAD_LETTER


async def put(bus: Bus, queue: str, body: bytes = b"x", **options: Any) -> ServiceBusMessage:
    message = ServiceBusMessage(body, **options)
    await (await bus.sender(queue)).send_messages(message)
    return message


def in_the_future(message: Any) -> Any:
    """Make the SDK believe that the lock is held: it looks at its own clock before it asks the broker."""
    message._expiry = datetime.now(UTC) + timedelta(hours=9)
    return message


async def test_every_property_arrives_as_it_was_sent(bus: Bus) -> None:
    identity = uuid.uuid4()
    await put(
        bus,
        "kinds",
        b"\x00body\xff",
        message_id="m1",
        correlation_id="c1",
        subject="s",
        to="t",
        reply_to="r",
        reply_to_session_id="rs",
        content_type="application/fhir+json",
        time_to_live=timedelta(hours=3),
        application_properties={"text": "æøå", "int": 7, "uuid": identity, "float": 1.5, "bool": True, "bytes": b"z"},
    )
    [got] = await bus.receive("kinds")
    assert bytes(next(iter(got.body))) == b"\x00body\xff"
    assert (got.message_id, got.correlation_id, got.subject, got.to) == ("m1", "c1", "s", "t")
    assert (got.reply_to, got.reply_to_session_id, got.content_type) == ("r", "rs", "application/fhir+json")
    assert got.time_to_live == timedelta(hours=3)
    assert got.application_properties == {
        b"text": "æøå".encode(), b"int": 7, b"uuid": identity, b"float": 1.5, b"bool": True, b"bytes": b"z",
    }  # fmt: skip
    assert got.delivery_count == 0
    assert got.sequence_number == got.enqueued_sequence_number == 1
    assert got.enqueued_time_utc == datetime.fromtimestamp(bus.clock.now() / 1000, UTC)
    assert got.locked_until_utc == got.enqueued_time_utc + timedelta(seconds=30)
    await (await bus.receiver("kinds")).complete_message(got)


async def test_bodies_of_other_kinds_than_bytes_are_kept(bus: Bus) -> None:
    sender = await bus.sender("kinds")
    await sender.send_messages(AmqpAnnotatedMessage(value_body={b"a": [1, None]}))
    await sender.send_messages(AmqpAnnotatedMessage(sequence_body=[[1, b"two"], [3]]))
    value, sequence = await bus.receive("kinds", 2, receive_mode=DELETE)
    assert value.body_type == AmqpMessageBodyType.VALUE
    assert value.body == {b"a": [1, None]}
    assert list(sequence.body) == [[1, b"two"], [3]]


async def test_a_batch_arrives_in_order(bus: Bus) -> None:
    sender = await bus.sender("batch")
    batch = await sender.create_message_batch()
    for number in range(300):
        batch.add_message(ServiceBusMessage(str(number)))
    await sender.send_messages(batch)
    got = await bus.receive("batch", 300, receive_mode=DELETE, prefetch_count=300)
    assert [str(message) for message in got] == [str(number) for number in range(300)]


async def test_a_large_message_arrives_whole_and_a_larger_one_is_refused(bus: Bus) -> None:
    body = bytes(range(256)) * 900
    await put(bus, "batch", body)
    [got] = await bus.receive("batch", receive_mode=DELETE, prefetch_count=300)
    assert b"".join(got.body) == body
    with pytest.raises(MessageSizeExceededError):
        await put(bus, "batch", b"x" * 300_000)


async def test_an_unknown_queue_is_not_found(bus: Bus) -> None:
    with pytest.raises(MessagingEntityNotFoundError):
        await bus.client.get_queue_sender("nowhere").send_messages(ServiceBusMessage(b""))


async def test_an_abandoned_message_comes_back_first_with_a_higher_count(bus: Bus) -> None:
    receiver = await bus.receiver("settle")
    await put(bus, "settle", b"1")
    await put(bus, "settle", b"2")
    for count in (0, 1):
        [got] = await bus.receive("settle")
        assert (str(got), got.delivery_count) == ("1", count)
        await receiver.abandon_message(got)
    for got in await bus.receive("settle", 2):
        await receiver.complete_message(got)
    assert await bus.nothing("settle")


async def test_a_message_is_dead_lettered_after_its_last_attempt(bus: Bus) -> None:
    receiver = await bus.receiver("limit")
    await put(bus, "limit", b"poison", message_id="p")
    for _ in range(3):
        await receiver.abandon_message((await bus.receive("limit"))[0])
    [dead] = await bus.receive("limit", sub_queue=DEAD)
    assert dead.message_id == "p"
    assert dead.dead_letter_reason == "MaxDeliveryCountExceeded"
    assert dead.delivery_count == 3
    await (await bus.receiver("limit", sub_queue=DEAD)).complete_message(dead)
    assert await bus.nothing("limit")


async def test_a_receiver_can_dead_letter_with_its_reasons(bus: Bus) -> None:
    await put(bus, "dead", b"x", application_properties={"mine": 1})
    [got] = await bus.receive("dead")
    await (await bus.receiver("dead")).dead_letter_message(got, reason="because", error_description="it is so")
    [dead] = await bus.receive("dead", sub_queue=DEAD)
    assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("because", "it is so")
    assert dead.application_properties is not None
    assert dead.application_properties[b"mine"] == 1
    graveyard = await bus.receiver("dead", sub_queue=DEAD)
    with pytest.raises(ServiceBusError):
        await graveyard.dead_letter_message(dead)
    bus.later(31)


async def test_a_lost_lock_cannot_settle_and_counts_as_a_delivery(bus: Bus) -> None:
    receiver = await bus.receiver("lost")
    await put(bus, "lost")
    [got] = await bus.receive("lost")
    bus.later(29)
    await receiver.renew_message_lock(got)
    bus.later(29)
    assert await bus.nothing("lost")
    bus.later(2)
    with pytest.raises(MessageLockLostError):
        await receiver.complete_message(in_the_future(got))
    [again] = await bus.receive("lost")
    assert again.delivery_count == 1
    await receiver.complete_message(again)


async def test_a_message_can_be_scheduled_both_ways_and_cancelled_once(bus: Bus) -> None:
    sender, receiver = await bus.sender("later"), await bus.receiver("later", receive_mode=DELETE)
    start = datetime.fromtimestamp(bus.clock.now() / 1000, UTC)
    soon, later = start + timedelta(seconds=10), start + timedelta(seconds=20)
    by_property = ServiceBusMessage(b"property", scheduled_enqueue_time_utc=soon)
    await sender.send_messages(by_property)
    [kept, cancelled] = await sender.schedule_messages([ServiceBusMessage(b"kept"), ServiceBusMessage(b"gone")], later)
    assert await bus.nothing("later", receive_mode=DELETE)
    peeked = await receiver.peek_messages(5)
    assert [message.state.name for message in peeked] == ["SCHEDULED"] * 3
    await sender.cancel_scheduled_messages(cancelled)
    with pytest.raises(MessageNotFoundError):
        await sender.cancel_scheduled_messages(cancelled)
    bus.later(10)
    [first] = await bus.receive("later", receive_mode=DELETE)
    assert str(first) == "property"
    assert first.enqueued_time_utc == soon
    bus.later(10)
    [second] = await bus.receive("later", receive_mode=DELETE)
    assert (str(second), second.sequence_number) == ("kept", kept)
    assert await bus.nothing("later", receive_mode=DELETE)


async def test_a_deferred_message_is_fetched_by_its_number_only(bus: Bus) -> None:
    receiver = await bus.receiver("aside")
    await put(bus, "aside", b"wait")
    [got] = await bus.receive("aside")
    await receiver.defer_message(got)
    assert await bus.nothing("aside")
    number = got.sequence_number
    assert number is not None
    [fetched] = await receiver.receive_deferred_messages(number)
    assert (str(fetched), fetched.delivery_count) == ("wait", 1)
    await receiver.renew_message_lock(fetched)
    await receiver.abandon_message(fetched)
    [again] = await receiver.receive_deferred_messages([number])
    await receiver.complete_message(again)
    with pytest.raises(MessageNotFoundError):
        await receiver.receive_deferred_messages(number)


async def test_peeking_changes_nothing_and_sees_every_state(bus: Bus) -> None:
    receiver = await bus.receiver("peeked")
    for number in range(3):
        await put(bus, "peeked", str(number).encode())
    [locked] = await bus.receive("peeked")
    seen = await receiver.peek_messages(10, sequence_number=1)
    assert [str(message) for message in seen] == ["0", "1", "2"]
    second = seen[1].sequence_number
    assert second is not None
    assert [str(m) for m in await receiver.peek_messages(1, sequence_number=second)] == ["1"]
    await receiver.complete_message(locked)
    assert [str(message) for message in await receiver.peek_messages(10, sequence_number=1)] == ["1", "2"]
    assert await bus.receive("peeked", 2, receive_mode=DELETE)
    assert await receiver.peek_messages(10, sequence_number=1) == []


async def test_same_message_id_within_window_is_stored_once(bus: Bus) -> None:
    for body in (b"first", b"second"):
        await put(bus, "once", body, message_id="same")
    bus.later(61)
    await put(bus, "once", b"third", message_id="same")
    got = await bus.receive("once", 2, receive_mode=DELETE)
    assert [str(message) for message in got] == ["first", "third"]
    assert await bus.nothing("once", receive_mode=DELETE)


async def test_a_message_that_outlives_its_time_is_dead_lettered(bus: Bus) -> None:
    await put(bus, "brief", b"queue's")
    await put(bus, "brief", b"own", time_to_live=timedelta(seconds=30))
    bus.later(31)
    [own] = await bus.receive("brief", sub_queue=DEAD, receive_mode=DELETE)
    assert (str(own), own.dead_letter_reason) == ("own", "TTLExpiredException")
    bus.later(90)
    [queues] = await bus.receive("brief", sub_queue=DEAD, receive_mode=DELETE)
    assert str(queues) == "queue's"
    assert queues.time_to_live == timedelta(minutes=2)


async def test_what_was_prefetched_goes_back_uncounted_when_the_receiver_closes(bus: Bus) -> None:
    for _ in range(5):
        await put(bus, "other")
    async with bus.client.get_queue_receiver("other", prefetch_count=5) as prefetching:
        [taken] = await prefetching.receive_messages(1, max_wait_time=5)
        await prefetching.complete_message(taken)
    left = await bus.receive("other", 4)
    assert [message.delivery_count for message in left] == [0] * 4
    for message in left:
        await (await bus.receiver("other")).complete_message(message)


async def test_a_message_without_an_id_is_given_one(bus: Bus) -> None:
    sender = await bus.sender("plain")
    await sender.send_messages(AmqpAnnotatedMessage(data_body=[b"x"]))
    [got] = await bus.receive("plain", receive_mode=DELETE)
    assert got.message_id
