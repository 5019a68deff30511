"""One after another: who works on the same thing in the same process.

Service Bus gives a lane (a session) to one worker at a time. When it has to take it away (its connection is lost, the
process stood still for too long) it does not tell the worker, and may give the lane to the same process again, at once
and several times. Who gets it so waits here until the one before is done, and does not call beside it. Between two
processes this is no fence: that is in the line (`shared.messages.deliveries`).
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, what: Hashable) -> AsyncIterator[None]:
        """Wait for one's turn at this; it ends with the block. In the order of asking."""
        lock = self._locks.setdefault(what, asyncio.Lock())
        async with lock:
            yield
