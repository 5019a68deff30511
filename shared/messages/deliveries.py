"""The store of deliveries: what each receiver has got and what it waits for.

A partition is one outbound lane: its deliveries, and one `lane` document that is the lane's line: the deliveries not
ended yet, in order and with all that handing them over needs, and the head's standing: how often it was tried
(`tries`), by the workers of which queue it is being tried (`trying`, until `leased` at the latest), until when it waits
(`waitUntil`, P4), whether it is held up by its receiver (`parked`) or by a message that a person must decide about
(`blocked`), and when the line must be looked at next (`due`, P2).

A try begins by being counted in the line, before it is made, in the same operation that tells what there is to do. Its
outcome is one batch over the delivery and the line. The number of the try is the fence between two workers of one
queue, whose sessions give them the lane one at a time; `trying` is the fence between the two queues.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared import clock
from shared.messages import inserting, lifecycle, model, worklist
from shared.messages.documents import (
    Change,
    ConditionFailed,
    Container,
    Create,
    Document,
    NotThere,
    Operation,
    Patch,
)
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.model import LANE_DOCUMENT, Delivery, Station
from shared.messages.urgency import Urgency
from shared.messages.worklist import GRACE, Joined, Joining, Leaving, Missing, Overdue

LOOK_AT_BLOCKED: Final = timedelta(days=1)
"""How often a lane that waits for a person is looked at all the same."""

_EARLY: Final = timedelta(milliseconds=100)
"""A scheduled signal may come this much before its time, since two clocks are involved."""


@dataclass(frozen=True, slots=True)
class Try:
    """A try that has begun."""

    delivery: Delivery
    urgency: Urgency
    """Of the whole line: a message is as urgent as the most urgent that it holds up."""
    waits: int
    """How often the head has waited since the line has been so urgent: its place in the retry schedule."""
    next: Mapping[str, Any] | None
    """The work behind it in line."""

    @property
    def more(self) -> bool:
        """Whether others stand behind it."""
        return self.next is not None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The head is being tried by a worker of the other queue, until then at the latest."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a try came to, as its delivery's document tells it."""

    now: datetime
    detail: str = ""
    """A code."""
    facts: Mapping[str, str] | None = None
    """What is known of the try beside: where, how long. No personal data."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a delivery is set aside, and what that means for its lane."""

    status: int = 0
    """The receiver's HTTP status."""
    blocks: bool = False
    """Whether its lane waits until a person has decided."""
    words: str = ""
    """The receiver's own, for whoever decides. They may tell of the patient, so they are kept as a payload is."""
    kept_for: timedelta | None = None
    """How long the words are kept."""


class Gone(Exception):
    """The delivery was ended by another way (withdrawn, expired) while it was being tried; its lane can go on."""


class DeliveryStore:
    """Deliveries in the container `deliveries`."""

    def __init__(self, container: Container, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

    async def create(self, delivery: Delivery, *, in_place: bool = False) -> Joined:
        """Put a delivery at the end of its lane; it may be there already (routing goes on where it stopped).

        `in_place`: others have gone on before it, so it goes where it belongs by the order of acceptance.
        """
        keep = (Create(delivery.document()),)
        if in_place:
            joined = await inserting.join(self._container, keep, delivery.work(), delivery.routed_at + self._grace)
            if joined is not None:
                return joined
        return await worklist.join(self._container, keep, self._joining(delivery, delivery.routed_at), delivery.lane)

    def _joining(self, delivery: Delivery, now: datetime) -> Joining:
        return Joining(
            delivery.work(),
            now + self._grace,
            {
                "orgnr": delivery.event.orgnr, "receiver": delivery.receiver, "key": delivery.key, "tries": 0,
                "waits": 0, "waitUntil": None, "trying": None, "leased": None, "parked": None, "blocked": None,
            },
            # Whoever stands before an alarm is tried at once, by the alarm's schedule.
            (Change("set", "/waitUntil", None), Change("set", "/waits", 0)),
        )  # fmt: skip

    async def find(self, delivery: str, lane: Lane) -> Document | None:
        """The delivery's document as of now, a try that is being made included; None when there is none."""
        document = await self._container.read(delivery, lane)
        if document is None or State(document["state"]) not in lifecycle.states_before(Step.ATTEMPT):
            return document
        line = await self._container.read(LANE_DOCUMENT, lane)
        if line is None or not line["trying"] or line["pending"][0]["id"] != delivery:
            return document
        return {**document, "state": State.DELIVERING.value, "attempts": _tried(line), "due": line["due"]}

    async def words(self, delivery: str, attempt: int, lane: Lane) -> str | None:
        """What its receiver said when it refused this try; None when it said nothing, or it is no longer kept."""
        document = await self._container.read(_words_id(delivery, attempt), lane)
        return None if document is None else str(document["words"])

    async def begin(
        self, lane: Lane, by: Urgency, now: datetime, silence: timedelta, *, woken: bool = False
    ) -> Try | Elsewhere | None:
        """Begin a try of the lane's first delivery, unless there is none or it must wait.

        `by` is the worker's queue; `silence` is after how long somebody must look again if the worker is never heard
        of; `woken` says that its receiver is back, so that nothing need be waited for.
        """
        early = clock.written(now + _EARLY)
        wait = "" if woken else f" AND (c.waitUntil = null OR c.waitUntil <= '{early}')"
        until = clock.written(now + silence)
        begun = Patch(
            LANE_DOCUMENT,
            (
                Change("incr", "/tries", 1),
                Change("set", "/trying", by.value),
                Change("set", "/leased", until),
                Change("set", "/parked", None),
                Change("set", "/looked", 0),
                Change("set", "/due", until),
            ),
            condition=(
                f"FROM c WHERE ARRAY_LENGTH(c.pending) > 0 AND c.blocked = null AND (c.trying = null OR "
                f"c.trying = '{by.value}' OR c.leased <= '{clock.written(now)}'){wait}"
            ),
        )
        try:
            line = await self._container.patch(begun, lane)
        except NotThere:
            return None
        except ConditionFailed:
            return await self._not_begun(lane, by, now)
        pending = line["pending"]
        return Try(
            delivery=model.delivery_from(pending[0], line["tries"]),
            urgency=_urgency(line),
            waits=line["waits"],
            next=pending[1] if len(pending) > 1 else None,
        )

    async def _not_begun(self, lane: Lane, by: Urgency, now: datetime) -> Elsewhere | None:
        line = await self._container.read(LANE_DOCUMENT, lane)
        if line is None or not line["pending"]:
            return None
        if line["blocked"]:
            await self.postpone(lane, now + LOOK_AT_BLOCKED)
        elif line["trying"] and line["trying"] != by:
            return Elsewhere(clock.read(line["leased"]))
        elif line["waitUntil"] and line["due"] != line["waitUntil"]:
            # It was signalled early, and whoever did so moved its due time: it is due when its head is.
            await self.postpone(lane, clock.read(line["waitUntil"]))
        return None

    async def park(self, lane: Lane, key: str, until: datetime) -> Document | None:
        """Note that the lane is held up by its receiver; it is woken when that changes, or looked at `until` then.

        Returns the line; None when there is nothing that waits, or somebody is at it.
        """
        parked = Patch(
            LANE_DOCUMENT,
            (Change("set", "/parked", key), Change("set", "/due", clock.written(until))),
            condition="FROM c WHERE ARRAY_LENGTH(c.pending) > 0 AND c.trying = null AND c.blocked = null",
        )
        try:
            return await self._container.patch(parked, lane)
        except (NotThere, ConditionFailed):
            return None

    async def wait(self, begun: Try, outcome: Outcome, until: datetime, parked: str | None) -> bool:
        """The try failed for now: the line waits with its head, and is woken early if `parked` names who is to blame.

        False when the line has become prompt meanwhile (or is it no more): nothing is changed, and `until` is to be
        reckoned anew. Raises Gone, or ConditionFailed when overtaken.
        """
        delivery = begun.delivery
        due = clock.written(until)
        prompts = "> 0" if begun.urgency is Urgency.PROMPT else "= 0"
        line = Patch(
            LANE_DOCUMENT,
            (
                Change("set", "/due", due),
                Change("set", "/waitUntil", due),
                Change("incr", "/waits", 1),
                Change("set", "/trying", None),
                Change("set", "/parked", parked),
            ),
            condition=f"FROM c WHERE {_mine(delivery)} AND c.prompts {prompts}",
        )
        try:
            await self._container.batch((_moved(delivery, Step.WAIT, outcome, due), line), delivery.lane)
        except ConditionFailed as error:
            if error.index == 1 and await self._still_mine(delivery):
                return False
            await self._give_up(begun, error, outcome.now)
        return True

    async def release(self, begun: Try, key: str, until: datetime) -> None:
        """The try was a probe, and failed: the line is held up by its receiver as before, and only the try is counted.

        A probe comes every few seconds for as long as an outage lasts, so it is no station of the message's road: its
        document would grow beyond what the database takes. Raises ConditionFailed when overtaken.
        """
        changes = (
            Change("set", "/trying", None), Change("set", "/parked", key), Change("set", "/due", clock.written(until)),
        )  # fmt: skip
        await self._container.patch(
            Patch(LANE_DOCUMENT, changes, f"FROM c WHERE {_mine(begun.delivery)}"), begun.delivery.lane
        )

    async def _still_mine(self, delivery: Delivery) -> bool:
        line = await self._container.read(LANE_DOCUMENT, delivery.lane)
        return (
            line is not None
            and bool(line["pending"])
            and line["pending"][0]["id"] == delivery.id
            and _tried(line) == delivery.attempts
        )

    async def end(self, begun: Try, step: Step, outcome: Outcome, refusal: Refusal | None = None) -> bool:
        """The delivery has ended by this step and leaves the line. `refusal` when it is set aside.

        Returns whether the lane has others and can go on with them. Raises Gone, or ConditionFailed when overtaken.
        """
        delivery = begun.delivery
        blocks = refusal is not None and refusal.blocks
        before: list[Operation] = [_moved(delivery, step, outcome, None, refusal)]
        if refusal is not None and refusal.words:
            before.append(Create(_words(delivery, refusal)))
        leaving = self._leaving(begun, outcome.now, delivery.id if blocks else None)
        try:
            return await worklist.settle(self._container, before, leaving, delivery.lane) and not blocks
        except ConditionFailed as error:
            return await self._give_up(begun, error, outcome.now)

    async def _give_up(self, begun: Try, error: ConditionFailed, now: datetime) -> bool:
        if error.index > 0:
            raise error
        await worklist.settle(self._container, (), self._leaving(begun, now, None), begun.delivery.lane)
        raise Gone from error

    def _leaving(self, begun: Try, now: datetime, blocked: str | None) -> Leaving:
        due = now + (LOOK_AT_BLOCKED if blocked else self._grace)
        return Leaving(
            head=_mine(begun.delivery),
            prompt=begun.delivery.event.urgency is Urgency.PROMPT,
            due=due,
            next=begun.next,
            also=(
                Change("set", "/waitUntil", None), Change("set", "/tries", 0), Change("set", "/waits", 0),
                Change("set", "/trying", None), Change("set", "/blocked", blocked),
            ),
        )  # fmt: skip

    async def line(self, lane: Lane) -> Document | None:
        """The lane's line; None when there never was one."""
        return await self._container.read(LANE_DOCUMENT, lane)

    async def has_work(self, lane: Lane) -> bool:
        """Whether the lane has a delivery that is not ended."""
        line = await self.line(lane)
        return line is not None and bool(line["pending"])

    async def postpone(self, lane: Lane, due: datetime) -> None:
        """Say when the lane must be looked at next, if it still has work. Raises Unreachable."""
        await worklist.postpone(self._container, lane, due)

    async def overdue(self, now: datetime, limit: int) -> tuple[Overdue, ...]:
        """Lines whose due time has passed, the longest overdue first."""
        return await worklist.overdue(self._container, now, limit)

    async def looked(self, lane: Lane, due: datetime) -> None:
        """Note that an overdue line was signalled, and when it is to be looked at next. Raises Unreachable."""
        await worklist.looked(self._container, lane, due)

    async def missing(self, since: datetime, until: datetime, limit: int) -> tuple[Missing, ...]:
        """Deliveries routed between two times that have a next step and are in no line."""
        text = (
            "SELECT c.id, c.lane, c.state FROM c WHERE c.type = 'delivery' AND c.routedAt >= @since "
            "AND c.routedAt < @until AND c.state IN ('routed', 'waiting')"
        )
        return await worklist.missing(self._container, text, (since, until), limit, "id")

    async def put_back(self, missing: Missing, now: datetime) -> None:
        """Put a delivery into the line it is missing from."""
        delivery = model.delivery_from({**missing.document, "tried": missing.document["attempts"]}, 0)
        await worklist.join(self._container, (), self._joining(delivery, now), missing.lane)


def _tried(line: Document) -> int:
    """How often the head was tried, ever."""
    return int(line["tries"] + line["pending"][0]["tried"])


def _urgency(line: Document) -> Urgency:
    return Urgency.PROMPT if line["prompts"] else Urgency.ROUTINE


def _mine(delivery: Delivery) -> str:
    # A worker that was given up for dead must not settle its successor's try.
    tries = delivery.attempts - delivery.tried
    return f"c.pending[0].id = '{delivery.id}' AND c.pending[0].tried = {delivery.tried} AND c.tries = {tries}"


def _moved(delivery: Delivery, step: Step, outcome: Outcome, due: str | None, refusal: Refusal | None = None) -> Patch:
    state = lifecycle.after(State.DELIVERING, step)
    allowed = ", ".join(f"'{each}'" for each in lifecycle.states_before(Step.ATTEMPT))
    station = Station(outcome.now, state, outcome.detail, outcome.facts or {})
    changes: dict[str, Any] = {"state": state.value, "attempts": delivery.attempts, "due": due}
    if refusal is not None:
        changes["aside"] = model.aside_document(
            outcome.now, outcome.detail, delivery.key, delivery.event.orgnr, refusal.status
        )
    return Patch(
        delivery.id,
        (
            *(Change("set", f"/{name}", value) for name, value in changes.items()),
            Change("add", "/stations/-", station.document()),
        ),
        condition=f"FROM c WHERE c.state IN ({allowed})",
    )


def _words_id(delivery: str, attempt: int) -> str:
    return f"{delivery}.words.{attempt}"


def _words(delivery: Delivery, refusal: Refusal) -> Document:
    document: Document = {
        "id": _words_id(delivery.id, delivery.attempts), "lane": delivery.lane, "type": "words",
        "delivery": delivery.id, "words": refusal.words,
    }  # fmt: skip
    return document if refusal.kept_for is None else {**document, "ttl": max(1, int(refusal.kept_for.total_seconds()))}
