"""A message's timeline: every station it has passed, in order, from its event and its deliveries."""

from dataclasses import dataclass
from datetime import datetime

from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.events import EventStore, receipts_from
from shared.messages.model import stations_from


@dataclass(frozen=True, slots=True)
class Entry:
    """One station. `at` is UTC, `where` is `hub` or the receiver's id, `detail` a code or empty."""

    at: datetime
    station: str
    where: str
    detail: str


async def timeline(events: EventStore, deliveries: DeliveryStore, event_id: str) -> tuple[Entry, ...]:
    """The stations of an event; none when there is no such event. Raises Unreachable."""
    lane = lanes.lane_of(event_id)
    event = await events.find(event_id, lane) if lane else None
    if event is None:
        return ()
    entries = [Entry(each.at, each.state.value, "hub", each.detail) for each in stations_from(event)]
    for receipt in receipts_from(event):
        delivery = await deliveries.find(receipt.delivery, receipt.lane)
        if delivery is not None:
            # Its first station is the event's routing again.
            entries += [
                Entry(each.at, each.state.value, receipt.receiver, each.detail) for each in stations_from(delivery)[1:]
            ]
    return tuple(sorted(entries, key=lambda entry: entry.at))
