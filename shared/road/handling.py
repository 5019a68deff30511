"""What people do about single messages, without HTTP: withdraw them, take that back, see what a receiver said.

Each is written into the municipality's log first, with who and why: what cannot be written down is not done (P7).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.access.caller import Person
from shared.clock import Clock
from shared.errors import MessageBusy, MessageElsewhere, NotAvailable, PayloadGone, UnknownMessage
from shared.log import LogEvent, log
from shared.messages import lanes, lifecycle
from shared.messages.deliveries import DeliveryStore
from shared.messages.documents import Document, Unreachable
from shared.messages.events import EventStore, Receipt, receipts_from
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State, Step
from shared.messages.model import receiver_key
from shared.messages.returning import RESTORED, Back, Returned, Returning
from shared.messages.signals import DELIVERIES, EVENTS, Queue, SignalLost, Signals
from shared.messages.urgency import Urgency
from shared.messages.withdrawing import WITHDRAWN, Out, TakingOut, Took
from shared.road import orders
from shared.road.permission import Act, Allowed, Permission
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.facts import DECISION
from shared.trail.looking import Look, look
from shared.trail.writing import TrailWriter


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message, and who wants something done about it."""

    allowed: Allowed
    event: Document
    why: str

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        return receipts_from(self.event)


class Handling:
    """Does it. Every method may raise HubError; then nothing has been done that is not told."""

    def __init__(
        self,
        *,
        permission: Permission,
        events: EventStore,
        deliveries: DeliveryStore,
        taking_out: TakingOut,
        returning: Returning,
        signals: Signals,
        trail: TrailWriter,
        clock: Clock,
    ) -> None:
        self._permission = permission
        self._events = events
        self._deliveries = deliveries
        self._taking_out = taking_out
        self._returning = returning
        self._signals = signals
        self._trail = trail
        self._clock = clock

    async def withdraw(self, person: Person, id: str, body: bytes) -> dict[str, Any]:
        """Take a message out at every receiver that has not got it. Doing it again says the same."""
        why = orders.reason(body)
        try:
            asked = await self._asked(person, id, why)
            return await self._withdraw(asked)
        except Unreachable:
            raise NotAvailable from None

    async def restore(self, person: Person, id: str, body: bytes) -> dict[str, Any]:
        """Put a message that was withdrawn back into its lines, while its bytes are there."""
        why = orders.reason(body)
        try:
            asked = await self._asked(person, id, why)
            return await self._restore(asked)
        except Unreachable:
            raise NotAvailable from None

    async def words(self, person: Person, body: bytes, correlation: str) -> dict[str, Any]:
        """What a receiver said when it refused a delivery for the last time. The look is in the log before."""
        order = orders.words(body)
        try:
            event = await self._event(order.id.rpartition(".")[0])
            receipt = next(
                (each for each in (receipts_from(event) if event else ()) if each.delivery == order.id), None
            )
            orgnr = event["orgnr"] if event is not None and receipt is not None else None
            allowed = await self._permission.of(person, orgnr, Act.HANDLE, UnknownMessage)
            if event is None or receipt is None:
                raise UnknownMessage
            wanted = Look(
                person=allowed.agent(), orgnr=event["orgnr"], message=event["id"], patient=event["patient"],
                resource=event["resource"], purpose=order.purpose, reference=order.reference, system="knutepunkt",
                how="api", correlation=correlation,
            )  # fmt: skip
            return await look(self._trail, self._clock, wanted, lambda: self._said(receipt))
        except Unreachable:
            raise NotAvailable from None

    async def _said(self, receipt: Receipt) -> dict[str, Any]:
        delivery = await self._deliveries.find(receipt.delivery, receipt.lane)
        attempts = delivery["attempts"] if delivery is not None else 0
        words = await self._deliveries.words(receipt.delivery, attempts, receipt.lane)
        return {"id": receipt.delivery, "attempt": attempts, "words": words}

    async def _event(self, id: str) -> Document | None:
        lane = lanes.lane_of(id)
        return await self._events.find(id, lane) if lane is not None else None

    async def _asked(self, person: Person, id: str, why: str) -> _Asked:
        event = await self._event(id)
        orgnr = event["orgnr"] if event is not None else None
        # Whoever may not see it learns no more than whoever made its id up.
        allowed = await self._permission.of(person, orgnr, Act.HANDLE, UnknownMessage)
        if event is None:
            raise UnknownMessage
        return _Asked(allowed, event, why)

    async def _withdraw(self, asked: _Asked) -> dict[str, Any]:
        event = asked.event
        states = await self._states(asked)
        if State(event["state"]) is State.RECEIVED:
            # Routing it takes a moment; then it is known what there is to be withdrawn.
            raise MessageBusy
        if not any(Step.WITHDRAW in lifecycle.TRANSITIONS[state] for state in states):
            if State.WITHDRAWN in states:
                return await self._told(asked)
            raise MessageBusy if State.DELIVERING in states else MessageElsewhere
        out = Out(Step.WITHDRAW, WITHDRAWN, await self._decided(asked, Kind.WITHDRAWN, WITHDRAWN))
        took = [await self._out(asked, each, out) for each in asked.receipts]
        if not asked.receipts:
            now = self._clock()
            took = [(await self._taking_out.event(event["id"], Lane(event["lane"]), out, now)).took]
        if Took.OUT in took:
            _log(LogEvent.WITHDRAWN, event)
        if Took.BUSY in took:
            raise MessageBusy
        if Took.OUT not in took and Took.BEFORE not in took:
            raise MessageElsewhere
        return await self._told(asked)

    async def _out(self, asked: _Asked, receipt: Receipt, out: Out) -> Took:
        taken = await self._taking_out.delivery(receipt.delivery, receipt.lane, out, self._clock())
        if taken.goes_on is not None:
            await self._signal(DELIVERIES[taken.goes_on], receipt.lane, _key(asked, receipt))
        return taken.took

    async def _restore(self, asked: _Asked) -> dict[str, Any]:
        event, lane = asked.event, Lane(asked.event["lane"])
        states = await self._states(asked)
        if State.WITHDRAWN not in states:
            raise MessageElsewhere
        if not await self._returning.with_payload(lane, [event["id"]]):
            raise PayloadGone
        facts = await self._decided(asked, Kind.REPLAYED, RESTORED)
        if not asked.receipts:
            back = Back(Step.RETURN, RESTORED, facts)
            returned = await self._returning.events(lane, [event["id"]], back, self._clock())
            await self._signal_returned(EVENTS, lane, "", returned)
        back = Back(Step.RESTORE, RESTORED, facts)
        for each in asked.receipts:
            returned = await self._returning.deliveries(each.lane, [each.delivery], back, self._clock())
            await self._signal_returned(DELIVERIES, each.lane, _key(asked, each), returned)
        _log(LogEvent.RESTORED, event)
        return await self._told(asked)

    async def _states(self, asked: _Asked) -> list[State]:
        """Where its deliveries are; where it is itself while it has none."""
        found = [await self._deliveries.find(each.delivery, each.lane) for each in asked.receipts]
        return [State(each["state"]) for each in found if each is not None] or [State(asked.event["state"])]

    async def _told(self, asked: _Asked) -> dict[str, Any]:
        event = await self._event(asked.event["id"]) or asked.event
        found = [await self._deliveries.find(each.delivery, each.lane) for each in receipts_from(event)]
        receivers = [{"receiver": each["receiver"], "state": each["state"]} for each in found if each is not None]
        states = [State(each["state"]) for each in receivers]
        return {
            "id": event["id"],
            "state": lifecycle.overall(State(event["state"]), states).value,
            "receivers": receivers,
        }

    async def _decided(self, asked: _Asked, kind: Kind, code: str) -> dict[str, str]:
        """Write down who decided and why; what the stations then say of it."""
        event, decision = asked.event, uuid.uuid4().hex
        entry = Entry(
            kind=kind, outcome=Outcome.SUCCESS, occurred=self._clock(), source=f"decision/{decision}",
            orgnr=event["orgnr"], reason=code, system="knutepunkt", person=asked.allowed.agent(), message=event["id"],
            patient=event["patient"], why=asked.why, details={DECISION: decision, "resource": event["resource"]},
        )  # fmt: skip
        await self._trail.append([entry])
        return {DECISION: decision}

    async def _signal_returned(self, queues: Mapping[Urgency, Queue], lane: Lane, key: str, returned: Returned) -> None:
        if returned.ids:
            await self._signal(queues[Urgency.PROMPT if returned.prompt else Urgency.ROUTINE], lane, key)

    async def _signal(self, queue: Queue, lane: Lane, key: str) -> None:
        try:
            await self._signals.send(queue, lane, to=key)
        except SignalLost:
            # The line says by when somebody must look at it.
            log(LogEvent.SIGNAL_LOST, lane=lane, queue=queue)


def _key(asked: _Asked, receipt: Receipt) -> str:
    return receiver_key(asked.event["orgnr"], receipt.receiver)


def _log(what: LogEvent, event: Document) -> None:
    id, orgnr = event["id"], event["orgnr"]
    log(what, event_id=id, orgnr=orgnr)
