"""A lane's line of work: joining it, leaving it, and when somebody must look at it.

Both kinds of lanes keep one such document each: `pending`, the work in order; `since`, when the first
of it was accepted; `waiting` and `prompts`, how much there is and how much of it is prompt; and `due`, when somebody
must have looked at it (P2). Whatever joins or leaves does so in one batch with the document it is about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from shared import clock
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
    StoreError,
)
from shared.messages.lanes import Lane, line_id
from shared.messages.urgency import Urgency

INBOUND: Final = "lane"
OUTBOUND: Final = "line"
"""The `type` of lines: of what is not routed yet, and of what a receiver has not got yet."""

GRACE: Final = timedelta(seconds=15)
"""How long a signal has before the orphan check takes it for lost, unless the settings say otherwise."""


class Joined(Enum):
    """How something came into a line."""

    AGAIN = auto()
    """It did not: it was kept before."""
    FIRST = auto()
    """It is at the head."""
    BEHIND = auto()
    """Others stand before it, so the line has a next step already."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Work that joins a line. Its `receivedAt` and `urgency` are read."""

    lane: Lane
    work: Document
    due: datetime
    """By when somebody must look at the line, if this is its first work or is prompt."""
    kind: str = INBOUND
    """The line's `type`."""
    line: Document = field(default_factory=dict)
    """What a line of this kind is made with, beside what all lines have."""
    lead: tuple[Change, ...] = ()
    """What it changes about a line that is empty."""
    hurry: tuple[Change, ...] = ()
    """What prompt work changes about a line that others stand in."""

    @property
    def _prompt(self) -> bool:
        return bool(self.work["urgency"] == Urgency.PROMPT)

    @property
    def _common(self) -> tuple[Change, ...]:
        prompt = (Change("incr", "/prompts", 1),) if self._prompt else ()
        place = (Change("incr", "/accepted", 1),) if self._takes_a_place else ()
        return (Change("add", "/pending/-", self.work), Change("incr", "/waiting", 1), *place, *prompt)

    @property
    def _takes_a_place(self) -> bool:
        """Whoever has come back brings their own."""
        return "place" not in self.work

    @property
    def _due(self) -> Change:
        return Change("set", "/due", clock.written(self.due))

    def first(self) -> Patch:
        """Into a line that is empty."""
        since = Change("set", "/since", self.work["receivedAt"])
        changes = (*self._common, self._due, since, *self.lead)
        return Patch(line_id(self.lane), changes, "FROM c WHERE ARRAY_LENGTH(c.pending) = 0")

    def behind(self) -> Patch:
        """Into a line in which others stand. Its next step stays what it is, unless this is prompt."""
        hurry = (self._due, *self.hurry) if self._prompt else ()
        return Patch(line_id(self.lane), (*self._common, *hurry), "FROM c WHERE ARRAY_LENGTH(c.pending) > 0")

    def new(self) -> Create:
        """Into a line that is made for it."""
        return Create({
            **self.line, "id": line_id(self.lane), "lane": self.lane, "type": self.kind,
            "accepted": int(self._takes_a_place), "waiting": 1,
            "prompts": int(self._prompt), "pending": [self.work], "since": self.work["receivedAt"],
            "due": clock.written(self.due), "looked": 0,
        })  # fmt: skip


class _Way(Enum):
    """What a line is taken to be."""

    EMPTY = auto()
    OTHERS = auto()
    NONE = auto()

    def operation(self, joining: Joining) -> Operation:
        match self:
            case _Way.EMPTY:
                return joining.first()
            case _Way.OTHERS:
                return joining.behind()
            case _Way.NONE:
                return joining.new()

    def instead(self, error: StoreError) -> "_Way":
        """What it is, since it is not this."""
        if isinstance(error, NotThere):
            return _Way.NONE
        # Two may race for a lane's first work: the loser finds the line and joins it.
        return _Way.OTHERS if self is _Way.EMPTY else _Way.EMPTY

    @property
    def joined(self) -> Joined:
        return Joined.BEHIND if self is _Way.OTHERS else Joined.FIRST


async def join_all(container: Container, keep: Sequence[Create], joinings: Sequence[Joining]) -> tuple[Joined, ...]:
    """Keep documents and put work at the end of each of these lines (of one partition), all or nothing."""
    ways = [_Way.EMPTY for _ in joinings]
    while True:
        lines = [way.operation(joining) for way, joining in zip(ways, joinings, strict=True)]
        try:
            await container.batch((*keep, *lines), joinings[0].lane)
        except StoreError as error:
            at = error.index - len(keep)
            if at < 0:
                if isinstance(error, AlreadyThere):
                    return tuple(Joined.AGAIN for _ in joinings)
                raise
            ways[at] = ways[at].instead(error)
        else:
            return tuple(way.joined for way in ways)


async def join(container: Container, keep: Sequence[Create], joining: Joining) -> Joined:
    """Keep documents and put their work at the end of the lane's line, all or nothing."""
    (joined,) = await join_all(container, keep, (joining,))
    return joined


@dataclass(frozen=True, slots=True)
class Leaving:
    """The head of a line leaves it."""

    head: str
    """The condition that it still is the head."""
    prompt: bool
    """Whether it is prompt."""
    due: datetime
    """When the line must be looked at next, if others are behind the head."""
    next: Mapping[str, Any] | None
    """The work seen behind it."""
    also: tuple[Change, ...] = ()

    def patch(self, lane: Lane, next: Mapping[str, Any] | None) -> Patch:
        """The change to the lane's line, with this work behind the head."""
        # A line may be said to have nothing due only while nobody has joined it since it was read: else the one who
        # joined would be known to nobody if its signal were lost (P2).
        # And whoever is said to be next must be: others may have come in between, or have been taken out.
        behind = stands(1, next) if next else "ARRAY_LENGTH(c.pending) = 1"
        changes = (
            Change("remove", "/pending/0"),
            Change("incr", "/waiting", -1),
            *((Change("incr", "/prompts", -1),) if self.prompt else ()),
            Change("set", "/due", clock.written(self.due) if next else None),
            Change("set", "/since", next["receivedAt"] if next else None),
            *self.also,
        )
        return Patch(line_id(lane), changes, condition=f"FROM c WHERE {self.head} AND {behind}")


async def settle(container: Container, before: Sequence[Operation], leaving: Leaving, lane: Lane) -> bool:
    """Move a message to its next state and take it off its lane's line, both or neither.

    Returns whether others are left in the line. Raises ConditionFailed (with the index in `before`, or its length)
    when the message or the line's head is not what the caller took it for.
    """
    next = leaving.next
    while True:
        try:
            await container.batch((*before, leaving.patch(lane, next)), lane)
        except ConditionFailed as error:
            if error.index != len(before):
                raise
            line = await container.read(line_id(lane), lane)
            behind = line["pending"][1] if line is not None and len(line["pending"]) > 1 else None
            if _name(behind) == _name(next):
                # It is the head that is another.
                raise
            next = behind
        else:
            return next is not None


def stands(at: int, work: Mapping[str, Any]) -> str:
    """The condition that this work stands there in the line."""
    name, value = _name(work)
    return f"c.pending[{at}].{name} = '{value}'"


def _name(work: Mapping[str, Any] | None) -> tuple[str, str]:
    # A delivery is known by its id; an event in its line has none but that of the event.
    if work is None:
        return "", ""
    name = "id" if "id" in work else "event"
    return name, work[name]


@dataclass(frozen=True, slots=True)
class Overdue:
    """A line that somebody should have looked at."""

    lane: Lane
    due: datetime
    urgency: Urgency
    """Prompt when anything in it is."""
    key: str
    """Of an outbound line: its receiver's."""
    held: bool
    """Whether it was known to have to wait for something: its receiver, or a person."""
    looked: int
    """How often it was signalled for being overdue since somebody was last at it."""


async def overdue(container: Container, kind: str, now: datetime, limit: int) -> tuple[Overdue, ...]:
    """Lines of a kind that were due before `now`, the longest overdue first."""
    found = await container.query(
        "SELECT c.lane, c.due, c.prompts, c.key, c.parked, c.blocked, c.looked FROM c WHERE c.type = @kind "
        "AND c.due < @now ORDER BY c.due",
        {"@kind": kind, "@now": clock.written(now)},
        limit,
    )
    return tuple(
        Overdue(
            Lane(entry["lane"]),
            clock.read(entry["due"]),
            Urgency.PROMPT if entry["prompts"] else Urgency.ROUTINE,
            entry.get("key", ""),
            bool(entry.get("parked") or entry.get("blocked")),
            entry["looked"],
        )
        for entry in found
    )


def places(line: Document) -> list[int]:
    """The place in the order of acceptance of each that stands in a line.

    Whoever leaves does so from the head, so those left have the last places that were given; but for those that were
    set aside or withdrawn and have come back, which have brought their own. Whoever is withdrawn from the middle leaves
    a place that nobody has: `left`, of whoever stands before it, says how many there are.
    """
    pending = line["pending"]
    place = line["accepted"] - sum(("place" not in work) + work.get("left", 0) for work in pending)
    found = []
    for work in pending:
        place += "place" not in work
        found.append(work.get("place", place))
        place += work.get("left", 0)
    return found


def at(line: Document | None, id: str) -> int | None:
    """Where this work stands in a line; None: it does not."""
    pending = line["pending"] if line is not None else ()
    return next((at for at, work in enumerate(pending) if work["id"] == id), None)


async def postpone(container: Container, lane: Lane, due: datetime, *more: Change) -> None:
    """Set a line's due time, if it has work left."""
    try:
        await container.patch(
            Patch(
                line_id(lane),
                (Change("set", "/due", clock.written(due)), *more),
                condition="FROM c WHERE ARRAY_LENGTH(c.pending) > 0",
            ),
            lane,
        )
    except (ConditionFailed, NotThere):
        return


async def looked(container: Container, lane: Lane, due: datetime) -> None:
    """Note that an overdue line was signalled, and when it is to be looked at next."""
    await postpone(container, lane, due, Change("incr", "/looked", 1))


@dataclass(frozen=True, slots=True)
class Missing:
    """A message that has a next step and stands in no line."""

    id: str
    lane: Lane
    document: Document


async def missing(
    container: Container, text: str, window: tuple[datetime, datetime], limit: int, member: str
) -> tuple[Missing, ...]:
    """Those that `text` finds between two times (@since, @until) and that are not in their lines.

    `member` is what a line's work calls them by.
    """
    since, until = window
    found = await container.query(text, {"@since": clock.written(since), "@until": clock.written(until)}, limit)
    left_out: list[Missing] = []
    lines: dict[Lane, Document | None] = {}
    for document in found:
        lane = Lane(document["lane"])
        if lane not in lines:
            lines[lane] = await container.read(line_id(lane), lane)
        line = lines[lane]
        if line is not None and any(work[member] == document["id"] for work in line["pending"]):
            continue
        # It may have moved on between the two looks.
        now = await container.read(document["id"], lane)
        if now is not None and now["state"] == document["state"]:
            left_out.append(Missing(document["id"], lane, now))
    return tuple(left_out)
