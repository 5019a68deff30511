"""Whatever comes and goes in a lane: what comes back stands where it was accepted, and nothing is lost."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore, Outcome, Refusal, Try, standing
from shared.messages.documents import Document
from shared.messages.events import Receipt
from shared.messages.intake import Intake, Keeping
from shared.messages.lifecycle import State, Step
from shared.messages.model import Delivery, Event
from shared.messages.owning import UNSURE, owner
from shared.messages.partitions import ByLane
from shared.messages.returning import Back, Returning
from shared.messages.urgency import Urgency
from shared.messages.withdrawing import Out, TakingOut, Took
from tests.model.memory import MemoryContainer

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORGNR = "310000019"
LANE = lanes.outbound(ORGNR, "epj", "patient")
SILENCE = timedelta(seconds=90)

type Name = Literal[
    "come", "come for nobody", "route", "begin", "tell", "deliver", "wait", "refuse", "block", "replay", "withdraw",
    "restore",
]  # fmt: skip
type Deed = tuple[Name, int]
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *["come"] * 4,
                "come for nobody",
                "route",
                "begin",
                "tell",
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
    order: dict[str, int] = field(default_factory=dict)
    """The order of acceptance."""
    for_nobody: list[Delivery] = field(default_factory=list)
    """Accepted when there was no such receiver."""
    trying: Try | None = None
    ahead: set[tuple[str, str]] = field(default_factory=set)
    """Who was being tried, or might have been, and so stands before whom."""
    begun: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        messages = ByLane(self.container)
        self.intake = Intake(messages)
        self.deliveries = DeliveryStore(messages)
        self.returning = Returning(messages)
        self.taking_out = TakingOut(messages)

    def line(self) -> Document:
        """The line; an empty one before the first has come."""
        nothing: Document = {"pending": [], "blocked": None, "trying": None, "owner": None, "taken": None}
        return self.container.documents.get((lanes.partition_of(LANE), lanes.line_id(LANE)), nothing)

    def of_state(self, *states: State) -> list[Document]:
        """Deliveries in one of these states, in the order of acceptance."""
        found = {each["id"]: each for each in self.container.documents.values() if each["type"] == "delivery"}
        line = self.line()
        for at, work in enumerate(line["pending"]):
            assert (work["id"] in found) == work["kept"]
            if work["id"] not in found:
                found[work["id"]] = standing(line, at)
        wanted = [each for each in found.values() if each["state"] in states]
        return sorted(wanted, key=lambda each: self.order[each["id"]])

    async def do(self, deed: Name, number: int) -> None:
        """One thing that may happen, if it may now. What ends a try begins one, where none has begun."""
        if deed in ("deliver", "wait", "refuse", "block"):
            await self.begin()
        if self.trying is not None:
            await self.go_on(deed, self.trying)
        match deed:
            case "come" | "come for nobody":
                await self.come(Urgency.PROMPT if number == 9 else Urgency.ROUTINE, somebody=deed == "come")
            case "route" if self.for_nobody:
                delivery = self.for_nobody.pop(number % len(self.for_nobody))
                self.let_ahead(delivery.id)
                await self.deliveries.create(delivery)
            case "begin":
                await self.begin()
            case "replay":
                await self.back(State.QUARANTINED, Step.REPLAY, number)
            case "restore":
                await self.back(State.WITHDRAWN, Step.RESTORE, number)
            case "withdraw":
                found = self.of_state(State.ROUTED, State.WAITING, State.QUARANTINED)
                for each in found[number : number + 1]:
                    await self.withdraw(each["id"])

    async def go_on(self, deed: Name, trying: Try) -> None:
        """What becomes of a try."""
        match deed:
            case "tell":
                self.trying = await self.deliveries.tell(trying, self.by, T0 + SILENCE)
                assert self.trying is not None
                return
            case "deliver":
                await self.deliveries.end(trying, Step.DELIVER, Outcome(T0))
            case "refuse" | "block":
                refusal = Refusal(422, deed == "block", "no")
                await self.deliveries.end(trying, Step.QUARANTINE, Outcome(T0, "C"), refusal)
            case "wait":
                if not await self.deliveries.wait(trying, Outcome(T0, "C"), T0 + SILENCE, None):
                    await self.deliveries.end(trying, Step.DELIVER, Outcome(T0))
            case _:
                return
        self.trying = None

    async def come(self, urgency: Urgency, *, somebody: bool) -> None:
        """The next one is accepted."""
        event = _event(len(self.order) + 1, urgency)
        receipt = Receipt("epj", lanes.delivery_id(event.id, "epj"), LANE)
        self.order[receipt.delivery] = len(self.order)
        await self.intake.accept(event, b"{}", (receipt,) if somebody else (), Keeping(None, {}, {}))
        if not somebody:
            self.for_nobody.append(Delivery(receipt.delivery, LANE, "epj", 0, T0, event))

    async def withdraw(self, id: str) -> None:
        """One is withdrawn, but for the one that is being tried."""
        out, tried = Out(Step.WITHDRAW, "W", {}), self.may_be_tried() == id
        held = self.trying is not None and self.trying.delivery.id == id
        taken = await self.taking_out.delivery(id, LANE, out, T0)
        assert taken.took is (Took.BUSY if tried else Took.OUT)
        if tried and not held:
            assert (await self.taking_out.delivery(id, LANE, out, T0 + UNSURE)).took is Took.OUT

    @property
    def by(self) -> Urgency:
        """The queue whose worker is at it."""
        line = self.line()
        return owner(line) or Urgency((line["taken"] or {"of": Urgency.ROUTINE})["of"])

    async def begin(self) -> None:
        """A worker tries the head."""
        if self.trying is not None:
            return
        begun = await self.deliveries.begin(LANE, self.by, T0, SILENCE, woken=True)
        if isinstance(begun, Try):
            # No try of a delivery has the number of another.
            assert (begun.delivery.id, begun.delivery.attempts) not in self.begun
            self.begun.add((begun.delivery.id, begun.delivery.attempts))
            self.trying = begun

    async def back(self, state: State, step: Step, number: int) -> None:
        """Some of them come back: every other one, from one on."""
        ids = [each["id"] for each in self.of_state(state)[number % 3 :: 2]][:25]
        self.let_ahead(*ids)
        returned = await self.returning.deliveries(LANE, ids, Back(step, "B", {}), T0)
        assert list(returned.ids) == ids

    def may_be_tried(self) -> str | None:
        """The head, if somebody may be at it."""
        line = self.line()
        if not line["pending"] or not (line["trying"] or line["taken"] or owner(line)):
            return None
        return str(line["pending"][0]["id"])

    def let_ahead(self, *ids: str) -> None:
        """These come in: behind the head, if somebody may be at it."""
        head = self.may_be_tried()
        if head is not None:
            self.ahead |= {(head, id) for id in ids}

    def check(self) -> None:
        """What holds at every moment."""
        line = self.line()
        pending = line["pending"]
        ids = [each["id"] for each in pending]
        for at, one in enumerate(ids):
            for other in ids[at + 1 :]:
                assert self.order[one] < self.order[other] or (one, other) in self.ahead
        # Everything is in line, and once, or has ended or waits for a person.
        assert sorted(ids) == sorted(each["id"] for each in self.of_state(State.ROUTED, State.WAITING))
        known = {each["id"] for each in self.of_state(*State)} | {each.id for each in self.for_nobody}
        assert known == set(self.order)
        if "since" in line:
            assert line["waiting"] == len(pending)
            assert line["prompts"] == sum(each["urgency"] == "prompt" for each in pending)
            assert line["since"] == (pending[0]["receivedAt"] if pending else None)
            assert pending or line["due"] is None or line["blocked"]
            assert line["due"] is not None or not pending
        aside = self.of_state(State.QUARANTINED)
        assert all(("aside" in each) == (each in aside) for each in self.of_state(*State))
        assert line["blocked"] is None or line["blocked"] in {each["id"] for each in aside}


def _event(number: int, urgency: Urgency) -> Event:
    inbound = lanes.inbound(ORGNR, "patient")
    id = lanes.event_id(
        inbound, sender="v", orgnr=ORGNR, resource="bundle", business_identifier=None, sha256=f"{number}"
    )
    return Event(
        id=id, lane=inbound, patient="patient", orgnr=ORGNR, resource="bundle", resource_type="Bundle", sender="v",
        sha256=f"{number}", size=2, content_type="", correlation_id="c", traceparent="",
        received_at=T0 + timedelta(seconds=number), urgency=urgency,
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(DEEDS)
@example([("come", 0), ("refuse", 0), ("come", 0), ("wait", 0), ("replay", 0), ("deliver", 0), ("begin", 0)])
@example([("come", 0), ("refuse", 0), ("come", 0), ("refuse", 0), ("replay", 1), ("replay", 0)])
@example([("come", 0), ("come", 0), ("begin", 0), ("withdraw", 1), ("deliver", 0)])
@example([("come", 0), ("block", 0), ("come", 0), ("withdraw", 0), ("deliver", 0)])
@example([("come", 0), ("come", 0), ("block", 0), ("withdraw", 1)])
@example([
    *[("come", 0)] * 3, ("come for nobody", 0), ("route", 0), *[("refuse", 0)] * 4, ("replay", 1),
])  # fmt: skip
@example([("come", 0), ("block", 0), ("come", 0), ("come", 0), ("withdraw", 0), ("begin", 0), ("deliver", 0)])
def test_what_comes_back_stands_in_the_order_of_acceptance_and_nothing_is_lost(deeds: list[Deed]) -> None:
    async def live() -> None:
        lane = Lane()
        for deed, number in deeds:
            await lane.do(deed, number)
            lane.check()

    asyncio.run(live())
