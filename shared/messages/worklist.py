"""A lane's list of work: joining it, leaving it, and when somebody must look at it.

Both kinds of lanes keep one `lane` document in their partition: `pending`, the work in order, and `due`, when somebody
must have looked at it (P2). Whatever joins or leaves does so in one batch with the document it is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared import clock
from shared.messages.documents import AlreadyThere, Change, ConditionFailed, Container, Create, NotThere, Patch
from shared.messages.lanes import Lane
from shared.messages.model import LANE_DOCUMENT

GRACE: Final = timedelta(seconds=15)
"""How long a signal has before the orphan check takes it for lost, unless the settings say otherwise."""


async def join(container: Container, keep: Sequence[Create], queue: Patch, first: Create, lane: Lane) -> bool:
    """Keep documents and put their work at the end of the lane's list, all or nothing.

    `first` is the list itself, for the lane's first work. False when the documents were kept before.
    """
    while True:
        try:
            await container.batch((*keep, queue), lane)
        except NotThere:
            # A lane's first work brings the list. Two may race for it: the loser finds it and adds to it.
            try:
                await container.batch((*keep, first), lane)
            except AlreadyThere as error:
                if error.index == len(keep):
                    continue
                return False
        except AlreadyThere:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Leaving:
    """The head of a lane leaves its list."""

    head: str
    """The condition that it still is the head."""
    due: datetime
    """When the lane must be looked at next, if others are behind the head."""
    more: bool
    """Whether others were seen behind it."""
    also: tuple[Change, ...] = ()

    def patch(self) -> Patch:
        """The change to the lane's document."""
        # A lane may be said to have nothing due only while nobody has joined it since it was read: else the one who
        # joined would be known to nobody if its signal were lost (P2).
        alone = "" if self.more else " AND ARRAY_LENGTH(c.pending) = 1"
        due = clock.written(self.due) if self.more else None
        changes = (Change("remove", "/pending/0"), Change("set", "/due", due), *self.also)
        return Patch(LANE_DOCUMENT, changes, condition=f"FROM c WHERE {self.head}{alone}")


async def settle(container: Container, moved: Patch | None, leaving: Leaving, lane: Lane) -> bool:
    """Move a message to its next state and take it off its lane's list, both or neither.

    Returns whether others are left in the lane. Raises ConditionFailed when the message or the lane's head is not what
    the caller took it for.
    """
    before = (moved,) if moved else ()
    try:
        await container.batch((*before, leaving.patch()), lane)
    except ConditionFailed as error:
        if leaving.more or error.index != len(before):
            raise
        await container.batch((*before, replace(leaving, more=True).patch()), lane)
        return True
    return leaving.more


async def overdue(container: Container, now: datetime, limit: int) -> tuple[tuple[Lane, datetime], ...]:
    """Lanes of a container that were due before `now`, the oldest first."""
    found = await container.query(
        "SELECT c.lane, c.due FROM c WHERE c.type = 'lane' AND c.due < @now ORDER BY c.due",
        {"@now": clock.written(now)},
        limit,
    )
    return tuple((Lane(entry["lane"]), clock.read(entry["due"])) for entry in found)


async def postpone(container: Container, lane: Lane, due: datetime) -> None:
    """Set a lane's due time, if it has work left."""
    try:
        await container.patch(
            Patch(
                LANE_DOCUMENT,
                (Change("set", "/due", clock.written(due)),),
                condition="FROM c WHERE ARRAY_LENGTH(c.pending) > 0",
            ),
            lane,
        )
    except (ConditionFailed, NotThere):
        return
