"""The store of deliveries: what each receiver has got and what it waits for.

A partition is one outbound lane: its deliveries, and one `lane` document that is the lane's line: the deliveries not
ended yet, in order and with all that handing them over needs, how often the first of them was tried, until when it
waits (`waitUntil`, P4), and when the lane must be looked at next (`due`, P2).

A try begins by being counted in the lane, before it is made, in the same operation that tells what there is to do. Its
outcome is one batch over the delivery and the lane. The number of the try is the fence between two workers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared import clock
from shared.messages import lifecycle, model, worklist
from shared.messages.documents import Change, ConditionFailed, Container, Create, Document, NotThere, Patch
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.model import LANE_DOCUMENT, Delivery, Station
from shared.messages.worklist import GRACE, Leaving

_LANE: Final = 1

_EARLY: Final = timedelta(milliseconds=100)
"""A scheduled signal may come this much before its time, since two clocks are involved."""


@dataclass(frozen=True, slots=True)
class Try:
    """A try that has begun: of which delivery, and whether others stand behind it in line."""

    delivery: Delivery
    more: bool


class Gone(Exception):
    """The delivery was ended by another way (withdrawn, expired) while it was being tried; its lane can go on."""


class DeliveryStore:
    """Deliveries in the container `deliveries`."""

    def __init__(self, container: Container, grace: timedelta = GRACE) -> None:
        self._container = container
        self._grace = grace

    async def create(self, delivery: Delivery) -> bool:
        """Put a delivery at the end of its lane. False when it is there already (routing goes on where it stopped)."""
        due = clock.written(delivery.routed_at + self._grace)
        work = delivery.work()
        keep = Create(delivery.document())
        queue = Patch(
            LANE_DOCUMENT,
            (Change("add", "/pending/-", work), Change("incr", "/accepted", 1), Change("set", "/due", due)),
        )
        first = Create({
            "id": LANE_DOCUMENT, "lane": delivery.lane, "type": "lane", "receiver": delivery.receiver, "accepted": 1,
            "pending": [work], "due": due, "waitUntil": None, "tries": 0, "trying": False,
        })  # fmt: skip
        return await worklist.join(self._container, (keep,), queue, first, delivery.lane)

    async def find(self, delivery: str, lane: Lane) -> Document | None:
        """The delivery's document as of now, a try that is being made included; None when there is none."""
        document = await self._container.read(delivery, lane)
        if document is None or State(document["state"]) not in lifecycle.states_before(Step.ATTEMPT):
            return document
        line = await self._container.read(LANE_DOCUMENT, lane)
        if line is None or not line["trying"] or line["pending"][0]["id"] != delivery:
            return document
        return {**document, "state": State.DELIVERING.value, "attempts": line["tries"], "due": line["due"]}

    async def begin(self, lane: Lane, now: datetime, silence: timedelta) -> Try | None:
        """Begin a try of the lane's first delivery, unless there is none or it must wait.

        `silence` is after how long somebody must look again if this worker is never heard of.
        """
        early = clock.written(now + _EARLY)
        begun = Patch(
            LANE_DOCUMENT,
            (
                Change("incr", "/tries", 1),
                Change("set", "/trying", True),
                Change("set", "/due", clock.written(now + silence)),
            ),
            condition=f"FROM c WHERE ARRAY_LENGTH(c.pending) > 0 AND (c.waitUntil = null OR c.waitUntil <= '{early}')",
        )
        try:
            line = await self._container.patch(begun, lane)
        except NotThere:
            return None
        except ConditionFailed:
            await self._wait_on(lane)
            return None
        return Try(model.delivery_from(line["pending"][0], line["tries"]), more=len(line["pending"]) > 1)

    async def _wait_on(self, lane: Lane) -> None:
        # Someone joined the line while its head waits: the lane is due when the head is, no earlier.
        line = await self._container.read(LANE_DOCUMENT, lane)
        if line is not None and line["pending"] and line["waitUntil"] and line["due"] != line["waitUntil"]:
            await self.postpone(lane, clock.read(line["waitUntil"]))

    async def wait(self, delivery: Delivery, now: datetime, until: datetime, detail: str) -> None:
        """The try failed for now: the lane waits with its head. Raises Gone, or ConditionFailed when overtaken."""
        due = clock.written(until)
        changes = (Change("set", "/due", due), Change("set", "/waitUntil", due), Change("set", "/trying", False))
        lane = Patch(LANE_DOCUMENT, changes, condition=f"FROM c WHERE {_mine(delivery)}")
        try:
            await self._container.batch((_moved(delivery, Step.WAIT, now, detail, due), lane), delivery.lane)
        except ConditionFailed as error:
            await self._give_up(delivery, error, now)

    async def end(self, delivery: Delivery, step: Step, now: datetime, detail: str, more: bool) -> bool:
        """The delivery has ended by this step and leaves the line.

        `more` is whether others were seen behind it; returns whether there are. Raises Gone, or ConditionFailed when
        overtaken.
        """
        leaving = Leaving(_mine(delivery), now + self._grace, more, _NEXT)
        try:
            return await worklist.settle(
                self._container, _moved(delivery, step, now, detail, None), leaving, delivery.lane
            )
        except ConditionFailed as error:
            return await self._give_up(delivery, error, now)

    async def _give_up(self, delivery: Delivery, error: ConditionFailed, now: datetime) -> bool:
        if error.index == _LANE:
            raise error
        await worklist.settle(
            self._container, None, Leaving(_mine(delivery), now + self._grace, True, _NEXT), delivery.lane
        )
        raise Gone from error

    async def has_work(self, lane: Lane) -> bool:
        """Whether the lane has a delivery that is not ended."""
        line = await self._container.read(LANE_DOCUMENT, lane)
        return line is not None and bool(line["pending"])

    async def postpone(self, lane: Lane, due: datetime) -> None:
        """Say when the lane must be looked at next, if it still has work. Raises Unreachable."""
        await worklist.postpone(self._container, lane, due)

    async def overdue(self, now: datetime, limit: int) -> tuple[tuple[Lane, datetime], ...]:
        """Lanes whose due time has passed, the oldest first."""
        return await worklist.overdue(self._container, now, limit)


_NEXT: Final = (Change("set", "/waitUntil", None), Change("set", "/tries", 0), Change("set", "/trying", False))
"""What a lane forgets when its head leaves."""


def _mine(delivery: Delivery) -> str:
    # A worker that was given up for dead must not settle its successor's try.
    return f"c.pending[0].id = '{delivery.id}' AND c.tries = {delivery.attempts}"


def _moved(delivery: Delivery, step: Step, now: datetime, detail: str, due: str | None) -> Patch:
    state = lifecycle.after(State.DELIVERING, step)
    allowed = ", ".join(f"'{each}'" for each in lifecycle.states_before(Step.ATTEMPT))
    changes: tuple[tuple[str, Any], ...] = (("state", state.value), ("attempts", delivery.attempts), ("due", due))
    return Patch(
        delivery.id,
        (
            *(Change("set", f"/{name}", value) for name, value in changes),
            Change("add", "/stations/-", Station(now, state, detail).document()),
        ),
        condition=f"FROM c WHERE c.state IN ({allowed})",
    )
