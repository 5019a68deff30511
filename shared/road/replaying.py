"""Replays, worked off: what was asked for goes back into its lanes, in order, no faster than its receiver can take it.

Of each group (one cause at one receiver) the first few go alone; if most of them are set aside again for the same
cause, nothing is mended yet, and the rest stays where it is. A replay goes on where it stopped, whoever takes it over,
and finds only what is still set aside: nothing is replayed twice. One that a person stops ends with the batch in hand.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages.deliveries import DeliveryStore
from shared.messages.events import EventStore
from shared.messages.lanes import Lane
from shared.messages.lifecycle import RESTING, Step
from shared.messages.lifecycle import State as MessageState
from shared.messages.replays import Job, Part, Replays, State, Trial, Verdict
from shared.messages.returning import AT_ONCE, REPLAYED, Back, Returning
from shared.messages.set_aside import Filter, Item, SetAside
from shared.messages.signals import DELIVERIES, EVENTS, SignalLost, Signals
from shared.messages.urgency import Urgency
from shared.trail.facts import REPLAY

FAILED_AGAIN: Final = "HUB_FAILED_AGAIN"
UNREADABLE: Final = "HUB_REPLAY_UNREADABLE"

SLICE: Final = timedelta(seconds=20)
"""How long one replay is worked on before others get their turn."""
DECIDED_WITHIN: Final = timedelta(hours=24)
"""A group whose first messages have come to nothing by then is left aside."""

PAGE: Final = 100
ONE_LANE: Final = 1000

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Measure:
    """How careful a replay is."""

    per_second: float
    """Messages put back into a receiver's lanes."""
    probes: int
    """The first messages of a group, by which the rest is judged."""
    sleep: Sleep = asyncio.sleep


class Replaying:
    """Works on the replays that were asked for."""

    def __init__(
        self,
        *,
        replays: Replays,
        set_aside: SetAside,
        returning: Returning,
        events: EventStore,
        deliveries: DeliveryStore,
        signals: Signals,
        measure: Measure,
        clock: Clock,
    ) -> None:
        self._replays = replays
        self._set_aside = set_aside
        self._returning = returning
        self._events = events
        self._deliveries = deliveries
        self._signals = signals
        self._measure = measure
        self._clock = clock
        self._me = uuid.uuid4().hex

    async def work(self) -> None:
        """One slice of each replay that is running and that nobody else works on. Raises Unreachable."""
        for id in await self._replays.running():
            job = await self._replays.take(id, self._me, self._clock())
            if job is not None:
                await self._slice(job)

    async def _slice(self, job: Job) -> None:
        until = self._clock() + SLICE
        try:
            for key, part in job.progress.parts.items():
                while not part.done and self._clock() < until and await self._page(job, key, part):
                    pass
        except _Overtaken:
            return
        except (KeyError, ValueError) as error:
            log(LogEvent.REPLAY_FAILED, code=job.id, orgnr=job.order.orgnr, error_type=type(error).__name__)
            await self._replays.end(job, self._me, State.FAILED, UNREADABLE, self._clock())
            return
        if all(part.done for part in job.progress.parts.values()):
            await self._end(job)
        elif await self._replays.keep(job, self._me, self._clock()):
            await self._replays.leave(job, self._me, self._clock())

    async def _end(self, job: Job) -> None:
        stopped = job.failed_again()
        state = State.STOPPED if stopped else State.DONE
        if await self._replays.end(job, self._me, state, FAILED_AGAIN if stopped else "", self._clock()):
            event = LogEvent.REPLAY_STOPPED if stopped else LogEvent.REPLAY_DONE
            log(event, orgnr=job.order.orgnr, code=job.id, count=job.progress.replayed)

    async def _page(self, job: Job, key: str, part: Part) -> bool:
        """Replay what is found next at one receiver. False when it must be waited for how the first of a group fare."""
        await self._judge(job, part)
        found = await self._found(job, key, part)
        seen = _Seen(set(), set())
        for lane in dict.fromkeys(each.lane for each in found):
            # Those of a lane go together, in order, whenever each of them was set aside.
            of_lane = await self._of_lane(job, key, lane, found)
            if not await self._lane(job, key, part, of_lane, seen):
                return False
        progress = job.progress
        for each in found:
            progress.gone += each.id in seen.gone
            progress.left += each.id in seen.left
        if job.order.ids or len(found) < PAGE:
            part.done = True
            return False
        last = found[-1].at
        again = part.passed if part.position == last else []
        part.passed = [*again, *(each.id for each in found if each.at == last and each.id in seen.gone | seen.left)]
        part.position = last
        return True

    async def _found(self, job: Job, key: str, part: Part) -> Sequence[Item]:
        wanted = _wanted(job)
        if job.order.ids:
            each = [await self._set_aside.of_message(id) for id in job.order.ids]
            found = {item.id: item for items in each for item in items if item.key == key and wanted.fits(item)}
            return tuple(found.values())
        # Those that were passed over at the very moment at which this page begins are found again.
        found_too = await self._set_aside.items(wanted, key, part.position, PAGE + len(part.passed))
        return tuple(each for each in found_too if each.id not in part.passed)[:PAGE]

    async def _of_lane(self, job: Job, key: str, lane: Lane, found: Sequence[Item]) -> list[Item]:
        if not job.order.ids:
            return list(await self._set_aside.in_lane(_wanted(job), lane, key, ONE_LANE))
        return sorted((each for each in found if each.lane == lane), key=lambda each: (each.place, each.received_at))

    async def _lane(self, job: Job, key: str, part: Part, items: list[Item], seen: "_Seen") -> bool:
        """Replay one lane. False when it must be waited for how the first of a group fare."""
        while True:
            batch, rest, waits = self._next(part, items, seen)
            if not batch:
                return not waits
            items = rest
            there = await self._returning.with_payload(batch[0].event_lane, [each.event for each in batch])
            seen.gone.update(each.id for each in batch if each.event not in there)
            ready = [each for each in batch if each.event in there]
            if ready:
                await self._back(job, key, part, ready)
            if not await self._replays.keep(job, self._me, self._clock()):
                raise _Overtaken

    def _next(self, part: Part, items: list[Item], seen: "_Seen") -> tuple[list[Item], list[Item], bool]:
        """The next batch of a lane, what is left of it, and whether that must wait."""
        batch: list[Item] = []
        for at, each in enumerate(items):
            trial = part.trials.setdefault(each.cause, Trial())
            if trial.verdict is Verdict.FAILED:
                seen.left.add(each.id)
                continue
            out = len(trial.probes) + sum(other.cause == each.cause for other in batch)
            if trial.verdict is Verdict.TRYING and out >= self._measure.probes:
                return batch, items[at:], True
            batch.append(each)
            if len(batch) == AT_ONCE:
                return batch, items[at + 1 :], False
        return batch, [], False

    async def _back(self, job: Job, key: str, part: Part, items: list[Item]) -> None:
        lane, ids, now = items[0].lane, [each.id for each in items], self._clock()
        facts = {REPLAY: job.id}
        if key:
            returned = await self._returning.deliveries(lane, ids, Back(Step.REPLAY, REPLAYED, facts), now)
        else:
            returned = await self._returning.events(lane, ids, Back(Step.RETURN, REPLAYED, facts), now)
        for each in items:
            trial = part.trials[each.cause]
            if each.id in returned.ids and trial.verdict is Verdict.TRYING:
                trial.probes.append((each.id, lane))
        job.progress.replayed += len(returned.ids)
        if returned.ids:
            await self._signal(lane, key, Urgency.PROMPT if returned.prompt else Urgency.ROUTINE)
            await self._measure.sleep(len(returned.ids) / self._measure.per_second)

    async def _signal(self, lane: Lane, key: str, urgency: Urgency) -> None:
        queue = DELIVERIES[urgency] if key else EVENTS[urgency]
        try:
            await self._signals.send(queue, lane, to=key)
        except SignalLost:
            # The line says by when somebody must look at it.
            log(LogEvent.SIGNAL_LOST, lane=lane, queue=queue)

    async def _judge(self, job: Job, part: Part) -> None:
        for cause, trial in part.trials.items():
            if trial.verdict is not Verdict.TRYING or len(trial.probes) < self._measure.probes:
                continue
            states = [await self._state(id, lane, cause) for id, lane in trial.probes]
            majority = len(states) // 2 + 1
            if states.count(Verdict.FAILED) >= majority:
                trial.verdict = Verdict.FAILED
            elif states.count(Verdict.WELL) >= majority or Verdict.TRYING not in states:
                trial.verdict = Verdict.WELL
            elif self._clock() - job.asked_at > DECIDED_WITHIN:
                trial.verdict = Verdict.FAILED

    async def _state(self, id: str, lane: Lane, cause: str) -> Verdict:
        document = await self._deliveries.find(id, lane) or await self._events.find(id, lane)
        if document is None:
            return Verdict.WELL
        state = MessageState(document["state"])
        if state is MessageState.QUARANTINED:
            return Verdict.FAILED if document["aside"]["cause"] == cause else Verdict.WELL
        # For an event it is enough that it has got a receiver.
        routed = document["type"] == "event" and state is MessageState.ROUTED
        return Verdict.WELL if state in RESTING or routed else Verdict.TRYING


@dataclass(slots=True)
class _Seen:
    """What a page had to leave aside."""

    gone: set[str]
    left: set[str]


class _Overtaken(Exception):
    """Somebody else works on it now, or a person has stopped it."""


def _wanted(job: Job) -> Filter:
    """What is set aside again after the replay was asked for is not part of it."""
    wanted = job.order.wanted
    return replace(wanted, until=min(wanted.until or job.asked_at, job.asked_at))
