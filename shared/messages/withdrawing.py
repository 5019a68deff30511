"""Taking a message out before its receiver has it: withdrawn by a person, or expired because its time is over.

Out of its line if it stands in one, and out of what is set aside if it is there; a lane that it blocked goes on. What
is being handed over at that moment cannot be taken back: whoever asks is told to ask again shortly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from shared import clock
from shared.messages import lifecycle
from shared.messages.documents import Change, ConditionFailed, Container, Document, NotThere, Patch, Unreachable
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.model import LANE_DOCUMENT, Station
from shared.messages.urgency import Urgency
from shared.messages.worklist import GRACE, stands

WITHDRAWN: Final = "HUB_WITHDRAWN"
EXPIRED: Final = "HUB_EXPIRED"

_ATTEMPTS: Final = 20


class Took(Enum):
    """What came of it."""

    OUT = auto()
    """It has been taken out."""
    BEFORE = auto()
    """It was out already."""
    BUSY = auto()
    """It is being handed over, or routed, at this moment."""
    TOO_LATE = auto()
    """It has ended in another way."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it, and whether its lane has something to do now."""

    took: Took
    goes_on: Urgency | None = None
    """The class of the line, if others are there who can go on."""


@dataclass(frozen=True, slots=True)
class Out:
    """How something is taken out, and what its station tells of it."""

    step: Step
    detail: str
    facts: Mapping[str, str]


class TakingOut:
    """Takes messages out of their lines and of what is set aside."""

    def __init__(self, events: Container, deliveries: Container, grace: timedelta = GRACE) -> None:
        self._events = events
        self._deliveries = deliveries
        self._grace = grace

    async def event(self, id: str, lane: Lane, out: Out, now: datetime) -> Taken:
        """Take out an event that is set aside. One that is being routed is busy; one that is routed has deliveries.

        Raises Unreachable.
        """
        document = await self._events.read(id, lane)
        state = State(document["state"]) if document is not None else State.EXPIRED
        if document is None or state is not State.QUARANTINED:
            return Taken(_instead(state, out.step, busy=state is State.RECEIVED))
        try:
            await self._events.batch((_moved(document, out, now),), lane)
        except (ConditionFailed, NotThere):
            return Taken(Took.BUSY)
        return Taken(Took.OUT)

    async def delivery(self, id: str, lane: Lane, out: Out, now: datetime, *, aside_only: bool = False) -> Taken:
        """Take out a delivery that is in line or set aside (or only if it is set aside).

        Raises Unreachable, also for a lane that is never left in peace.
        """
        for _ in range(_ATTEMPTS):
            document = await self._deliveries.read(id, lane)
            state = State(document["state"]) if document is not None else State.EXPIRED
            if document is None or state not in lifecycle.states_before(out.step):
                return Taken(_instead(state, out.step, busy=state is State.DELIVERING))
            line = await self._deliveries.read(LANE_DOCUMENT, lane)
            if line is None or (aside_only and "aside" not in document):
                return Taken(Took.BUSY)
            at = next((at for at, work in enumerate(line["pending"]) if work["id"] == id), None)
            if (at is None) != ("aside" in document):
                # Read at two moments: in line and set aside, or neither.
                continue
            if at == 0 and line["trying"]:
                return Taken(Took.BUSY)
            change = self._unblocked(line, id, now) if at is None else self._left(line, at, now)
            try:
                await self._deliveries.batch((_moved(document, out, now), *(() if change is None else (change,))), lane)
            except (ConditionFailed, NotThere):
                continue
            return Taken(Took.OUT, _goes_on(line, at, id))
        raise Unreachable("LANE_CONTENDED")

    def _unblocked(self, line: Document, id: str, now: datetime) -> Patch | None:
        if line["blocked"] != id:
            return None
        due = clock.written(now + self._grace) if line["pending"] else None
        return Patch(
            LANE_DOCUMENT,
            (Change("set", "/blocked", None), Change("set", "/due", due)),
            f"FROM c WHERE c.blocked = '{id}' AND ARRAY_LENGTH(c.pending) {'> 0' if line['pending'] else '= 0'}",
        )

    def _left(self, line: Document, at: int, now: datetime) -> Patch:
        pending = line["pending"]
        changes = [Change("remove", f"/pending/{at}"), Change("incr", "/waiting", -1)]
        if pending[at]["urgency"] == Urgency.PROMPT:
            changes.append(Change("incr", "/prompts", -1))
        conditions = [stands(at, pending[at])]
        if at == 0:
            behind = pending[1] if len(pending) > 1 else None
            changes += [
                Change("set", "/tries", 0), Change("set", "/waits", 0), Change("set", "/waitUntil", None),
                Change("set", "/since", behind["receivedAt"] if behind else None),
                Change("set", "/due", clock.written(now + self._grace) if behind else None),
            ]  # fmt: skip
            conditions += [
                "c.trying = null",
                stands(1, behind) if behind else "ARRAY_LENGTH(c.pending) = 1",
            ]
        return Patch(LANE_DOCUMENT, tuple(changes), f"FROM c WHERE {' AND '.join(conditions)}")


def _instead(state: State, step: Step, *, busy: bool) -> Took:
    if busy:
        return Took.BUSY
    done = State.WITHDRAWN if step is Step.WITHDRAW else State.EXPIRED
    return Took.BEFORE if state is done else Took.TOO_LATE


def _moved(document: Document, out: Out, now: datetime) -> Patch:
    before = State(document["state"])
    state = lifecycle.after(before, out.step)
    changes = [
        Change("set", "/state", state.value),
        Change("add", "/stations/-", Station(now, state, out.detail, out.facts).document()),
    ]
    if document["type"] == "delivery":
        changes.append(Change("set", "/due", None))
    conditions = [f"c.state = '{before}'"]
    if "aside" in document:
        changes.append(Change("remove", "/aside"))
        conditions.append(f"c.aside.at = '{document['aside']['at']}'")
    return Patch(document["id"], tuple(changes), f"FROM c WHERE {' AND '.join(conditions)}")


def _goes_on(line: Document, at: int | None, id: str) -> Urgency | None:
    unblocked = at is None and line["blocked"] == id and line["pending"]
    freed = at == 0 and len(line["pending"]) > 1 and not line["blocked"]
    if not unblocked and not freed:
        return None
    return Urgency.PROMPT if line["prompts"] else Urgency.ROUTINE
