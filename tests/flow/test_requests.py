"""What a message asks of the queues and the database, over the real SDKs: counted, so that no request comes unseen.

The road asks for as little as it can: what a request costs is paid for with every message, in money and in time.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import count
from typing import Any, Final

import pytest

from sandbox.hub_parts import GRANTED, ORGNR
from sandbox.stores import open_stores, seed
from shared.messages import lanes
from shared.messages.urgency import Urgency
from shared.registry.model import Municipality, Receiver
from tests.flow.hub import QUICK, World, until, world
from tests.messages import alarm_json

NEVER: Final = "0 0 0 1 1 *"
TIMERS: Final = ("OrphanCheck", "Trail", "Checkpoint", "Reconcile", "Waking", "Watch", "Notices", "Numbers", "Replay")
SETTINGS: Final = {
    **QUICK,
    # Nobody asks for anything but on a message's account, and the register is asked once.
    **{f"{each}Schedule": NEVER for each in TIMERS},
    "Registry__cache": "3600",
}
TWO: Final = "310000027"
"""A municipality with two receivers."""
SEVERITIES: Final = {Urgency.PROMPT: "high", Urgency.ROUTINE: "low"}
QUEUES: Final = {Urgency.PROMPT: "deliveries-prompt", Urgency.ROUTINE: "deliveries"}

_patients = count(49_000)

type Counts = Counter[tuple[str, str]]


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A hub that is warm, with a second municipality."""
    async with world(tmp_path_factory.mktemp("requests"), SETTINGS) as running:
        addresses = running.hub.addresses
        receivers = tuple(Receiver(each, f"{addresses.epj}/fhir/{TWO}/{each}") for each in ("one", "two"))
        await seed(addresses.cosmos, addresses.database, Municipality(TWO, "Nabo (syntetisk)", receivers), GRANTED)
        for orgnr in (ORGNR, TWO):
            for urgency in Urgency:
                await carried(running, [message(urgency, str(next(_patients)))], urgency, orgnr)
        yield running


def message(urgency: Urgency, patient: str) -> bytes:
    """A new event about a patient."""
    found: dict[str, Any] = alarm_json(patient)
    found["entry"][1]["resource"]["severity"] = SEVERITIES[urgency]
    return json.dumps(found).encode()


async def counted(hub: World) -> Counts:
    """All that was asked of the queues and the database so far, by queue or container and by kind."""
    found: Counts = Counter()
    async with hub.http.get(f"http://127.0.0.1:{hub.hub.ports['cosmos']}/_sandbox/counters") as answer:
        charges = (await answer.json())["charges"]
    async with hub.http.get(f"{hub.hub.addresses.servicebus_counters}/counters") as answer:
        billed = (await answer.json())["billed"]
    found.update(
        {(name, kind): booked["requests"] for name, kinds in charges.items() for kind, booked in kinds.items()}
    )
    found.update({(name, kind): billed for name, kinds in billed.items() for kind, billed in kinds.items()})
    # How a receiver fares is looked at every few seconds, however many messages there are.
    return Counter({key: each for key, each in found.items() if key[0] != "knutepunkt/operations"})


async def carried(hub: World, bodies: Sequence[bytes], urgency: Urgency, orgnr: str = ORGNR) -> Counts:
    """Send these, each when the one before has arrived: what they asked for."""
    before = await counted(hub)
    settled = (QUEUES[urgency], "settlements")
    receivers = 2 if orgnr == TWO else 1
    for number, body in enumerate(bodies, start=1):
        answer = await hub.vendor.send(orgnr, "bundle", body)
        assert answer.status == 202, answer.issues

        async def done(wanted: int = number * receivers) -> bool:
            # The signal is settled last of all.
            return (await counted(hub))[settled] - before[settled] >= wanted

        await until(done, "the message to be done with")
    return await counted(hub) - before


@pytest.mark.parametrize("urgency", Urgency)
async def test_a_message_for_one_receiver_is_one_signal_and_three_requests(hub: World, urgency: Urgency) -> None:
    patient = str(next(_patients))
    await carried(hub, [message(urgency, patient)], urgency)
    bodies = [message(urgency, patient) for _ in range(3)]
    asked = await carried(hub, bodies, urgency)
    queue, messages = QUEUES[urgency], "knutepunkt/messages"
    assert asked == {
        # Accepted and routed; fetched, the line with the bytes; delivered.
        (messages, "batch"): 3 * 3,
        (queue, "sends"): 3, (queue, "receives"): 3, (queue, "settlements"): 3,
    }  # fmt: skip
    assert [each["calls"] for each in [await hub.arrives(body) for body in bodies]] == [1, 1, 1]


async def test_the_first_message_about_a_patient_is_one_batch_more(hub: World) -> None:
    # Its line is not there yet: that shows when it is to be changed.
    asked = await carried(hub, [message(Urgency.PROMPT, str(next(_patients)))], Urgency.PROMPT)
    assert asked["knutepunkt/messages", "batch"] == 1 + 3
    assert sum(asked.values()) == 1 + 3 + 3


async def test_with_two_receivers_each_gets_it_once_and_it_is_accepted_in_one_batch(hub: World) -> None:
    patient = str(next(_patients))
    await carried(hub, [message(Urgency.PROMPT, patient)], Urgency.PROMPT, TWO)
    body = message(Urgency.PROMPT, patient)
    asked = await carried(hub, [body], Urgency.PROMPT, TWO)
    queue, messages = QUEUES[Urgency.PROMPT], "knutepunkt/messages"
    assert asked == {
        (messages, "batch"): 1 + 2 * 2,
        (queue, "sends"): 2, (queue, "receives"): 2, (queue, "settlements"): 2,
    }  # fmt: skip
    sha256 = (await hub.arrives(body))["sha256"]
    got = [each for each in await hub.received() if each["sha256"] == sha256]
    assert sorted((each["path"], each["calls"]) for each in got) == [
        (f"/fhir/{TWO}/one", 1), (f"/fhir/{TWO}/two", 1),
    ]  # fmt: skip
    assert len({each["idempotencyKey"] for each in got}) == 2


async def test_a_message_sent_again_is_looked_for_once_and_handed_over_never(hub: World) -> None:
    body = message(Urgency.PROMPT, str(next(_patients)))
    await carried(hub, [body], Urgency.PROMPT)
    asked = await carried(hub, [body], Urgency.PROMPT)
    # Signalled again, should the first signal have been lost; its worker finds an empty line.
    assert asked["knutepunkt/messages", "batch"] == 1 + 1
    assert (await hub.arrives(body))["calls"] == 1


async def test_all_that_is_kept_of_a_message_is_one_partition(hub: World) -> None:
    location = await hub.accepted(message(Urgency.PROMPT, str(next(_patients))))
    await hub.reaches(location, "delivered")
    event = location.split("/")[-2]
    lane = lanes.lane_of(event)
    assert lane is not None
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        found = await stores.messages.query("SELECT c.id FROM c WHERE c.partition = @p", {"@p": lane}, 10)
    assert {each["id"] for each in found} == {event, f"{event}.payload", f"{event}.epj", "lane.epj"}
