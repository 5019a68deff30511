"""Withdrawing, restoring and looking at a receiver's words: written down first, or not done at all."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.access.caller import Person
from shared.errors import HubError, MessageBusy, MessageElsewhere, NotAvailable, PayloadGone, UnknownMessage
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Document, Unreachable
from shared.messages.events import EventStore, Receipt
from shared.messages.intake import Intake, Keeping
from shared.messages.lanes import Lane
from shared.messages.lifecycle import Step
from shared.messages.model import Event, payload_id
from shared.messages.owning import UNSURE
from shared.messages.partitions import ByLane
from shared.messages.returning import REPLAYED, Back, Returning
from shared.messages.signals import Queue
from shared.messages.tries import Outcome, Refusal, Try
from shared.messages.urgency import Urgency
from shared.messages.withdrawing import TakingOut
from shared.registry.register import Register
from shared.road.handling import Handling
from shared.road.permission import Permission
from shared.trail.writing import TrailWriter
from tests.model.memory import MemoryContainer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORGNR = "310000019"
OPERATOR = Person("entra:operator", "", None, "", frozenset({"Knutepunkt.Operator"}))
STRANGER = Person("helseid:stranger", "", ORGNR, "4")
WHY = b'{"why": "sent by mistake"}'


class Log(MemoryContainer):
    """The log; out of reach when it is told so."""

    away = False

    async def create(self, documents: Sequence[Document], partition: str) -> None:
        if self.away:
            raise Unreachable("AWAY")
        await super().create(documents, partition)

    def said(self) -> str:
        """All that is in it."""
        return str(list(self.documents.values()))


class Sent:
    """Signals, written down."""

    def __init__(self) -> None:
        self.lanes: list[tuple[Queue, Lane]] = []

    async def send(
        self,
        queue: Queue,
        lane: Lane,
        due: datetime | None = None,
        *,
        to: str = "",
        woken: bool = False,
        event: str = "",
    ) -> None:
        self.lanes.append((queue, lane))

    async def ready(self) -> bool:
        return True


class Desk:
    """One municipality, one patient, two receivers."""

    def __init__(self) -> None:
        self.now = NOW
        self.documents, self.log = MemoryContainer(), Log()
        messages = ByLane(self.documents)
        self.intake, self.events, self.deliveries = Intake(messages), EventStore(messages), DeliveryStore(messages)
        self.returning, self.sent = Returning(messages), Sent()
        self.handling = Handling(
            permission=Permission(self._nobody, Register(MemoryContainer(), self._clock), self._clock),
            events=self.events,
            deliveries=self.deliveries,
            taking_out=TakingOut(messages),
            returning=self.returning,
            signals=self.sent,
            trail=TrailWriter(self.log, self._clock, "knutepunkt/test"),
            clock=self._clock,
        )

    @staticmethod
    async def _nobody(orgnr: str, subject: str) -> None:
        return None

    def _clock(self) -> datetime:
        return self.now

    async def message(self, number: int = 1, *, routed: bool = True) -> Event:
        """One is accepted for both; or for nobody, and is put back."""
        lane = lanes.inbound(ORGNR, "p")
        id = lanes.event_id(
            lane, sender="v", orgnr=ORGNR, resource="bundle", business_identifier=None, sha256=f"{number}"
        )
        event = Event(
            id=id, lane=lane, patient="p", orgnr=ORGNR, resource="bundle", resource_type="Bundle", sender="v",
            sha256=f"{number}", size=2, content_type="", correlation_id="c", traceparent="",
            received_at=NOW + timedelta(seconds=number),
        )  # fmt: skip
        receipts = [
            Receipt(each, lanes.delivery_id(id, each), lanes.outbound(ORGNR, each, "p")) for each in ("epj", "arkiv")
        ]
        await self.intake.accept(event, b"{}", receipts if routed else (), Keeping(None, {}, {}))
        if not routed:
            await self.returning.events(lane, [id], Back(Step.RETURN, REPLAYED, {}), NOW)
        return event

    async def withdrawn(self, event: Event) -> dict[str, Any]:
        """It is withdrawn, though somebody might be at it who has not said so: that shows in a moment."""
        assert await self.refused(event, "withdraw") is MessageBusy
        self.now += UNSURE
        return await self.handling.withdraw(OPERATOR, event.id, WHY)

    async def begins(self, receiver: str = "epj") -> Try:
        """A receiver's head is tried."""
        lane = lanes.outbound(ORGNR, receiver, "p")
        begun = await self.deliveries.begin(lane, Urgency.ROUTINE, NOW, timedelta(minutes=1))
        assert isinstance(begun, Try)
        return begun

    async def refused(self, event: Event, how: str, person: Person = OPERATOR) -> type[HubError]:
        """What the answer is when it is refused."""
        with pytest.raises(HubError) as error:
            await getattr(self.handling, how)(person, event.id, WHY)
        return error.type


@pytest.fixture
def desk() -> Desk:
    return Desk()


def states(told: dict[str, Any]) -> dict[str, str]:
    return {each["receiver"]: each["state"] for each in told["receivers"]}


async def test_what_one_receiver_has_is_withdrawn_at_the_other(desk: Desk) -> None:
    event = await desk.message()
    await desk.deliveries.end(await desk.begins(), Step.DELIVER, Outcome(NOW))
    told = await desk.withdrawn(event)
    assert states(told) == {"epj": "delivered", "arkiv": "withdrawn"}
    assert all(each in desk.log.said() for each in ("entra:operator", "sent by mistake", event.id))
    entries = len(desk.log.documents)
    # Once more it is as it is, and there is nothing to write down.
    assert await desk.handling.withdraw(OPERATOR, event.id, WHY) == told
    assert len(desk.log.documents) == entries


async def test_what_has_arrived_everywhere_or_is_not_withdrawn_cannot_be_handled(desk: Desk) -> None:
    event = await desk.message()
    assert await desk.refused(event, "restore") is MessageElsewhere
    for receiver in ("epj", "arkiv"):
        await desk.deliveries.end(await desk.begins(receiver), Step.DELIVER, Outcome(NOW))
    assert await desk.refused(event, "withdraw") is MessageElsewhere


async def test_what_is_being_handed_over_or_routed_is_busy(desk: Desk) -> None:
    assert await desk.refused(await desk.message(1, routed=False), "withdraw") is MessageBusy
    event = await Desk.message(other := Desk())
    begun = await other.begins()
    assert await other.refused(event, "withdraw") is MessageBusy
    # It is not known at once whether somebody is at the other receiver's: nobody is.
    other.now += UNSURE
    said = await other.deliveries.tell(begun, Urgency.ROUTINE, other.now + timedelta(minutes=1))
    assert said is not None
    assert await other.refused(event, "withdraw") is MessageBusy
    await other.deliveries.wait(said, Outcome(NOW, "REC_HTTP_503"), NOW + timedelta(hours=1), None)
    assert states(await other.handling.withdraw(OPERATOR, event.id, WHY)) == {"epj": "withdrawn", "arkiv": "withdrawn"}


async def test_who_stood_behind_what_is_withdrawn_goes_on_at_once(desk: Desk) -> None:
    first = await desk.message(1)
    await desk.message(2)
    await desk.withdrawn(first)
    assert {lane for _, lane in desk.sent.lanes} == {lanes.outbound(ORGNR, each, "p") for each in ("epj", "arkiv")}


async def test_nothing_is_restored_without_its_payload(desk: Desk) -> None:
    event = await desk.message()
    await desk.withdrawn(event)
    del desk.documents.documents[(event.lane, payload_id(event.id))]
    assert await desk.refused(event, "restore") is PayloadGone


async def test_what_cannot_be_written_down_is_not_done(desk: Desk) -> None:
    event = await desk.message()
    before = deepcopy(desk.documents.documents)
    desk.log.away = True
    assert await desk.refused(event, "withdraw") is NotAvailable
    assert desk.documents.documents == before


async def test_words_are_not_shown_when_the_look_cannot_be_written_down(desk: Desk) -> None:
    event = await desk.message()
    refusal = Refusal(422, words="the patient has moved")
    await desk.deliveries.end(await desk.begins(), Step.QUARANTINE, Outcome(NOW, "REC_HTTP_422"), refusal)
    order = f'{{"id": "{event.id}.epj", "purpose": "HOPERAT", "reference": "case-1"}}'.encode()
    desk.log.away = True
    with pytest.raises(NotAvailable) as refused:
        await desk.handling.words(OPERATOR, order, "c")
    assert "moved" not in str(refused.value)
    desk.log.away = False
    found = await desk.handling.words(OPERATOR, order, "c")
    assert found == {"id": f"{event.id}.epj", "attempt": 1, "words": "the patient has moved"}
    assert "case-1" in desk.log.said()
    assert "moved" not in desk.log.said()


async def test_a_stranger_is_told_the_same_of_what_is_there_and_what_is_not(desk: Desk) -> None:
    event = await desk.message()
    for how in ("withdraw", "restore"):
        assert await desk.refused(event, how, STRANGER) is UnknownMessage
    with pytest.raises(UnknownMessage):
        await desk.handling.withdraw(OPERATOR, event.id[:-2] + "22", WHY)
    assert not desk.log.documents
