"""Microsoft's own blocking SDK, which is another implementation of the client."""

import asyncio
from datetime import timedelta
from pathlib import Path

from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusSubQueue,
)

from sandbox.servicebus import serve
from sandbox.topology import Queue, Topology

QUEUES = (
    Queue("plain", lock_duration=timedelta(seconds=30)),
    Queue("lanes", requires_session=True, lock_duration=timedelta(seconds=30)),
)


def send_settle_and_bury(client: ServiceBusClient) -> list[str]:
    seen = []
    with client.get_queue_sender("plain") as sender:
        sender.send_messages([ServiceBusMessage(f"{n}", message_id=f"m{n}") for n in range(4)])
    with client.get_queue_receiver("plain") as receiver:
        complete, abandon, defer, bury = receiver.receive_messages(4, max_wait_time=5)
        receiver.complete_message(complete)
        receiver.abandon_message(abandon)
        receiver.defer_message(defer)
        receiver.dead_letter_message(bury, reason="why")
        receiver.renew_message_lock(again := receiver.receive_messages(1, max_wait_time=5)[0])
        seen.append(f"{again.message_id} {again.delivery_count}")
        receiver.complete_message(again)
        assert defer.sequence_number is not None
        [deferred] = receiver.receive_deferred_messages([defer.sequence_number])
        seen.append(str(deferred.message_id))
        receiver.complete_message(deferred)
        seen.append(str(len(receiver.peek_messages(9, sequence_number=1))))
    with client.get_queue_receiver("plain", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver:
        [dead] = receiver.receive_messages(1, max_wait_time=5)
        seen.append(f"{dead.message_id} {dead.dead_letter_reason}")
        receiver.complete_message(dead)
    return seen


def use_a_session(client: ServiceBusClient) -> list[str]:
    with client.get_queue_sender("lanes") as sender:
        sender.send_messages([ServiceBusMessage(f"{n}", session_id="a") for n in range(3)])
    with client.get_queue_receiver("lanes", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=5) as receiver:
        receiver.session.set_state(b"s")
        receiver.session.renew_lock()
        got: list[ServiceBusReceivedMessage] = []
        while len(got) < 3:
            got.extend(receiver.receive_messages(3, max_wait_time=5))
        for message in got:
            receiver.complete_message(message)
        return [str(receiver.session.session_id), bytes(receiver.session.get_state() or b"").decode(), *map(str, got)]


async def test_the_blocking_sdk_sends_settles_and_uses_sessions(tmp_path: Path) -> None:
    async with serve(tmp_path, Topology(QUEUES, "", ())) as service:
        with ServiceBusClient.from_connection_string(service.connection_string, retry_total=0) as client:
            plain, lanes = await asyncio.gather(
                asyncio.to_thread(send_settle_and_bury, client), asyncio.to_thread(use_a_session, client)
            )
    assert plain == ["m1 1", "m2", "0", "m3 why"]
    assert lanes == ["a", "s", "0", "1", "2"]
