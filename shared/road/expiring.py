"""What nobody has decided about in time expires: a day before its payload is deleted, or when that is gone already.

The payload goes by itself (Cosmos DB's time to live, set when the message was accepted); what is known about the
message stays. Its lane, if it was blocked by it, goes on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages.lifecycle import Step
from shared.messages.returning import Returning
from shared.messages.set_aside import Item, SetAside
from shared.messages.signals import DELIVERIES, SignalLost, Signals
from shared.messages.withdrawing import EXPIRED, Out, TakingOut, Took
from shared.registry.register import Register
from shared.road.keeping import SHORTEST, kept_for

PAGE: Final = 200
MARGIN: Final = timedelta(days=1)
"""It is looked once a day."""


@dataclass(frozen=True, slots=True)
class Expired:
    """What one look came to."""

    looked_at: int = 0
    expired: int = 0


class Expiry:
    """Looks through all that is set aside."""

    def __init__(
        self,
        *,
        set_aside: SetAside,
        taking_out: TakingOut,
        returning: Returning,
        register: Register,
        signals: Signals,
        clock: Clock,
    ) -> None:
        self._set_aside = set_aside
        self._taking_out = taking_out
        self._returning = returning
        self._register = register
        self._signals = signals
        self._clock = clock

    async def look(self) -> Expired:
        """Let expire what is over. Raises Unreachable; what is not looked at then is looked at the next time."""
        looked_at, expired = 0, 0
        for events in (False, True):
            since: datetime | None = None
            while page := await self._set_aside.everything(since, PAGE, events=events):
                for each in page:
                    looked_at += 1
                    expired += await self._is_over(each) and await self._expire(each)
                # A page that is all of one moment would be found for ever.
                since = max(page[-1].at, page[0].at + timedelta(microseconds=1))
                if len(page) < PAGE:
                    break
        return Expired(looked_at, expired)

    async def _is_over(self, item: Item) -> bool:
        now = self._clock()
        if now < item.received_at + SHORTEST - MARGIN:
            return False
        municipality = await self._register.municipality(item.orgnr)
        if now >= item.received_at + kept_for(municipality) - MARGIN:
            return True
        # How long it was to be kept was said when it came, and may have been said otherwise since.
        return not await self._returning.with_payload(item.event_lane, [item.event])

    async def _expire(self, item: Item) -> bool:
        out, now = Out(Step.EXPIRE, EXPIRED, {}), self._clock()
        if item.is_event:
            taken = await self._taking_out.event(item.id, item.lane, out, now)
        else:
            taken = await self._taking_out.delivery(item.id, item.lane, out, now, aside_only=True)
        if taken.goes_on is not None:
            queue = DELIVERIES[taken.goes_on]
            try:
                await self._signals.send(queue, item.lane, to=item.key)
            except SignalLost:
                log(LogEvent.SIGNAL_LOST, lane=item.lane, queue=queue)
        if taken.took is not Took.OUT:
            return False
        log(LogEvent.EXPIRED, delivery_id=item.id, orgnr=item.orgnr, receiver=item.receiver or None, code=item.cause)
        return True
