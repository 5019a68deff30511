"""The gate at work: the register's stops, the breaker as all instances know it, this instance's own counts.

Each instance keeps its own window of tries and hears of the others' findings by the standing document, which it reads
again at most every few seconds. What the store does not answer, it goes on without: with what it knew.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.clock import Clock
from shared.delivery import rules
from shared.delivery.answers import Answer, Later, Refused, Taken
from shared.delivery.breaker import CLOSED, Breaker, Failed, Heard, Probing, Succeeded, step
from shared.delivery.bulkhead import Bulkhead, Room
from shared.delivery.gate import BREAKER_OPEN, RECEIVER_STOPPED, Busy, Go, Hold, To
from shared.delivery.rules import Rules
from shared.delivery.standing import Standing, Standings
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.messages.urgency import Urgency
from shared.registry.model import Municipality
from shared.registry.traffic import OPEN, Traffic

REMEMBERED: Final = 4096
"""Receivers that are kept in mind, those used last."""
WAITING: Final = 20
"""Deliveries that wait for a place at one receiver: each holds one of the instance's workers."""
_ROUNDS: Final = 4
"""How often a change is tried again that another instance was faster with."""
_TOO_MANY: Final = "REC_HTTP_429"
_ERROR: Final = "REC_HTTP_5"
"""What a receiver says of itself, though it may be about the message."""
_LATELY: Final = timedelta(minutes=5)
"""A receiver that has taken a message within this time is well, whatever it says to one message again and again."""


class Municipalities(Protocol):
    """The part of the register that is asked."""

    async def municipality(self, orgnr: str) -> Municipality | None:
        """The municipality; None when there is none. Raises Unreachable."""


@dataclass(slots=True)
class _Known:
    """What this instance knows of a receiver."""

    standing: Standing
    """As last read or written; what the breaker says besides has not been written yet."""
    breaker: Breaker = CLOSED
    read_at: datetime | None = None
    parking: bool = False
    """Lanes are parked, and the standing document may not say so yet."""
    room: Room | None = None
    traffic: Traffic = OPEN
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    """Those who wait for a place, in the order in which they came."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the standing document is read or written."""


class Gatekeeper:
    """See shared.delivery.gate.Gate. `at_once`: what a receiver takes of which the register says nothing.

    `wait_s`: how long a few deliveries wait for a place at their receiver before they are told Busy. A place is free
    again within milliseconds where a receiver is quick, and coming back costs a signal.
    """

    def __init__(
        self,
        *,
        register: Municipalities,
        standings: Standings,
        clock: Clock,
        at_once: int = 20,
        wait_s: float = 0.0,
        numbers: Rules | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._register = register
        self._standings = standings
        self._clock = clock
        self._at_once = at_once
        self._wait_s = wait_s
        self._rules = numbers or rules.standard()
        self._chance = chance
        self._bulkhead = Bulkhead(self._rules.bulkhead, chance)
        self._receivers: OrderedDict[str, _Known] = OrderedDict()

    async def enter(self, to: To, urgency: Urgency) -> Go | Hold | Busy:
        """See Gate."""
        known = self._of(to)
        room, traffic = await self._registered(known)
        await self._refresh(known)
        now = self._clock()
        stop = traffic.stop_of(to.receiver, now)
        if stop is not None:
            until = stop.until or now + self._rules.standing.stop_look_again
            return await self._held(known, Hold(until, RECEIVER_STOPPED))
        await self._wait_for_a_place(known, urgency, room)
        for _ in range(_ROUNDS):
            now = self._clock()
            probe = known.breaker.is_open and urgency is Urgency.ROUTINE
            if probe and not known.breaker.probe_due(now):
                break
            wait = self._bulkhead.take(to.key, urgency, room, now)
            if wait is not None:
                return Busy(wait)
            if not probe or await self._claimed(known, urgency):
                return Go(to, urgency, now, probe)
        until = self._clock() + self._rules.standing.hold * (0.75 + 0.5 * self._chance())
        return await self._held(known, Hold(until, BREAKER_OPEN))

    async def _wait_for_a_place(self, known: _Known, urgency: Urgency, room: Room) -> None:
        key, loop = known.standing.to.key, asyncio.get_running_loop()
        until = loop.time() + self._wait_s
        while self._wait_s > 0 and len(known.waiting) < WAITING:
            if known.breaker.is_open or not self._bulkhead.full(key, urgency, room, self._clock()):
                return
            freed: asyncio.Future[None] = loop.create_future()
            known.waiting.append(freed)
            try:
                async with asyncio.timeout_at(until):
                    await freed
            except TimeoutError:
                return
            finally:
                known.waiting.remove(freed)

    async def leave(self, go: Go, answer: Answer | None, *, again: bool = False) -> None:
        """See Gate."""
        now, known = self._clock(), self._of(go.to)
        event = _meaning(go, answer, known.breaker, again=again)
        tried = isinstance(answer, Taken | Later | Refused) and not answer_is_ours(answer)
        self._bulkhead.give_back(go.to.key, go.urgency, now - go.entered if tried else None, now)
        for each in known.waiting:
            if not each.done():
                each.set_result(None)
                break
        if isinstance(answer, Later) and answer.code == _TOO_MANY:
            self._bulkhead.pause(go.to.key, answer.retry_after, now)
        if go.probe and answer is None:
            # Its lane had nothing to try: then the next one may.
            known.breaker = replace(known.breaker, probe_at=now if known.breaker.is_open else None)
            await self._told(known)
        if event is None:
            return
        known.breaker = step(known.breaker, event, now, self._rules.breaker)
        if known.breaker.is_open != known.standing.open:
            await self._told(known)

    async def parked(self, to: To) -> None:
        """See Gate."""
        known = self._of(to)
        await self._refresh(known)
        await self._see_to_waking(known)

    async def _held(self, known: _Known, hold: Hold) -> Hold:
        # Before the lane is parked: should this process die between the two, somebody looks all the same.
        await self._see_to_waking(known)
        return hold

    async def _see_to_waking(self, known: _Known) -> None:
        if known.standing.held:
            return
        known.parking = True
        await self._told(known)

    async def _registered(self, known: _Known) -> tuple[Room, Traffic]:
        to = known.standing.to
        try:
            municipality = await self._register.municipality(to.orgnr)
        except Unreachable:
            return known.room or Room(self._at_once), known.traffic
        receiver = municipality.receiver(to.receiver) if municipality is not None else None
        limits = receiver.limits if receiver is not None else None
        known.room = Room((limits and limits.at_once) or self._at_once, limits.per_second if limits else None)
        known.traffic = municipality.traffic if municipality is not None else OPEN
        return known.room, known.traffic

    async def _claimed(self, known: _Known, urgency: Urgency) -> bool:
        """Whether this one is the probe. If not, its place is given back."""
        claimed = False
        try:
            async with known.lock:
                claimed = await self._claim(known)
        finally:
            if not claimed:
                self._bulkhead.give_back(known.standing.to.key, urgency, None, self._clock())
        return claimed

    async def _claim(self, known: _Known) -> bool:
        try:
            await self._write_down(known)
            for _ in range(_ROUNDS):
                now = self._clock()
                if not known.breaker.probe_due(now):
                    return False
                probing = step(known.breaker, Probing(), now, self._rules.breaker)
                if await self._changed(known, _as_of(known.standing, probing), now):
                    known.breaker = replace(known.breaker, probe_at=probing.probe_at)
                    return True
        except Unreachable as error:
            self._not_kept(known, error)
            now = self._clock()
            if known.breaker.probe_due(now):
                # Nobody can be asked: then one probe from each instance.
                known.breaker = step(known.breaker, Probing(), now, self._rules.breaker)
                return True
        return False

    async def _refresh(self, known: _Known) -> None:
        if self._fresh(known):
            return
        async with known.lock:
            if self._fresh(known):
                return
            now = self._clock()
            try:
                await self._write_down(known)
                await self._read(known)
            except Unreachable as error:
                self._not_kept(known, error)
            finally:
                # After a failure too: a store that is slow to fail is not asked by every delivery.
                known.read_at = now

    def _fresh(self, known: _Known) -> bool:
        at = known.read_at
        return at is not None and at <= self._clock() < at + self._rules.standing.trusted

    async def _told(self, known: _Known) -> None:
        async with known.lock:
            try:
                await self._write_down(known)
            except Unreachable as error:
                self._not_kept(known, error)

    async def _write_down(self, known: _Known) -> None:
        """Bring the standing document to where the breaker is. The lock is held. Raises Unreachable."""
        for _ in range(_ROUNDS):
            breaker, standing = known.breaker, known.standing
            if breaker.is_open != standing.open:
                changes = await self._changed(known, _as_of(standing, breaker), self._clock())
                if changes:
                    self._log_change(known)
            elif breaker.is_open and breaker.probe_at != standing.probe_at:
                await self._changed(known, _as_of(standing, breaker), self._clock())
            elif known.parking and not standing.held:
                await self._changed(known, replace(standing, held=True, look_again=None), self._clock())
            else:
                known.parking = False
                return

    async def _changed(self, known: _Known, after: Standing, now: datetime) -> bool:
        made = await self._standings.write(known.standing, after, now)
        if made is None:
            await self._read(known)
            return False
        known.standing = made
        return True

    async def _read(self, known: _Known) -> None:
        """Learn what others have written. What this instance found out itself and has not written yet stays."""
        found = await self._standings.read(known.standing.to)
        before = known.standing
        # A read may have been overtaken by this instance's own write; only a document that is gone begins anew.
        if 0 < found.version <= before.version:
            return
        known.standing = found
        if known.breaker.is_open not in (before.open, found.open):
            return
        heard = Heard(found.since or self._clock(), found.probe_at) if found.open else Heard(None)
        known.breaker = step(known.breaker, heard, self._clock(), self._rules.breaker)

    def _of(self, to: To) -> _Known:
        known = self._receivers.get(to.key)
        if known is None:
            known = self._receivers[to.key] = _Known(Standing(to))
            while len(self._receivers) > REMEMBERED:
                self._receivers.popitem(last=False)
        self._receivers.move_to_end(to.key)
        return known

    def _log_change(self, known: _Known) -> None:
        to, event = known.standing.to, LogEvent.BREAKER_OPENED if known.standing.open else LogEvent.BREAKER_CLOSED
        code = known.standing.last_code if known.standing.open else None
        log(event, orgnr=to.orgnr, receiver=to.receiver, code=code)

    def _not_kept(self, known: _Known, error: Unreachable) -> None:
        to = known.standing.to
        log(LogEvent.STANDING_UNREACHABLE, orgnr=to.orgnr, receiver=to.receiver, code=str(error))


def answer_is_ours(answer: Later | Refused | Taken) -> bool:
    """Whether the hub itself made this answer, without asking the receiver."""
    return not isinstance(answer, Taken) and answer.code.startswith("HUB_")


def _meaning(go: Go, answer: Answer | None, breaker: Breaker, *, again: bool) -> Succeeded | Failed | None:
    """What an answer says of the receiver's health; None: nothing."""
    match answer:
        case None:
            return None
        case Later() | Refused() if answer_is_ours(answer):
            return None
        case Later(code) if again and code.startswith(_ERROR) and _takes_others(breaker, go.entered):
            # One message that makes a receiver stumble, tried every minute, must not shut the gate for all others.
            return None
        case Later(code) if code != _TOO_MANY:
            return Failed(go.entered, code)
        case Later():
            # Somebody is there, and asks for less: that ends an outage, and is no success that others are held against.
            return Succeeded(go.entered) if breaker.is_open else None
        case Taken() | Refused():
            return Succeeded(go.entered)


def _takes_others(breaker: Breaker, now: datetime) -> bool:
    taken = breaker.last_success
    return not breaker.is_open and taken is not None and now - taken < _LATELY


def _as_of(standing: Standing, breaker: Breaker) -> Standing:
    """The standing as the breaker sees it."""
    told = replace(
        standing,
        open=breaker.is_open,
        failures=breaker.straight,
        last_code=breaker.last_code or standing.last_code,
        last_failure=breaker.last_failure or standing.last_failure,
        probe_at=breaker.probe_at,
    )
    if standing.open == breaker.is_open:
        return told
    return replace(
        told,
        since=breaker.opened or breaker.closed,
        last_success=breaker.last_success or standing.last_success,
        held=standing.held or breaker.is_open,
    )
