"""Taking a message out before its receiver has it: withdrawn by a person, or expired because its time is over.

Out of its line if it stands in one, and out of what is set aside if it is there; a lane that it blocked goes on. What
is being handed over at that moment cannot be taken back: whoever asks is told to ask again shortly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from shared import clock
from shared.messages import lifecycle, owning
from shared.messages.deliveries import standing
from shared.messages.documents import (
    AlreadyThere,
    Change,
    ConditionFailed,
    Container,
    Create,
    Document,
    NotThere,
    Operation,
    Patch,
    Unreachable,
)
from shared.messages.lanes import Lane, event_of, line_id
from shared.messages.lifecycle import State, Step
from shared.messages.model import Station
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

    def __init__(self, container: Container, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

    async def event(self, id: str, lane: Lane, out: Out, now: datetime) -> Taken:
        """Take out an event that is set aside. One that is being routed is busy; one that is routed has deliveries.

        Raises Unreachable.
        """
        document = await self._container.read(id, lane)
        state = State(document["state"]) if document is not None else State.EXPIRED
        if document is None or state is not State.QUARANTINED:
            return Taken(_instead(state, out.step, busy=state is State.RECEIVED))
        try:
            await self._container.batch((_moved(document, None, None, out, now),), lane)
        except (ConditionFailed, NotThere):
            return Taken(Took.BUSY)
        return Taken(Took.OUT)

    async def delivery(self, id: str, lane: Lane, out: Out, now: datetime, *, aside_only: bool = False) -> Taken:
        """Take out a delivery that is in line or set aside (or only if it is set aside).

        Raises Unreachable, also for a lane that is never left in peace.
        """
        for _ in range(_ATTEMPTS):
            line = await self._container.read(line_id(lane), lane)
            document = await self._container.read(id, lane)
            at = next((at for at, work in enumerate(line["pending"]) if work["id"] == id), None) if line else None
            if document is None and line is not None and at is not None:
                event = await self._container.read(event_of(id), lane)
                document = standing(line, at, event) if event is not None else None
            state = State(document["state"]) if document is not None else State.EXPIRED
            if document is None or state not in lifecycle.states_before(out.step):
                return Taken(_instead(state, out.step, busy=state is State.DELIVERING))
            if line is None or (aside_only and "aside" not in document):
                return Taken(Took.BUSY)
            if (at is None) != ("aside" in document):
                # Read at two moments: in line and set aside, or neither.
                continue
            if at == 0 and await self._may_be_tried(line, lane, now):
                return Taken(Took.BUSY)
            changes = self._unblocked(line, id, now) if at is None else self._left(line, at, now)
            try:
                await self._container.batch((*changes, _moved(document, line, at, out, now)), lane)
            except (ConditionFailed, NotThere, AlreadyThere):
                continue
            return Taken(Took.OUT, _goes_on(line, at, id))
        raise Unreachable("LANE_CONTENDED")

    async def _may_be_tried(self, line: Document, lane: Lane, now: datetime) -> bool:
        if line["trying"]:
            return True
        if owning.owner(line) is not None:
            # It will be known by the time it is asked for again.
            await owning.take(self._container, lane, line, now)
            return True
        return owning.unsure_until(line, now) is not None

    def _unblocked(self, line: Document, id: str, now: datetime) -> tuple[Patch, ...]:
        if line["blocked"] != id:
            return ()
        due = clock.written(now + self._grace) if line["pending"] else None
        # Nobody was its owner while it was blocked, whatever it says.
        changes = (Change("set", "/blocked", None), Change("set", "/due", due), Change("set", "/owner", None))
        length = "> 0" if line["pending"] else "= 0"
        return (Patch(line["id"], changes, f"FROM c WHERE c.blocked = '{id}' AND ARRAY_LENGTH(c.pending) {length}"),)

    def _left(self, line: Document, at: int, now: datetime) -> tuple[Patch, ...]:
        pending = line["pending"]
        place = _place_left(pending, at) if at > 0 else ()
        changes = [*place, Change("remove", f"/pending/{at}"), Change("incr", "/waiting", -1)]
        if pending[at]["urgency"] == Urgency.PROMPT:
            changes.append(Change("incr", "/prompts", -1))
        conditions = [stands(at, pending[at])]
        if at == 0:
            behind = pending[1] if len(pending) > 1 else None
            changes += [
                Change("set", "/tries", 0), Change("set", "/waits", 0), Change("set", "/waitUntil", None),
                Change("set", "/taken", None),
                Change("set", "/since", behind["receivedAt"] if behind else None),
                Change("set", "/due", clock.written(now + self._grace) if behind else None),
            ]  # fmt: skip
            conditions += [
                "c.trying = null",
                f"c.blocked = '{line['blocked']}'" if line["blocked"] else "c.owner = null",
                stands(1, behind) if behind else "ARRAY_LENGTH(c.pending) = 1",
            ]
        else:
            conditions.append(stands(at - 1, pending[at - 1]))
        return (Patch(line["id"], tuple(changes), f"FROM c WHERE {' AND '.join(conditions)}"),)


def _place_left(pending: Sequence[Mapping[str, Any]], at: int) -> tuple[Change, ...]:
    """Whoever stands before one who leaves from the middle is told of the place that nobody has now: places are counted
    from the end (`worklist.places`)."""
    left = pending[at].get("left", 0) + ("place" not in pending[at])
    before = pending[at - 1].get("left", 0)
    return (Change("set", f"/pending/{at - 1}/left", before + left),) if left else ()


def _instead(state: State, step: Step, *, busy: bool) -> Took:
    if busy:
        return Took.BUSY
    done = State.WITHDRAWN if step is Step.WITHDRAW else State.EXPIRED
    return Took.BEFORE if state is done else Took.TOO_LATE


def _moved(document: Document, line: Document | None, at: int | None, out: Out, now: datetime) -> Operation:
    before = State(document["state"])
    state = lifecycle.after(before, out.step)
    station = Station(now, state, out.detail, out.facts)
    if line is not None and at is not None and not line["pending"][at].get("kept"):
        stations = [*document["stations"], station.document()]
        return Create({**document, "state": state.value, "due": None, "stations": stations})
    changes = [
        Change("set", "/state", state.value),
        Change("add", "/stations/-", station.document()),
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
