"""Messages on their road, without the road."""

from datetime import datetime, timedelta

from sandbox.stores import Stores
from shared.messages import lanes
from shared.messages.events import Receipt
from shared.messages.intake import Keeping
from shared.messages.lifecycle import Step
from shared.messages.model import Delivery, Event
from shared.messages.tries import Outcome, Try
from shared.messages.urgency import Urgency

SILENCE = timedelta(seconds=90)


def event_of(orgnr: str, number: int, at: datetime, patient: str = "") -> Event:
    """An accepted event."""
    who = patient or f"p{orgnr}x{number}"
    lane = lanes.inbound(orgnr, who)
    identity = lanes.event_id(
        lane, sender="v", orgnr=orgnr, resource="bundle", business_identifier=None, sha256=f"{number}"
    )
    return Event(
        id=identity, lane=lane, patient=who, orgnr=orgnr, resource="bundle", resource_type="Bundle",
        sender="trygghetsvakt-test", sha256="ab" * 32, size=2, content_type="", correlation_id="c-1",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", received_at=at, kind="fall",
    )  # fmt: skip


async def accept(stores: Stores, event: Event, *receivers: str) -> None:
    """Taken in for these receivers; for none it is set aside."""
    receipts = [Receipt(each, lanes.delivery_id(event.id, each), lanes.toward(event.lane, each)) for each in receivers]
    assert await stores.intake.accept(event, b"{}", receipts, Keeping(None, {}, {})) is not None


async def travel(stores: Stores, event: Event, at: datetime) -> Delivery:
    """Accepted, routed, tried in vain, tried again and delivered."""
    await accept(stores, event, "epj")
    lane = lanes.toward(event.lane, "epj")
    first = await stores.deliveries.begin(lane, Urgency.ROUTINE, at, SILENCE)
    assert isinstance(first, Try)
    await stores.deliveries.wait(first, Outcome(at, "REC_HTTP_503"), at, None)
    again = await stores.deliveries.begin(lane, Urgency.ROUTINE, at, SILENCE)
    assert isinstance(again, Try)
    await stores.deliveries.end(again, Step.DELIVER, Outcome(at))
    return again.delivery
