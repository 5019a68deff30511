"""The store of deliveries: what each receiver has got and what it waits for.

A partition is one outbound lane: its deliveries, and one `lane` document that lists those not ended yet, in order, with
when the lane must be looked at next (`due`, P2) and until when its head waits (`waitUntil`, P4).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import clock
from shared.messages import lifecycle, model
from shared.messages.documents import (
    AlreadyThere,
    Change,
    ConditionFailed,
    Container,
    Create,
    Document,
    NotThere,
    Patch,
)
from shared.messages.events import GRACE, Leaving, overdue, postpone, settle
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.model import LANE_DOCUMENT, Delivery, Station

_LANE: Final = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A lane's line of deliveries: who is first, how many there are, and until when the first one waits."""

    head: str
    length: int
    wait_until: datetime | None


class DeliveryStore:
    """Deliveries in the container `deliveries`."""

    def __init__(self, container: Container, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

    async def create(self, delivery: Delivery) -> bool:
        """Put a delivery at the end of its lane. False when it is there already (routing goes on where it stopped)."""
        due = clock.written(delivery.routed_at + self._grace)
        keep = Create(delivery.document())
        queue = Patch(
            LANE_DOCUMENT,
            (Change("add", "/pending/-", delivery.id), Change("incr", "/accepted", 1), Change("set", "/due", due)),
        )
        first = Create({
            "id": LANE_DOCUMENT, "lane": delivery.lane, "type": "lane", "receiver": delivery.receiver,
            "accepted": 1, "pending": [delivery.id], "due": due, "waitUntil": None,
        })  # fmt: skip
        while True:
            try:
                await self._container.batch((keep, queue), delivery.lane)
            except NotThere:
                try:
                    await self._container.batch((keep, first), delivery.lane)
                except AlreadyThere as error:
                    if error.index == _LANE:
                        continue
                    return False
            except AlreadyThere:
                return False
            return True

    async def find(self, delivery: str, lane: Lane) -> Document | None:
        """The delivery's document; None when there is none."""
        return await self._container.read(delivery, lane)

    async def line(self, lane: Lane) -> Line | None:
        """The lane's line; None when nothing is waiting in it."""
        document = await self._container.read(LANE_DOCUMENT, lane)
        if document is None or not document["pending"]:
            return None
        until = document["waitUntil"]
        pending = document["pending"]
        return Line(pending[0], len(pending), clock.read(until) if until else None)

    async def attempt(self, delivery: str, lane: Lane, due: datetime) -> Delivery:
        """Note that a try begins, before it is made, and return the delivery with the number of this try.

        `due` is when somebody must look again if this worker is never heard of. Raises ConditionFailed when the
        delivery is in a state that allows no try, NotThere when there is no such delivery.
        """
        allowed = ", ".join(f"'{state}'" for state in lifecycle.states_before(Step.ATTEMPT))
        document = await self._container.patch(
            Patch(
                delivery,
                (
                    Change("set", "/state", State.DELIVERING.value),
                    Change("incr", "/attempts", 1),
                    Change("set", "/due", clock.written(due)),
                ),
                condition=f"FROM c WHERE c.state IN ({allowed})",
            ),
            lane,
        )
        return model.delivery_from(document)

    async def wait(self, delivery: Delivery, now: datetime, until: datetime, detail: str) -> None:
        """The try failed for now: the lane waits with its head. Raises ConditionFailed when another try began."""
        due = clock.written(until)
        lane = Patch(
            LANE_DOCUMENT,
            (Change("set", "/due", due), Change("set", "/waitUntil", due)),
            condition=f"FROM c WHERE {_is_head(delivery.id)}",
        )
        await self._container.batch((_moved(delivery, Step.WAIT, now, detail, due), lane), delivery.lane)

    async def end(self, delivery: Delivery, step: Step, now: datetime, detail: str, more: bool) -> bool:
        """The delivery has ended by this step and leaves the line.

        `more` is whether others were seen behind it; returns whether there are. Raises ConditionFailed when another try
        began.
        """
        leaving = Leaving(_is_head(delivery.id), now + self._grace, more, _NO_WAIT)
        return await settle(self._container, _moved(delivery, step, now, detail, None), leaving, delivery.lane)

    async def skip(self, delivery: str, lane: Lane, now: datetime, more: bool) -> None:
        """Take a head that has ended otherwise (withdrawn, expired) off the line."""
        try:
            await settle(self._container, None, Leaving(_is_head(delivery), now + self._grace, more, _NO_WAIT), lane)
        except ConditionFailed:
            return

    async def postpone(self, lane: Lane, due: datetime) -> None:
        """Say when the lane must be looked at next, if it still has work. Raises Unreachable."""
        await postpone(self._container, lane, due)

    async def overdue(self, now: datetime, limit: int) -> tuple[tuple[Lane, datetime], ...]:
        """Lanes whose due time has passed, the oldest first."""
        return await overdue(self._container, now, limit)


_NO_WAIT: Final = (Change("set", "/waitUntil", None),)


def _is_head(delivery: str) -> str:
    return f"c.pending[0] = '{delivery}'"


def _moved(delivery: Delivery, step: Step, now: datetime, detail: str, due: str | None) -> Patch:
    state = lifecycle.after(State.DELIVERING, step)
    return Patch(
        delivery.id,
        (
            Change("set", "/state", state.value),
            Change("set", "/due", due),
            Change("add", "/stations/-", Station(now, state, detail).document()),
        ),
        # The number of the try is the fence: a worker that was given up for dead must not settle its successor's try.
        condition=f"FROM c WHERE c.state = '{State.DELIVERING}' AND c.attempts = {delivery.attempts}",
    )
