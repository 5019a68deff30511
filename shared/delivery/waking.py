"""Waking the lanes that wait for a receiver, when it takes messages again; and finding out whether it does.

A look is made every few seconds. It goes by what the documents say, so whatever is lost on the way (a signal, this
process) is made good by a later look. Lanes are signalled at a pace, those with prompt messages first, and not faster
than they are worked off. A lane that was tried again and failed again is left to its own schedule.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from shared.clock import Clock
from shared.delivery import rules
from shared.delivery.gate import To
from shared.delivery.gatekeeper import Municipalities
from shared.delivery.rules import Rules
from shared.delivery.standing import Standing, Standings
from shared.log import LogEvent, log
from shared.messages.documents import Document, Unreachable
from shared.messages.lanes import Lane, event_of
from shared.messages.signals import DELIVERIES, SignalLost, Signals, hint
from shared.messages.urgency import Urgency

_PARKED: Final = (
    "SELECT c.lane, c.prompts, c.tries, c.pending[0].id AS head, c.pending[0].size AS size "
    "FROM c WHERE c.type = 'line' AND c.parked = @key"
)
_PROMPT_FIRST: Final = (f"{_PARKED} AND c.prompts > 0 ORDER BY c.due", f"{_PARKED} AND c.prompts = 0 ORDER BY c.due")
_DUE_FIRST: Final = f"{_PARKED} ORDER BY c.due"


class Lanes(Protocol):
    """The container of messages, as far as it is looked into. Both may raise Unreachable."""

    async def query(self, text: str, parameters: dict[str, Any], limit: int) -> Sequence[Document]:
        """The first documents of any partition."""

    def pages(self, text: str, parameters: dict[str, Any]) -> AsyncIterator[Sequence[Document]]:
        """All of them, page by page."""


@dataclass(frozen=True, slots=True)
class Woken:
    """What a look did."""

    lanes: int = 0
    """Signalled because their receiver takes messages again."""
    carriers: int = 0
    """Signalled so that a receiver that does not answer is tried once."""
    finished: tuple[To, ...] = ()
    """Receivers for which nothing waits any more but what failed again."""
    failed: int = 0
    """Receivers that this look could not deal with."""

    def __add__(self, other: "Woken") -> "Woken":
        return Woken(
            self.lanes + other.lanes,
            self.carriers + other.carriers,
            (*self.finished, *other.finished),
            self.failed + other.failed,
        )


@dataclass(frozen=True, slots=True)
class _Sent:
    """A lane that was signalled."""

    tries: int
    """Of its head, at that time: with another number it has been tried since."""
    at: datetime


@dataclass(slots=True)
class _Round:
    """The lanes that were signalled since a receiver came back."""

    since: datetime | None
    sent: dict[str, _Sent] = field(default_factory=dict)


class Waking:
    """Looks after parked lanes. One look at a time (a timer sees to that); several instances only do the work twice."""

    def __init__(
        self,
        *,
        standings: Standings,
        lanes: Lanes,
        register: Municipalities,
        signals: Signals,
        clock: Clock,
        numbers: Rules | None = None,
        chance: Callable[[], float] = random.random,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._standings = standings
        self._lanes = lanes
        self._register = register
        self._signals = signals
        self._clock = clock
        self._rules = (numbers or rules.standard()).waking
        self._chance = chance
        self._pause = pause
        self._rounds: dict[str, _Round] = {}
        self._first = 0
        self._next: datetime | None = None
        """When the next lanes may be signalled."""

    async def look(self) -> Woken:
        """One look at every receiver for which lanes may be parked. Never raises for an outage."""
        try:
            standings = await self._standings.to_wake(self._clock())
        except Unreachable as error:
            log(LogEvent.WAKING_FAILED, code=str(error))
            return Woken(failed=1)
        # Another one is first each time, lest one with very many lanes is always served alone.
        self._first = (self._first + 1) % max(1, len(standings))
        left, done = self._most, Woken()
        todo = [*standings[self._first :], *standings[: self._first]]
        while todo and left > 0:
            # What those with few lanes leave over goes to those with many.
            share, more = -(-left // len(todo)), []
            for each in todo:
                found = await self._look_at(each, min(share, left))
                left -= found.lanes
                done += found
                if found.lanes == share:
                    more.append(each)
            todo = more
        return done

    @property
    def _most(self) -> int:
        """Lanes signalled by one look, and the most that may be signalled and not begun on."""
        return max(1, int(self._rules.lanes_per_second * self._rules.seconds_per_look))

    async def _look_at(self, standing: Standing, share: int) -> Woken:
        to = standing.to
        try:
            return await self._dealt_with(standing, share)
        except (Unreachable, SignalLost) as error:
            log(LogEvent.WAKING_FAILED, orgnr=to.orgnr, receiver=to.receiver, code=str(error))
            return Woken(failed=1)

    async def _dealt_with(self, standing: Standing, share: int) -> Woken:
        now, to = self._clock(), standing.to
        municipality = await self._register.municipality(to.orgnr)
        if municipality is not None and municipality.traffic.stop_of(to.receiver, now) is not None:
            self._rounds.pop(to.key, None)
            return Woken()
        if standing.open:
            return await self._carrier(standing, now)
        if not standing.held:
            return await self._last_look(standing, now)
        return await self._drain(standing, share)

    async def _carrier(self, standing: Standing, now: datetime) -> Woken:
        """The breaker is open: its probe needs a delivery to go with, if none comes by itself."""
        if standing.probe_at is None or standing.probe_at > now:
            return Woken()
        found = await self._lanes.query(_DUE_FIRST, {"@key": standing.to.key}, self._rules.carriers)
        if not found:
            return Woken()
        await self._signal(standing.to, found[int(self._chance() * len(found))])
        return Woken(carriers=1)

    async def _last_look(self, standing: Standing, now: datetime) -> Woken:
        """Whoever parked a lane just before `held` was taken away took it to be there still."""
        found = await self._lanes.query(_DUE_FIRST, {"@key": standing.to.key}, self._most)
        sent = self._round(standing).sent
        new = any(each["lane"] not in sent for each in found)
        written = await self._standings.write(standing, replace(standing, held=new, look_again=None), now)
        if written is not None and not new:
            self._rounds.pop(standing.to.key, None)
        return Woken()

    async def _drain(self, standing: Standing, share: int) -> Woken:
        """Signal what is parked, up to `share` lanes. When there is nothing left to signal, say so."""
        if share <= 0:
            return Woken()
        to, sent = standing.to, self._round(standing).sent
        again = timedelta(seconds=self._rules.again_seconds)
        signalled, on_its_way, batch = 0, 0, list[Document]()
        for text in _PROMPT_FIRST:
            async for page in self._lanes.pages(text, {"@key": to.key}):
                for lane in page:
                    known = sent.get(lane["lane"])
                    if known is not None and known.tries != lane["tries"]:
                        continue
                    on_its_way += 1
                    if known is None or self._clock() - known.at >= again:
                        batch.append(lane)
                    full = signalled + len(batch) >= share or on_its_way >= self._most
                    if full or len(batch) >= self._rules.lanes_at_once:
                        signalled += await self._wake(to, batch, sent)
                        batch = []
                    if full:
                        return Woken(lanes=signalled)
        signalled += await self._wake(to, batch, sent)
        if on_its_way:
            return Woken(lanes=signalled)
        now = self._clock()
        settled = replace(standing, held=False, look_again=now + timedelta(seconds=self._rules.settle_seconds))
        written = await self._standings.write(standing, settled, now)
        return Woken(finished=(to,)) if written is not None else Woken()

    async def _wake(self, to: To, batch: Sequence[Document], sent: dict[str, _Sent]) -> int:
        if not batch:
            return 0
        await self._in_time(len(batch))
        for each in batch:
            sent[each["lane"]] = _Sent(each["tries"], self._clock())
        try:
            await asyncio.gather(*(self._signal(to, each) for each in batch))
        except SignalLost:
            # Some may have been sent. Twice does no harm.
            for each in batch:
                sent.pop(each["lane"], None)
            raise
        log(LogEvent.LANES_WOKEN, orgnr=to.orgnr, receiver=to.receiver, count=len(batch))
        return len(batch)

    async def _in_time(self, many: int) -> None:
        """Wait until so many more may be signalled; what looking and sending took is not waited for again."""
        now = self._clock()
        if self._next is not None and now < self._next <= now + timedelta(seconds=self._rules.seconds_per_look):
            await self._pause((self._next - now).total_seconds())
            now = self._next
        self._next = now + timedelta(seconds=many / self._rules.lanes_per_second)

    async def _signal(self, to: To, lane: Document) -> None:
        urgency = Urgency.PROMPT if lane["prompts"] > 0 else Urgency.ROUTINE
        first = hint(event_of(lane["head"]), lane["size"]) if "head" in lane else ""
        await self._signals.send(DELIVERIES[urgency], Lane(lane["lane"]), to=to.key, woken=True, event=first)

    def _round(self, standing: Standing) -> _Round:
        found = self._rounds.get(standing.to.key)
        if found is None or found.since != standing.since:
            found = self._rounds[standing.to.key] = _Round(standing.since)
        return found
