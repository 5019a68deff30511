"""A lost signal (P2): what is stored and known to nobody is found by the orphan check and goes on."""

import hashlib
from datetime import UTC, datetime, timedelta

from sandbox.hub_parts import ORGNR
from sandbox.stores import Stores, open_stores
from shared.messages import lanes
from shared.messages.events import Receipt
from shared.messages.intake import Keeping
from shared.messages.lifecycle import Step
from shared.messages.model import Event
from shared.messages.returning import REPLAYED, Back, Returning
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


async def accept(stores: Stores, event: Event, body: bytes, *receipts: Receipt) -> None:
    """As the hub does, but for the signal."""
    assert await stores.intake.accept(event, body, receipts, Keeping(None, {}, {})) is not None


async def test_a_message_whose_signal_was_lost_is_found_and_delivered(hub: World) -> None:
    body = alarm()
    event = event_of(body, "orphan1")
    receipt = Receipt("epj", lanes.delivery_id(event.id, "epj"), lanes.toward(event.lane, "epj"))
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database, GRACE) as stores:
        await accept(stores, event, body, receipt)
    assert (await hub.arrives(body))["calls"] == 1


async def test_a_message_that_was_put_back_and_whose_signal_was_lost_is_found_routed_and_delivered(hub: World) -> None:
    body = alarm()
    event = event_of(body, "orphan2")
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database, GRACE) as stores:
        await accept(stores, event, body)
        returning = Returning(stores.messages, GRACE)
        back = await returning.events(event.lane, (event.id,), Back(Step.RETURN, REPLAYED, {}), datetime.now(UTC))
        assert back.ids == (event.id,)
    assert (await hub.arrives(body))["calls"] == 1


async def test_doubled_signals_do_no_harm(hub: World) -> None:
    body = alarm()
    location = await hub.accepted(body)
    for _ in range(3):
        await hub.fire("orphan_check")
        assert await hub.accepted(body) == location
    await hub.reaches(location, "delivered")
    assert (await hub.arrives(body))["calls"] == 1
