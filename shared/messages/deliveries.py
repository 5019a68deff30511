"""The store of deliveries: what each receiver has got and what it waits for.

An outbound lane has one document that is its line: the deliveries not ended yet, in order (what else handing them over
needs is in their events), and the head's standing: how often it was tried (`tries`), by which queue's workers it is
being tried (`trying`, until `leased` at the latest), whose workers may be at it without having said so (`owner`,
`taken`: `shared.messages.owning`), until when it waits (`waitUntil`, P4), whether it is held up by its receiver
(`parked`) or by a message that a person must decide about (`blocked`), and when the line must be looked at next (`due`,
P2).

A delivery has a document of its own from when there is more to tell than that it stands in line: when it waits after a
failure, or has ended. Nearly all are taken at the first try, so nearly all of those documents are written once.

The outcome of a try is one batch over the delivery and the line. The number of the try is the fence between two workers
of one queue, whose sessions give them the lane one at a time; `trying` and `owner` are the fence between two queues.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared import clock
from shared.messages import inserting, lifecycle, model, owning, proving, tries, worklist
from shared.messages.documents import (
    AlreadyThere,
    Change,
    ConditionFailed,
    Create,
    Document,
    NotThere,
    Operation,
    Patch,
    StoreError,
    Together,
    Unreachable,
)
from shared.messages.lanes import Lane, event_of, line_id
from shared.messages.lifecycle import State, Step
from shared.messages.model import Delivery
from shared.messages.signals import hint
from shared.messages.tries import Elsewhere, Gone, Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.messages.worklist import GRACE, OUTBOUND, Joined, Joining, Leaving, Missing, Overdue

LOOK_AT_BLOCKED: Final = timedelta(days=1)
"""How often a lane that waits for a person is looked at all the same."""

_ATTEMPTS: Final = 5
"""How often a line that moves on meanwhile is looked at anew."""

_EARLY: Final = timedelta(milliseconds=100)
"""A scheduled signal may come this much before its time, since two clocks are involved."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read at one moment."""

    line: Document | None
    event: Document | None = None
    payload: Document | None = None


def joining(delivery: Delivery, due: datetime) -> Joining:
    """A delivery that goes to the end of its lane's line."""
    urgency = delivery.event.urgency
    return Joining(
        delivery.lane,
        delivery.work() if not delivery.kept else delivery.placed(),
        due,
        OUTBOUND,
        {
            "orgnr": delivery.event.orgnr, "receiver": delivery.receiver, "key": delivery.key, "tries": 0, "waits": 0,
            "waitUntil": None, "trying": None, "leased": None, "parked": None, "blocked": None, "taken": None,
            "owner": urgency.value,
        },
        lead=(Change("set", "/owner", urgency.value),),
        # Whoever stands before an alarm is tried at once, by the alarm's schedule.
        hurry=(Change("set", "/waitUntil", None), Change("set", "/waits", 0)),
    )  # fmt: skip


class DeliveryStore:
    """Deliveries and their lines."""

    def __init__(self, container: Together, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

    async def create(self, delivery: Delivery) -> Joined:
        """Put a delivery into its lane where it belongs by the order of acceptance: others have gone on before it.

        It may be there already (routing goes on where it stopped).
        """
        delivery = replace(delivery, kept=True)
        keep, due = (Create(delivery.document()),), delivery.routed_at + self._grace
        joined = await inserting.join(self._container, keep, delivery.placed(), delivery.lane, due)
        return joined or await worklist.join(self._container, keep, joining(delivery, due))

    async def find(self, delivery: str, lane: Lane) -> Document | None:
        """The delivery's document as of now, a try that is being made included; None when there is none."""
        document = await self._container.read(delivery, lane)
        if document is not None and State(document["state"]) not in lifecycle.states_before(Step.ATTEMPT):
            return document
        line = await self._container.read(line_id(lane), lane)
        at = worklist.at(line, delivery)
        if line is None or at is None:
            # It may have ended between the two looks.
            return document or await self._container.read(delivery, lane)
        if document is None:
            event = await self._container.read(event_of(delivery), lane)
            if event is None:
                return None
            document = standing(line, at, event)
        if at > 0 or not line["trying"]:
            return document
        return {**document, "state": State.DELIVERING.value, "attempts": _tried(line), "due": line["due"]}

    async def words(self, delivery: str, attempt: int, lane: Lane) -> str | None:
        """What its receiver said when it refused this try; None when it said nothing, or it is no longer kept."""
        document = await self._container.read(tries.words_id(delivery, attempt), lane)
        return None if document is None else str(document["words"])

    async def begin(
        self, lane: Lane, by: Urgency, now: datetime, silence: timedelta, *, woken: bool = False, event: str = ""
    ) -> Try | Elsewhere | None:
        """Begin a try of the lane's first delivery, unless there is none or it must wait.

        `by` is the worker's queue; `silence` is after how long somebody must look again if the worker is never heard
        of; `woken` says that its receiver is back, so that nothing need be waited for; `event` is the one that
        is likely to be first. Raises Unreachable, also for a lane that is never left in peace.
        """
        for _ in range(_ATTEMPTS):
            seen = await self._seen(lane, event)
            line = seen.line
            if line is None or not line["pending"]:
                return None
            if owning.owner(line) is by:
                return await self._try(line, seen, by, told=False)
            elsewhere = await self._elsewhere(line, lane, by, now)
            if elsewhere is not None:
                return elsewhere
            if not await self._may_begin(line, lane, now, woken=woken):
                return None
            begun = await self._try(line, seen, by, told=True)
            told = await self._told(line, lane, by, now, now + silence)
            if told is not None:
                # Others may have joined, or been put in behind it.
                return replace(begun, urgency=_urgency(told), waits=told["waits"], next=_second(told))
        raise Unreachable("LANE_CONTENDED")

    async def _seen(self, lane: Lane, event: str) -> "_Seen":
        """The lane's line, and an event with its bytes."""
        line = line_id(lane)
        if event:
            # Bytes that are gone already, or more than one answer holds.
            with contextlib.suppress(NotThere, Unreachable):
                return _Seen(*await self._container.read_all((line, event, model.payload_id(event)), lane))
        try:
            # Not by a point read: a line as it was a moment ago would have nothing to do, and the signal were in vain.
            return _Seen(*await self._container.read_all((line,), lane))
        except NotThere:
            return _Seen(None)

    async def _try(self, line: Document, seen: "_Seen", by: Urgency, *, told: bool) -> Try:
        head = line["pending"][0]
        id, document, payload = event_of(head["id"]), seen.event, seen.payload
        if document is None or document["id"] != id:
            document, payload = await self._event(hint(id, head["size"]), id, Lane(line["lane"]))
        event, place = model.event_from(document), worklist.places(line)[0]
        return Try(
            delivery=model.delivery_from(head, line, event, line["tries"] + 1, place),
            urgency=_urgency(line),
            waits=line["waits"],
            next=_second(line),
            by=by,
            told=told,
            payload=payload,
            looked=line["looked"] > 0,
        )

    async def _event(self, together: str, id: str, lane: Lane) -> tuple[Document, Document | None]:
        if together:
            with contextlib.suppress(NotThere, Unreachable):
                event, payload = await self._container.read_all((id, model.payload_id(id)), lane)
                return event, payload
        document = await self._container.read(id, lane)
        if document is None:
            raise Unreachable("EVENT_MISSING")
        return document, None

    async def _elsewhere(self, line: Document, lane: Lane, by: Urgency, now: datetime) -> Elsewhere | None:
        if owning.owner(line) is not None:
            until = await owning.take(self._container, lane, line, now)
            return Elsewhere(until or now + owning.SAYS_SO, unsure=until is not None)
        unsure = owning.unsure_until(line, now, by)
        if unsure is not None:
            return Elsewhere(unsure)
        if line["trying"] and line["trying"] != by and clock.read(line["leased"]) > now:
            return Elsewhere(clock.read(line["leased"]))
        return None

    async def _may_begin(self, line: Document, lane: Lane, now: datetime, *, woken: bool) -> bool:
        if line["blocked"]:
            await self.postpone(lane, now + LOOK_AT_BLOCKED)
            return False
        wait = clock.read(line["waitUntil"]) if line["waitUntil"] else None
        if wait is None or woken or wait <= now + _EARLY:
            return True
        if line["due"] != line["waitUntil"]:
            # It was signalled early, and whoever did so moved its due time: it is due when its head is.
            await self.postpone(lane, wait)
        return False

    async def _told(self, seen: Document, lane: Lane, by: Urgency, now: datetime, until: datetime) -> Document | None:
        """Count the try in the line before it is made. Returns the line; None when it is not any more what was seen."""
        head, leased = seen["pending"][0], clock.written(until)
        same = (
            f"c.pending[0].id = '{head['id']}' AND c.pending[0].tried = {head['tried']} AND c.tries = {seen['tries']}"
        )
        free = f"(c.trying = null OR c.trying = '{by.value}' OR c.leased <= '{clock.written(now)}')"
        owned = "null" if seen["owner"] is None else f"'{seen['owner']}'"
        begun = Patch(
            line_id(lane),
            (
                Change("incr", "/tries", 1),
                Change("set", "/trying", by.value),
                Change("set", "/leased", leased),
                Change("set", "/parked", None),
                Change("set", "/looked", 0),
                Change("set", "/due", leased),
                Change("set", "/owner", None),
                Change("set", "/taken", None),
            ),
            f"FROM c WHERE {same} AND {free} AND c.blocked = null AND c.owner = {owned}",
        )
        try:
            return await self._container.patch(begun, lane)
        except (NotThere, ConditionFailed):
            return None

    async def tell(self, begun: Try, by: Urgency, until: datetime) -> Try | None:
        """Tell in the line of a try that began without; None when somebody else has taken the lane over.

        `until` is by when somebody must look again if the worker is never heard of.
        """
        if begun.told:
            return begun
        lane, leased = begun.delivery.lane, clock.written(until)
        changes = (
            Change("incr", "/tries", 1), Change("set", "/trying", by.value), Change("set", "/leased", leased),
            Change("set", "/due", leased), Change("set", "/owner", None), Change("set", "/taken", None),
            Change("set", "/looked", 0),
        )  # fmt: skip
        try:
            await self._container.patch(Patch(line_id(lane), changes, f"FROM c WHERE {tries.mine(begun)}"), lane)
        except (NotThere, ConditionFailed):
            return None
        return replace(begun, told=True)

    async def park(self, lane: Lane, key: str, by: Urgency, now: datetime, until: datetime) -> Document | None:
        """Note that the lane is held up by its receiver; it is woken when that changes, or looked at `until` then.

        Returns the line; None when there is nothing that waits, or somebody is at it, or may be. `by` is the worker's
        queue.
        """
        parked = Patch(
            line_id(lane),
            (
                Change("set", "/parked", key), Change("set", "/due", clock.written(until)),
                Change("set", "/owner", None), Change("set", "/taken", None),
            ),
            condition="FROM c WHERE ARRAY_LENGTH(c.pending) > 0 AND c.trying = null AND c.blocked = null "
            f"AND (c.owner = null OR c.owner = '{by.value}') "
            f"AND (c.taken = null OR c.taken['of'] = '{by.value}' OR c.taken['until'] <= '{clock.written(now)}')",
        )  # fmt: skip
        try:
            return await self._container.patch(parked, lane)
        except (NotThere, ConditionFailed):
            return None

    async def wait(self, begun: Try, outcome: Outcome, until: datetime, parked: str | None) -> bool:
        """The try failed for now: the line waits with its head, and is woken early if `parked` names who is to blame.

        False when the line has become prompt meanwhile (or is it no more): nothing is changed, and `until` is to be
        reckoned anew. Raises Gone, or ConditionFailed when overtaken.
        """
        lane = begun.delivery.lane
        due = clock.written(until)
        prompts = "> 0" if begun.urgency is Urgency.PROMPT else "= 0"
        line = Patch(
            line_id(lane),
            (
                Change("set", "/due", due),
                Change("set", "/waitUntil", due),
                Change("incr", "/waits", 1),
                Change("set", "/parked", parked),
                *tries.let_go(begun),
                *(() if begun.delivery.kept else (Change("set", "/pending/0/kept", True),)),
            ),
            condition=f"FROM c WHERE {tries.mine(begun)} AND c.prompts {prompts}",
        )
        try:
            await self._container.batch((tries.moved(begun, Step.WAIT, outcome, due), line), lane)
        except (ConditionFailed, AlreadyThere) as error:
            if error.index == 1 and await self._still_mine(begun):
                return False
            await self._give_up(begun, error, outcome.now)
        return True

    async def release(self, begun: Try, key: str, until: datetime) -> None:
        """The try was a probe, and failed: the line is held up by its receiver as before, and only the try is counted.

        A probe comes every few seconds for as long as an outage lasts, so it is no station of the message's road: its
        document would grow beyond what the database takes. Raises ConditionFailed when overtaken.
        """
        lane = begun.delivery.lane
        changes = (Change("set", "/parked", key), Change("set", "/due", clock.written(until)), *tries.let_go(begun))
        await self._container.patch(Patch(line_id(lane), changes, f"FROM c WHERE {tries.mine(begun)}"), lane)

    async def _still_mine(self, begun: Try) -> bool:
        delivery = begun.delivery
        line = await self._container.read(line_id(delivery.lane), delivery.lane)
        return (
            line is not None
            and bool(line["pending"])
            and line["pending"][0]["id"] == delivery.id
            and _tried(line) + (not begun.told) == delivery.attempts
        )

    async def end(self, begun: Try, step: Step, outcome: Outcome, refusal: Refusal | None = None) -> bool:
        """The delivery has ended by this step and leaves the line. `refusal` when it is set aside.

        Returns whether the lane has others and can go on with them. Raises Gone, or ConditionFailed when overtaken.
        """
        delivery = begun.delivery
        blocks = refusal is not None and refusal.blocks
        before: list[Operation] = [tries.moved(begun, step, outcome, None, refusal)]
        if refusal is not None and refusal.words:
            before.append(Create(tries.words(delivery, refusal)))
        leaving = self._leaving(begun, outcome.now, delivery.id if blocks else None)
        try:
            return await worklist.settle(self._container, before, leaving, delivery.lane) and not blocks
        except (ConditionFailed, AlreadyThere) as error:
            return await self._give_up(begun, error, outcome.now)

    async def _give_up(self, begun: Try, error: StoreError, now: datetime) -> bool:
        if error.index > 0:
            raise ConditionFailed(error.index) from error
        await worklist.settle(self._container, (), self._leaving(begun, now, None), begun.delivery.lane)
        raise Gone from error

    def _leaving(self, begun: Try, now: datetime, blocked: str | None) -> Leaving:
        due = now + (LOOK_AT_BLOCKED if blocked else self._grace)
        return Leaving(
            head=tries.mine(begun),
            prompt=begun.delivery.event.urgency is Urgency.PROMPT,
            due=due,
            next=begun.next,
            also=(*tries.forgotten(begun), *tries.onward(begun, blocked)),
        )

    async def line(self, lane: Lane) -> Document | None:
        """The lane's line; None when there never was one."""
        return await self._container.read(line_id(lane), lane)

    async def has_work(self, lane: Lane) -> bool:
        """Whether the lane has a delivery that is not ended."""
        line = await self.line(lane)
        return line is not None and bool(line["pending"])

    async def postpone(self, lane: Lane, due: datetime) -> None:
        """Say when the lane must be looked at next, if it still has work. Raises Unreachable."""
        await worklist.postpone(self._container, lane, due)

    async def overdue(self, now: datetime, limit: int) -> tuple[Overdue, ...]:
        """Lines whose due time has passed, the longest overdue first."""
        return await worklist.overdue(self._container, OUTBOUND, now, limit)

    async def looked(self, lane: Lane, due: datetime) -> None:
        """Note that an overdue line was signalled, and when it is to be looked at next. Raises Unreachable."""
        await worklist.looked(self._container, lane, due)

    async def missing(self, since: datetime, until: datetime, limit: int) -> tuple[Missing, ...]:
        """Deliveries of events accepted between two times that have neither ended nor stand in a line."""
        return await proving.missing(self._container, (since, until), limit)

    async def put_back(self, missing: Missing, now: datetime) -> None:
        """Put a delivery into the line it is missing from."""
        delivery = model.delivery_of(missing.document)
        await worklist.join(self._container, (), joining(delivery, now + self._grace))


def standing(line: Document, at: int, event: Document) -> Document:
    """What there is to tell of a delivery that has no document of its own: it stands there in the line."""
    work, place = line["pending"][at], worklist.places(line)[at]
    return model.delivery_from(work, line, model.event_from(event), 0, place).document()


def _second(line: Document) -> Mapping[str, Any] | None:
    pending = line["pending"]
    return pending[1] if len(pending) > 1 else None


def _tried(line: Document) -> int:
    """How often the head was tried, ever."""
    return int(line["tries"] + line["pending"][0]["tried"])


def _urgency(line: Document) -> Urgency:
    return Urgency.PROMPT if line["prompts"] else Urgency.ROUTINE
