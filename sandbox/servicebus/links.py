"""The broker's ends of links: towards receivers (Outgoing) and from senders (Incoming)."""

from collections import deque
from typing import Protocol

from sandbox.amqp import codec
from sandbox.servicebus import wire
from sandbox.servicebus.queue import Queue
from sandbox.servicebus.refusals import Refusal

CBS = "$cbs"
MANAGEMENT = "/$management"


def is_entity(path: str) -> bool:
    """Whether a path is a queue's, and not that of a node that answers requests."""
    return path != CBS and not path.endswith(MANAGEMENT)


class Carrier(Protocol):
    """What links need of the AMQP session that carries them."""

    @property
    def holder(self) -> object:
        """Whoever holds what is held through these links: the connection."""
        ...

    def transfer(self, link: "Outgoing", tag: bytes, payload: bytes, settled: bool) -> None:
        """Send a message."""
        ...

    def flow(self, handle: int, delivery_count: int, credit: int, drain: bool = False) -> None:
        """Tell a link's state."""
        ...

    def detach(self, link: "Outgoing | Incoming", why: Refusal) -> None:
        """End a link from here."""
        ...


class Outgoing:
    """A link on which the client receives: from a queue, or the answers of a request node. A context.Consumer."""

    def __init__(self, channel: Carrier, attach: codec.Attach, path: str, queue: Queue | None) -> None:
        self.channel, self.attach, self.path, self.queue = channel, attach, path, queue
        self.handle = attach.handle
        self.consumes = is_entity(path)
        self.settled = attach.snd_settle_mode == codec.SETTLED
        self.credit = 0
        self.delivery_count = 0
        self.attached = False
        self.deliveries: dict[int, bytes] = {}
        self._answers: deque[bytes] = deque()

    @property
    def holder(self) -> object:
        """The connection."""
        return self.channel.holder

    @property
    def reply_address(self) -> object:
        """Where requests say that answers are to go when they are to come here."""
        return self.attach.target.address if isinstance(self.attach.target, codec.Target) else None

    def deliver(self, token: bytes, payload: bytes) -> None:
        """Send a message that the broker hands out."""
        self._spend()
        self.channel.transfer(self, token, payload, self.settled)

    def session_ended(self, why: Refusal) -> None:
        """Detach: the session lock is lost."""
        self.channel.detach(self, why)

    def answer(self, payload: bytes) -> None:
        """Send an answer to a request, when there is credit for it."""
        self._answers.append(payload)
        self._send_answers()

    def on_flow(self, flow: codec.Flow) -> None:
        """The client tells its credit; with `drain` it wants what there is, and the rest of the credit taken back."""
        if flow.link_credit is not None:
            self.credit = (flow.delivery_count or 0) + flow.link_credit - self.delivery_count
        self._send_answers()
        if self.queue is not None and self.consumes and self.attached:
            self.queue.wants(self)
            if flow.drain:
                self.queue.pump()
        if flow.drain:
            self.delivery_count += max(0, self.credit)
            self.credit = 0
        if flow.drain or flow.echo:
            self.channel.flow(self.handle, self.delivery_count, self.credit, drain=bool(flow.drain))

    def _send_answers(self) -> None:
        while self._answers and self.credit > 0:
            self._spend()
            self.channel.transfer(self, self.delivery_count.to_bytes(4), self._answers.popleft(), True)

    def _spend(self) -> None:
        self.credit -= 1
        self.delivery_count += 1


class Incoming:
    """A link on which the client sends: to a queue, or requests to a node."""

    def __init__(self, channel: Carrier, attach: codec.Attach, path: str, queue: Queue | None) -> None:
        self.channel, self.attach, self.path, self.queue = channel, attach, path, queue
        self.handle = attach.handle
        self.requests = not is_entity(path)
        self.credit = 0
        self.delivery_count = 0
        self._assembly = codec.Assembly(wire.MAX_ASSEMBLED_BYTES)

    def give_credit(self) -> None:
        """Let the client send."""
        self.credit = wire.SENDER_CREDIT
        self.channel.flow(self.handle, self.delivery_count, self.credit)

    def on_flow(self, flow: codec.Flow) -> None:
        """The client asks how much it may send."""
        if flow.echo:
            self.channel.flow(self.handle, self.delivery_count, self.credit)

    def on_transfer(self, transfer: codec.Transfer, payload: bytes) -> tuple[codec.Transfer, bytes] | None:
        """The first transfer and the whole message, when it is whole. Raises codec.Malformed."""
        whole = self._assembly.add(transfer, payload)
        if whole is not None:
            self.delivery_count += 1
            self.credit -= 1
            if self.credit < wire.SENDER_CREDIT // 2:
                self.give_credit()
        return whole
