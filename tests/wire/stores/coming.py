"""The stores over the real Cosmos SDK, messages for their tests, and how they come in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sandbox.cosmos import serve
from sandbox.topology import load
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.events import EventStore, Receipt
from shared.messages.intake import Intake, Keeping
from shared.messages.lifecycle import Step
from shared.messages.model import Delivery, Event
from shared.messages.partitions import ByLane
from shared.messages.returning import REPLAYED, Back, Returning
from shared.messages.set_aside import SetAside
from shared.messages.urgency import Urgency
from shared.messages.withdrawing import TakingOut
from shared.messages.worklist import Joined

T0: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
HOUR: Final = timedelta(hours=1)
GRACE: Final = timedelta(seconds=15)
SILENCE: Final = timedelta(seconds=90)
ORGNR: Final = "310000019"
PROMPT, ROUTINE = Urgency.PROMPT, Urgency.ROUTINE
KEEPING: Final = Keeping(None, {}, {})


@dataclass(frozen=True)
class Stores:
    """All that works on the container of messages."""

    cosmos: Cosmos
    messages: ByLane
    intake: Intake
    events: EventStore
    deliveries: DeliveryStore
    set_aside: SetAside
    returning: Returning
    taking_out: TakingOut


def stores_over(cosmos: Cosmos) -> Stores:
    """The stores of a hub."""
    messages = ByLane(LazyContainer(cosmos, "messages"))
    return Stores(
        cosmos,
        messages,
        Intake(messages, GRACE),
        EventStore(messages, GRACE),
        DeliveryStore(messages, GRACE),
        SetAside(messages),
        Returning(messages, GRACE),
        TakingOut(messages, GRACE),
    )


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Cosmos]:
    """A Cosmos endpoint, and the SDK that talks to it."""
    async with serve(folder, load()) as account:
        settings = {"Cosmos": account.connection_string, "Cosmos__database": load().database}
        async with Cosmos(CosmosSettings.model_validate(settings)) as cosmos:
            yield cosmos


def event_of(patient: str, number: int = 0, urgency: Urgency = ROUTINE, at: datetime = T0, orgnr: str = ORGNR) -> Event:
    """A message about a patient."""
    lane = lanes.inbound(orgnr, patient)
    identity = lanes.event_id(
        lane, sender="v", orgnr=orgnr, resource="bundle", business_identifier=None, sha256=f"{number}"
    )
    return Event(
        id=identity, lane=lane, patient=patient, orgnr=orgnr, resource="bundle", resource_type="Bundle", sender="v",
        sha256=f"{number}", size=2, content_type="", correlation_id="c", traceparent="", received_at=at,
        urgency=urgency,
    )  # fmt: skip


def receipts_of(event: Event, *receivers: str) -> tuple[Receipt, ...]:
    """Who gets it."""
    return tuple(
        Receipt(each, lanes.delivery_id(event.id, each), lanes.outbound(event.orgnr, each, event.patient))
        for each in receivers or ("epj",)
    )


def delivery_of(event: Event, receiver: str = "epj", place: int = 0) -> Delivery:
    """Its delivery to a receiver."""
    (receipt,) = receipts_of(event, receiver)
    return Delivery(receipt.delivery, receipt.lane, receiver, 0, event.received_at, event, place)


async def come(stores: Stores, event: Event, *receivers: str) -> tuple[Joined, ...] | None:
    """It is accepted, for these receivers (for one, if none is named)."""
    return await stores.intake.accept(event, b"{}", receipts_of(event, *receivers), KEEPING)


async def come_for_nobody(stores: Stores, event: Event) -> None:
    """It is accepted, and set aside since nobody is there to get it."""
    assert await stores.intake.accept(event, b"{}", (), KEEPING) == ()


async def returned(stores: Stores, *events: Event) -> None:
    """They are accepted with no receiver, and later put back, to be routed."""
    for each in events:
        await come_for_nobody(stores, each)
    for each in events:
        back = Back(Step.RETURN, REPLAYED, {})
        assert (await stores.returning.events(each.lane, [each.id], back, T0)).ids == (each.id,)
