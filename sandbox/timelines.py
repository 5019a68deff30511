"""Messages' timelines over one open connection, for following a message as it goes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sandbox.journey import Timelines
from sandbox.stores import open_stores
from shared.trail.timeline import Entry, timeline


@asynccontextmanager
async def timelines(connection_string: str, database: str) -> AsyncIterator[Timelines]:
    """Open the hub's documents for reading timelines."""
    async with open_stores(connection_string, database) as stores:

        async def read(event_id: str) -> tuple[Entry, ...]:
            return await timeline(stores.events, stores.deliveries, event_id)

        yield read
