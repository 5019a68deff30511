"""The hub's own stores over the sandbox's Cosmos endpoint, for commands that look in from outside."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.clock import utc_now
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Document
from shared.messages.events import EventStore
from shared.messages.intake import Intake
from shared.messages.partitions import ByLane
from shared.messages.worklist import GRACE
from shared.registry.changes import change
from shared.registry.entries import Entry, entry_of, partition
from shared.registry.keeping import Registry
from shared.registry.model import Grant, Municipality, Receiver, System
from shared.trail import timeline as trail


@dataclass(frozen=True, slots=True)
class Stores:
    """What there is to look into."""

    messages: ByLane
    intake: Intake
    events: EventStore
    deliveries: DeliveryStore
    registry: LazyContainer
    refusals: LazyContainer


@asynccontextmanager
async def open_stores(connection_string: str, database: str, grace: timedelta = GRACE) -> AsyncIterator[Stores]:
    """The stores of a running hub. `grace`: how long a signal has for what is stored from here."""
    settings = CosmosSettings.model_validate({"Cosmos": connection_string, "Cosmos__database": database})
    async with Cosmos(settings) as cosmos:
        messages = ByLane(LazyContainer(cosmos, "messages"))
        yield Stores(
            messages=messages,
            intake=Intake(messages, grace),
            events=EventStore(messages, grace),
            deliveries=DeliveryStore(messages, grace),
            registry=LazyContainer(cosmos, "registry"),
            refusals=LazyContainer(cosmos, "refusals"),
        )


async def timeline(connection_string: str, database: str, event_id: str) -> tuple[trail.Entry, ...]:
    """A message's stations, in order; none when there is no such message. Raises Unreachable."""
    async with open_stores(connection_string, database) as stores:
        return await trail.timeline(stores.events, stores.deliveries, event_id)


async def seed(connection_string: str, database: str, municipality: Municipality, vkp_ids: Iterable[str]) -> None:
    """Put a municipality into the register, and let these systems send to it, as any change of the register is made.

    Doing it again only moves its receivers to where they are now: what has been changed since stays changed.
    """
    grants = (
        (System(vkp_id), Grant(municipality.orgnr, vkp_id, approved_by="the sandbox")) for vkp_id in sorted(vkp_ids)
    )
    async with open_stores(connection_string, database) as stores:
        registry = Registry(stores.registry)
        for entry in (municipality, *(each for pair in grants for each in pair)):
            current = await registry.read(partition(entry), entry.document()["id"])
            made = change(current, _wanted(entry, current), "code:hub up", "the sandbox is started", utc_now())
            if made is not None:
                await registry.write(made)


def _wanted(entry: Entry, current: Document | None) -> Entry | None:
    if current is None:
        return entry
    there = entry_of(current)
    if not isinstance(entry, Municipality) or not isinstance(there, Municipality):
        return there
    moved = {each.id: each.url for each in entry.receivers}
    return replace(there, receivers=tuple(replace(each, url=moved.get(each.id, each.url)) for each in there.receivers))


def one_receiver(orgnr: str, name: str, url: str) -> Municipality:
    """A municipality with one EPJ."""
    return Municipality(orgnr, name, (Receiver("epj", url),))
