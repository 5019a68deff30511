"""Back into line: what was set aside (replay) or withdrawn (restore), in the order of acceptance, each once.

One batch moves messages and puts them into their lane's line, so a message is in line or it is not, whatever fails and
however often it is asked for. Nobody opens a payload; it is only looked whether there still is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared import clock
from shared.messages import inserting, lifecycle, model, worklist
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
from shared.messages.lanes import Lane, line_id
from shared.messages.lifecycle import State, Step
from shared.messages.model import Station, payload_id
from shared.messages.urgency import Urgency
from shared.messages.worklist import GRACE, OUTBOUND

AT_ONCE: Final = 25
"""Messages of one lane in one batch, of the hundred operations that Cosmos takes."""

_ATTEMPTS: Final = 20
"""How often a batch is tried anew because its lane is being worked on meanwhile."""

REPLAYED: Final = "HUB_REPLAYED"
RESTORED: Final = "HUB_RESTORED"


@dataclass(frozen=True, slots=True)
class Back:
    """How something comes back, and what its station tells of it."""

    step: Step
    detail: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Returned:
    """What has come back into one lane's line."""

    ids: tuple[str, ...]
    prompt: bool
    """Whether something of it is urgent."""


class Returning:
    """Puts messages back into their lines, in both kinds of lanes."""

    def __init__(self, container: Container, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

    async def with_payload(self, event_lane: Lane, events: Sequence[str]) -> frozenset[str]:
        """Those of these events (of one inbound lane) whose bytes are still kept. They are not read."""
        names = {f"@p{at}": payload_id(event) for at, event in enumerate(dict.fromkeys(events))}
        if not names:
            return frozenset()
        found = await self._container.query(
            " ".join(("SELECT c.id FROM c WHERE c.lane = @lane AND c.id IN (", ", ".join(names), ")")),
            {"@lane": event_lane, **names},
            len(names),
        )
        kept = {each["id"] for each in found}
        return frozenset(event for event in events if payload_id(event) in kept)

    async def deliveries(self, lane: Lane, ids: Sequence[str], back: Back, now: datetime) -> Returned:
        """Put these deliveries of one outbound lane back; those that are not where `back` begins are left alone.

        Raises Unreachable, also when the lane is never left in peace.
        """
        return await self._back(lane, ids, back, now)

    async def events(self, lane: Lane, ids: Sequence[str], back: Back, now: datetime) -> Returned:
        """Put these events of one inbound lane back into the line of those that are not routed. As `deliveries`."""
        return await self._back(lane, ids, back, now)

    async def _back(self, lane: Lane, ids: Sequence[str], back: Back, now: datetime) -> Returned:
        if len(ids) > AT_ONCE:
            raise ValueError("more than one batch")
        for _ in range(_ATTEMPTS):
            line = await self._container.read(line_id(lane), lane)
            found = [await self._container.read(id, lane) for id in ids]
            documents = [each for each in found if each is not None and _can(each, back.step)]
            if not documents:
                return Returned((), prompt=False)
            works = [_work(each, now) for each in documents]
            into = self._into(line, works, now)
            try:
                await self._container.batch((*(_moved(each, back, now) for each in documents), *into), lane)
            except (ConditionFailed, NotThere, AlreadyThere):
                # The line or one of them has moved on: look again.
                continue
            return Returned(
                tuple(each["id"] for each in documents), any(each["urgency"] == Urgency.PROMPT for each in works)
            )
        raise Unreachable("LANE_CONTENDED")

    def _into(self, line: Document | None, works: list[Document], now: datetime) -> tuple[Operation, ...]:
        """What puts them into the line; the first event that comes back makes its inbound lane's."""
        due = now + self._grace
        if line is None:
            first, *others = sorted(works, key=lambda work: work["receivedAt"])
            new = worklist.Joining(first["eventLane"], first, due).new().document
            prompts = sum(work["urgency"] == Urgency.PROMPT for work in works)
            more = {"pending": [first, *others], "waiting": len(works), "prompts": prompts}
            return (Create({**new, **more}),)
        unblocks = next(
            (work["id"] for work in works if line["type"] == OUTBOUND and work["id"] == line["blocked"]), ""
        )
        return inserting.patches(line, works, due, unblocks)


def _can(document: Document, step: Step) -> bool:
    return State(document["state"]) in lifecycle.states_before(step)


def _work(document: Document, now: datetime) -> Document:
    """As it stands in line."""
    if document["type"] == "event":
        return {**model.event_from(document).facts(), "place": document.get("place", 0)}
    return model.delivery_of(document, now).placed()


def _moved(document: Document, back: Back, now: datetime) -> Patch:
    before = State(document["state"])
    state = lifecycle.after(before, back.step)
    station = Station(now, state, back.detail, back.facts)
    changes: list[Change] = [
        Change("set", "/state", state.value),
        Change("add", "/stations/-", station.document()),
    ]
    if document["type"] == "delivery":
        changes.append(Change("set", "/due", clock.written(now)))
    conditions = [f"c.state = '{before}'"]
    aside: dict[str, Any] | None = document.get("aside")
    if aside is not None:
        changes.append(Change("remove", "/aside"))
        conditions.append(f"c.aside.at = '{aside['at']}'")
    return Patch(document["id"], tuple(changes), f"FROM c WHERE {' AND '.join(conditions)}")
