"""When each sender was last heard of at each municipality: so that silence can be noticed.

One small document a sender and municipality, written at most every few minutes: what accepting a message costs must not
grow by a write.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from shared import clock
from shared.messages.documents import Unreachable
from shared.watch.ports import Kept

EVERY: Final = timedelta(minutes=5)
"""How old what is known may be; silence is counted in hours."""
MOST: Final = 20_000
"""Pairs of sender and municipality that are looked through."""
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Pair:
    """A sender at a municipality."""

    sender: str
    """vkp-id."""
    orgnr: str


class Heard:
    """Notes and tells who was heard of. One for a process."""

    def __init__(self, container: Kept, every: timedelta = EVERY) -> None:
        self._container = container
        self._every = every
        self._noted: OrderedDict[Pair, datetime] = OrderedDict()
        self._noting: set[asyncio.Task[None]] = set()

    def hear(self, sender: str, orgnr: str, now: datetime) -> None:
        """As `note`, without waiting for it. Within an event loop."""
        if self._is_known(Pair(sender, orgnr), now):
            return
        task = asyncio.get_running_loop().create_task(self.note(sender, orgnr, now))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    def _is_known(self, pair: Pair, now: datetime) -> bool:
        before = self._noted.get(pair)
        return before is not None and now - before < self._every

    async def close(self) -> None:
        """Wait for what is being noted."""
        await asyncio.gather(*self._noting)

    async def note(self, sender: str, orgnr: str, now: datetime) -> None:
        """A message of this sender's was accepted for this municipality. Never raises for an outage: the next message
        says the same again."""
        pair = Pair(sender, orgnr)
        if self._is_known(pair, now):
            return
        # First: of many that come at once, one writes.
        self._noted[pair] = now
        self._noted.move_to_end(pair)
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        id = ".".join(("heard", quote(sender, safe="").replace("%", "~"), orgnr))
        try:
            await self._container.put(
                {"id": id, "type": "heard", "sender": sender, "orgnr": orgnr, "at": clock.written(now)}, id
            )
        except Unreachable:
            self._noted.pop(pair, None)

    async def all(self) -> Mapping[Pair, datetime]:
        """When each pair was last heard of, to within `every`. Raises Unreachable."""
        found = await self._container.query("SELECT c.sender, c.orgnr, c.at FROM c WHERE c.type = 'heard'", {}, MOST)
        return {Pair(each["sender"], each["orgnr"]): clock.read(each["at"]) for each in found}
