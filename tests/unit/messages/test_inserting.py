"""Whatever comes and goes in a lane: what comes back stands where it was accepted, and nothing is lost."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Document
from shared.messages.lifecycle import State, Step
from shared.messages.model import LANE_DOCUMENT, Delivery, Event
from shared.messages.returning import Back, Returning
from shared.messages.tries import Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.messages.withdrawing import Out, TakingOut, Took
from tests.model.memory import MemoryContainer

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORGNR = "310000019"
LANE = lanes.outbound(ORGNR, "epj", "patient")
SILENCE = timedelta(seconds=90)

type Deed = tuple[Literal["come", "begin", "deliver", "wait", "refuse", "block", "replay", "withdraw", "restore"], int]
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *["come"] * 4,
                "begin",
                "deliver",
                "wait",
                *["refuse"] * 3,
                "block",
                *["replay"] * 2,
                "withdraw",
                "restore",
            )
        ),
        st.integers(0, 9),
    ),
    min_size=10,
    max_size=50,
)


@dataclass
class Lane:
    """One lane, and what a bystander knows of it."""

    container: MemoryContainer = field(default_factory=MemoryContainer)
    came: int = 0
    trying: Try | None = None
    ahead: set[tuple[str, str]] = field(default_factory=set)
    """Who was being tried, and so stands before whom."""
    begun: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.deliveries = DeliveryStore(self.container)
        self.returning = Returning(self.container, self.container)
        self.taking_out = TakingOut(self.container, self.container)

    def line(self) -> Document:
        """The line; an empty one before the first has come."""
        return self.container.documents.get((LANE, LANE_DOCUMENT), {"pending": [], "blocked": None, "trying": None})

    def of_state(self, *states: State) -> list[Document]:
        """Deliveries in one of these states, in the order of acceptance."""
        found = [each for each in self.container.documents.values() if each["type"] == "delivery"]
        return sorted((each for each in found if each["state"] in states), key=lambda each: int(each["place"]))

    async def do(self, deed: str, number: int) -> None:
        """One thing that may happen, if it may now. What ends a try begins one, where none has begun."""
        if deed in ("deliver", "wait", "refuse", "block"):
            await self.begin()
        match deed:
            case "come":
                self.came += 1
                await self.deliveries.create(_delivery(self.came, Urgency.PROMPT if number == 9 else Urgency.ROUTINE))
            case "begin":
                await self.begin()
            case "deliver" if self.trying is not None:
                await self.deliveries.end(self.trying, Step.DELIVER, Outcome(T0))
                self.trying = None
            case "refuse" | "block" if self.trying is not None:
                refusal = Refusal(422, deed == "block", "no")
                await self.deliveries.end(self.trying, Step.QUARANTINE, Outcome(T0, "C"), refusal)
                self.trying = None
            case "wait" if self.trying is not None:
                if not await self.deliveries.wait(self.trying, Outcome(T0, "C"), T0 + SILENCE, None):
                    await self.deliveries.end(self.trying, Step.DELIVER, Outcome(T0))
                self.trying = None
            case "replay":
                await self.back(State.QUARANTINED, Step.REPLAY, number)
            case "restore":
                await self.back(State.WITHDRAWN, Step.RESTORE, number)
            case "withdraw":
                found = self.of_state(State.ROUTED, State.WAITING, State.QUARANTINED)
                for each in found[number : number + 1]:
                    taken = await self.taking_out.delivery(each["id"], LANE, Out(Step.WITHDRAW, "W", {}), T0)
                    held = self.trying is not None and self.trying.delivery.id == each["id"]
                    assert taken.took is (Took.BUSY if held else Took.OUT)

    async def begin(self) -> None:
        """A worker tries the head."""
        if self.trying is not None:
            return
        begun = await self.deliveries.begin(LANE, Urgency.ROUTINE, T0, SILENCE, woken=True)
        if isinstance(begun, Try):
            # No try of a delivery has the number of another.
            assert (begun.delivery.id, begun.delivery.attempts) not in self.begun
            self.begun.add((begun.delivery.id, begun.delivery.attempts))
            self.trying = begun

    async def back(self, state: State, step: Step, number: int) -> None:
        """Some of them come back: every other one, from one on."""
        ids = [each["id"] for each in self.of_state(state)[number % 3 :: 2]][:25]
        returned = await self.returning.deliveries(LANE, ids, Back(step, "B", {}), T0)
        assert list(returned.ids) == ids
        if self.trying is not None:
            self.ahead |= {(self.trying.delivery.id, id) for id in ids}

    def check(self) -> None:
        """What holds at every moment."""
        line = self.line()
        pending = line["pending"]
        ids = [each["id"] for each in pending]
        for at, one in enumerate(pending):
            for other in pending[at + 1 :]:
                assert one["place"] < other["place"] or (one["id"], other["id"]) in self.ahead
        # Everything is in line, and once, or has ended or waits for a person.
        assert sorted(ids) == sorted(each["id"] for each in self.of_state(State.ROUTED, State.WAITING))
        if self.came:
            assert line["waiting"] == len(pending)
            assert line["prompts"] == sum(each["urgency"] == "prompt" for each in pending)
            assert line["since"] == (pending[0]["receivedAt"] if pending else None)
            assert pending or line["due"] is None or line["blocked"]
            assert line["due"] is not None or not pending
        aside = self.of_state(State.QUARANTINED)
        assert all(("aside" in each) == (each in aside) for each in self.of_state(*State))
        assert line["blocked"] is None or line["blocked"] in {each["id"] for each in aside}


def _delivery(place: int, urgency: Urgency) -> Delivery:
    inbound = lanes.inbound(ORGNR, "patient")
    id = lanes.event_id(
        inbound, sender="v", orgnr=ORGNR, resource="bundle", business_identifier=None, sha256=f"{place}"
    )
    event = Event(
        id=id, lane=inbound, patient="patient", orgnr=ORGNR, resource="bundle", resource_type="Bundle", sender="v",
        sha256=f"{place}", size=2, content_type="", correlation_id="c", traceparent="",
        received_at=T0 + timedelta(seconds=place), urgency=urgency,
    )  # fmt: skip
    return Delivery(lanes.delivery_id(id, "epj"), LANE, "epj", 0, T0, event, place)


@settings(max_examples=200, deadline=None)
@given(DEEDS)
@example([("come", 0), ("refuse", 0), ("come", 0), ("wait", 0), ("replay", 0), ("deliver", 0), ("begin", 0)])
@example([("come", 0), ("refuse", 0), ("come", 0), ("refuse", 0), ("replay", 1), ("replay", 0)])
@example([("come", 0), ("come", 0), ("begin", 0), ("withdraw", 1), ("deliver", 0)])
@example([("come", 0), ("block", 0), ("come", 0), ("withdraw", 0), ("deliver", 0)])
def test_what_comes_back_stands_in_the_order_of_acceptance_and_nothing_is_lost(deeds: list[Deed]) -> None:
    async def live() -> None:
        lane = Lane()
        for deed, number in deeds:
            await lane.do(deed, number)
            lane.check()

    asyncio.run(live())
