"""The hub's own stores over the sandbox's Cosmos endpoint, for commands that look in from outside."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.messages.deliveries import DeliveryStore
from shared.messages.events import EventStore
from shared.messages.worklist import GRACE
from shared.registry.model import Grant, Municipality, Receiver
from shared.trail import timeline as trail


@dataclass(frozen=True, slots=True)
class Stores:
    """What there is to look into."""

    events: EventStore
    deliveries: DeliveryStore
    registry: LazyContainer
    trail: LazyContainer


@asynccontextmanager
async def open_stores(connection_string: str, database: str, grace: timedelta = GRACE) -> AsyncIterator[Stores]:
    """The stores of a running hub. `grace`: how long a signal has for what is stored from here."""
    settings = CosmosSettings.model_validate({"Cosmos": connection_string, "Cosmos__database": database})
    async with Cosmos(settings) as cosmos:
        yield Stores(
            events=EventStore(LazyContainer(cosmos, "events"), grace),
            deliveries=DeliveryStore(LazyContainer(cosmos, "deliveries"), grace),
            registry=LazyContainer(cosmos, "registry"),
            trail=LazyContainer(cosmos, "trail"),
        )


async def timeline(connection_string: str, database: str, event_id: str) -> tuple[trail.Entry, ...]:
    """A message's stations, in order; none when there is no such message. Raises Unreachable."""
    async with open_stores(connection_string, database) as stores:
        return await trail.timeline(stores.events, stores.deliveries, event_id)


async def seed(connection_string: str, database: str, municipality: Municipality, vkp_ids: Iterable[str]) -> None:
    """Put a municipality into the register, and let these systems send to it. Doing it again changes nothing."""
    async with open_stores(connection_string, database) as stores:
        await stores.registry.put(municipality.document(), municipality.orgnr)
        for vkp_id in vkp_ids:
            await stores.registry.put(Grant(municipality.orgnr, vkp_id).document(), municipality.orgnr)


def one_receiver(orgnr: str, name: str, url: str) -> Municipality:
    """A municipality with one EPJ."""
    return Municipality(orgnr, name, (Receiver("epj", url),))
