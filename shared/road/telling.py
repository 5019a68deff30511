"""Tells those who watch what the road does: who was heard of, what was accepted, what each try came to.

Around the stations, not in them: what is measured must not change what is done, nor how long it takes.
"""

from typing import Protocol

from shared.clock import Clock
from shared.delivery.answers import Answer, Later, Refused, Taken
from shared.delivery.receiver import ReceiverClient
from shared.messages.model import Delivery, Event
from shared.registry.model import Receiver
from shared.tracing import Stage, Traced, part
from shared.watch.heard import Heard
from shared.watch.measuring import Measuring, Outcome


class Accepting(Protocol):
    """Is told of what is accepted. Never raises and never waits."""

    def __call__(self, event: Event, *, new: bool) -> None:
        """This event was accepted; `new` is whether it was for the first time."""


def nobody(event: Event, *, new: bool) -> None:
    """Where nobody watches."""


def accepted(measuring: Measuring, heard: Heard) -> Accepting:
    """Tells of what is accepted."""

    def tell(event: Event, *, new: bool) -> None:
        heard.hear(event.sender, event.orgnr, event.received_at)
        if new:
            measuring.accepted(event.orgnr, event.urgency)

    return tell


class MeasuredReceiver:
    """A receiver client whose every try is measured, and a span of the message's trace."""

    def __init__(self, client: ReceiverClient, measuring: Measuring, clock: Clock) -> None:
        self._client = client
        self._measuring = measuring
        self._clock = clock

    async def post(self, receiver: Receiver, delivery: Delivery, body: bytes, traceparent: str) -> Answer:
        """See ReceiverClient."""
        told = {"event_id": delivery.event.id, "delivery_id": delivery.id, "receiver": delivery.key}
        with part(Stage.CALL, told) as span:
            # The receiver's part of the trace begins below this call, not below what it is a part of.
            answer = await self._client.post(receiver, delivery, body, span.traceparent or traceparent)
            _told(span, answer)
        urgency = delivery.event.urgency
        match answer:
            case Taken():
                self._measuring.tried(delivery.key, urgency, Outcome.TAKEN)
                self._measuring.delivered(delivery.key, urgency, self._clock() - delivery.event.received_at)
            case Later():
                self._measuring.tried(delivery.key, urgency, Outcome.LATER)
            case Refused():
                self._measuring.tried(delivery.key, urgency, Outcome.REFUSED)
        return answer


def _told(span: Traced, answer: Answer) -> None:
    if answer.call is not None:
        span.tell({"status": answer.call.status})
    if not isinstance(answer, Taken):
        span.failed(answer.code)
