"""A lost signal (P2): what is stored and known to nobody is found by the orphan check and goes on."""

import hashlib
from datetime import UTC, datetime, timedelta

from sandbox.hub_parts import ORGNR
from sandbox.stores import Stores, open_stores
from shared.messages import lanes
from shared.messages.events import Receipt
from shared.messages.model import Delivery, Event
from tests.flow.hub import World
from tests.messages import alarm

GRACE = timedelta(seconds=0.1)


def event_of(body: bytes, patient: str) -> Event:
    """The event that accepting these bytes would store."""
    sha256 = hashlib.sha256(body).hexdigest()
    lane = lanes.inbound(ORGNR, patient)
    identity = lanes.event_id(
        lane, sender="trygghetsvakt-test", orgnr=ORGNR, resource="bundle", business_identifier=None, sha256=sha256
    )
    return Event(
        id=identity, lane=lane, patient=patient, orgnr=ORGNR, resource="bundle", resource_type="Bundle",
        sender="trygghetsvakt-test", sha256=sha256, size=len(body), content_type="application/fhir+json",
        correlation_id="orphan", traceparent="", received_at=datetime.now(UTC),
    )  # fmt: skip


async def test_an_event_whose_signal_was_lost_is_found_and_delivered(hub: World) -> None:
    body = alarm()
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database, GRACE) as stores:
        assert await stores.events.accept(event_of(body, "orphan1"), body)
    assert (await hub.arrives(body))["calls"] == 1


async def test_a_delivery_whose_signal_was_lost_is_found_and_made(hub: World) -> None:
    body = alarm()
    event = event_of(body, "orphan2")
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database, GRACE) as stores:
        await stores.events.accept(event, body)
        await _route_without_a_signal(stores, event)
    assert (await hub.arrives(body))["calls"] == 1


async def _route_without_a_signal(stores: Stores, event: Event) -> None:
    now = datetime.now(UTC)
    receipt = Receipt("epj", lanes.delivery_id(event.id, "epj"), lanes.outbound(ORGNR, "epj", event.patient))
    await stores.deliveries.create(Delivery(receipt.delivery, receipt.lane, receipt.receiver, 0, now, event))
    await stores.events.routed(event, (receipt,), now)


async def test_doubled_signals_do_no_harm(hub: World) -> None:
    body = alarm()
    location = await hub.accepted(body)
    for _ in range(3):
        await hub.fire("orphan_check")
        assert await hub.accepted(body) == location
    await hub.reaches(location, "delivered")
    assert (await hub.arrives(body))["calls"] == 1
