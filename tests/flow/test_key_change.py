"""The pseudonym key is changed while messages are under way: nothing is stored twice, overtaken or lost."""

import base64
import secrets
from pathlib import Path

from sandbox.stores import open_stores
from shared.registry.model import Grant, Municipality, Receiver
from tests.flow.hub import QUICK, World, world
from tests.messages import alarm

ORGNR = "310000051"
NOBODY = "http://127.0.0.1:1/fhir"
"""Where no journal listens."""


def key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


async def test_a_changed_key_neither_doubles_nor_overtakes_a_message(tmp_path: Path) -> None:
    old, new = key(), key()
    waiting, later, done = alarm("60001"), alarm("60001"), alarm("60003")
    async with world(tmp_path, {**QUICK, "Pseudonym__key": old}) as hub:
        delivered = await hub.accepted(done)
        await hub.reaches(delivered, "delivered")
        await deliver_to(hub, NOBODY)
        first = await send(hub, waiting)
        await hub.reaches(first, "waiting")
    async with world(tmp_path, {**QUICK, "Pseudonym__key": new, "Pseudonym__earlierKeys": old}) as hub:
        # The same message is the same, wherever it lies, and one about the same patient waits in the same line.
        assert (await hub.accepted(done)).endswith(delivered.partition("/epj/")[2])
        assert (await send(hub, waiting)).endswith(first.partition("/epj/")[2])
        second = await send(hub, later)
        assert lane(second) == lane(first)
        await deliver_to(hub, f"{hub.hub.addresses.epj}/fhir/{ORGNR}")
        await hub.reaches(second, "delivered")
        order = [each["sha256"] for each in await hub.received()]
        one, two = (await hub.arrives(waiting))["sha256"], (await hub.arrives(later))["sha256"]
        assert order.index(one) < order.index(two)
        assert (await hub.arrives(done))["calls"] == 1
        # The line has run empty: the patient moves over to the new key.
        moved = await send(hub, alarm("60001"))
        assert lane(moved) != lane(first)
        await hub.reaches(moved, "delivered")


async def deliver_to(hub: World, url: str) -> None:
    """Register a municipality of this test's own, whose journal is there."""
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as stores:
        municipality = Municipality(ORGNR, "Tangen (syntetisk)", (Receiver("epj", url),))
        await stores.registry.put(municipality.document(), ORGNR)
        await stores.registry.put(Grant(ORGNR, "trygghetsvakt-test").document(), ORGNR)


async def send(hub: World, body: bytes) -> str:
    """Accepted for that municipality: the Location."""
    answer = await hub.vendor.send(ORGNR, "bundle", body)
    assert answer.status == 202, answer.issues
    assert answer.location is not None
    return answer.location


def lane(location: str) -> str:
    """The lane that a message's id begins with."""
    return location.split("/")[-2].partition(".")[0]
