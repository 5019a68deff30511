"""What the broker counts as Azure would bill it."""

from typing import Any

import aiohttp
from azure.servicebus import ServiceBusMessage

from tests.wire.servicebus.conftest import Bus


async def _billed(bus: Bus, queue: str) -> dict[str, int]:
    async with aiohttp.ClientSession() as http, http.get(bus.service.counters_url) as answer:
        told: dict[str, Any] = await answer.json()
    found: dict[str, int] = told["billed"].get(queue, {})
    return found


async def _more(bus: Bus, queue: str, before: dict[str, int]) -> dict[str, int]:
    after = await _billed(bus, queue)
    return {kind: count - before.get(kind, 0) for kind, count in after.items() if count != before.get(kind, 0)}


async def test_a_message_sent_received_and_completed_is_three_operations(bus: Bus) -> None:
    before = await _billed(bus, "lanes-kept")
    await (await bus.sender("lanes-kept")).send_messages(ServiceBusMessage(b"x", session_id="billed"))
    async with bus.lane("lanes-kept", "billed") as receiver:
        await receiver.complete_message((await receiver.receive_messages(1, max_wait_time=5))[0])
    assert await _more(bus, "lanes-kept", before) == {"sends": 1, "receives": 1, "settlements": 1}


async def test_a_batch_is_billed_for_each_of_its_messages(bus: Bus) -> None:
    before = await _billed(bus, "lanes-kept")
    three = [ServiceBusMessage(b"x", session_id="batch") for _ in range(3)]
    await (await bus.sender("lanes-kept")).send_messages(three)
    assert await _more(bus, "lanes-kept", before) == {"sends": 3}


async def test_a_large_message_is_billed_for_each_64_kb_begun(bus: Bus) -> None:
    before = await _billed(bus, "lanes-kept")
    await (await bus.sender("lanes-kept")).send_messages(ServiceBusMessage(b"x" * 96 * 1024, session_id="large"))
    async with bus.lane("lanes-kept", "large") as receiver:
        await receiver.abandon_message((await receiver.receive_messages(1, max_wait_time=5))[0])
        await receiver.complete_message((await receiver.receive_messages(1, max_wait_time=5))[0])
    assert await _more(bus, "lanes-kept", before) == {"sends": 2, "receives": 4, "settlements": 2}


async def test_a_lock_renewed_and_a_state_asked_for_are_billed(bus: Bus) -> None:
    before = await _billed(bus, "lanes-kept")
    await (await bus.sender("lanes-kept")).send_messages(ServiceBusMessage(b"x", session_id="renewed"))
    async with bus.lane("lanes-kept", "renewed") as receiver:
        message = (await receiver.receive_messages(1, max_wait_time=5))[0]
        await receiver.session.renew_lock()
        await receiver.session.get_state()
        await receiver.complete_message(message)
    wanted = {"sends": 1, "receives": 1, "settlements": 1, "renewals": 1, "requests": 1}
    assert await _more(bus, "lanes-kept", before) == wanted
