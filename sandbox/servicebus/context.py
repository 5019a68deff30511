"""What all queues of a broker share, and what they know of those who receive from them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.servicebus.billing import Bill
from sandbox.servicebus.clock import Clock
from sandbox.servicebus.deadlines import Deadlines
from sandbox.servicebus.message import Message
from sandbox.servicebus.refusals import Refusal


class Journal(Protocol):
    """Where changes are noted, to be made durable together."""

    def changed(self, queue: str, message: Message) -> None: ...
    def gone(self, message: Message) -> None: ...
    def session_state(self, queue: str, session_id: str, state: bytes | None, updated: int) -> None: ...
    def last_sequence(self, queue: str, sequence: int) -> None: ...
    def seen(self, queue: str, message_id: str, at: int) -> None: ...
    def forget_seen(self, queue: str, message_id: str) -> None: ...
    def next_key(self) -> int: ...


class Pumped(Protocol):
    """What hands out messages when it is told to: a queue."""

    def pump(self) -> None: ...


@dataclass(slots=True)
class Context:
    """What all queues of a broker share. `dirty` holds the queues that may have something to hand out."""

    clock: Clock
    deadlines: Deadlines
    journal: Journal
    counters: Counter[tuple[str, str]] = field(default_factory=Counter)
    bill: Bill = field(default_factory=Bill)
    dirty: set[Pumped] = field(default_factory=set)


class Consumer(Protocol):
    """A receiver's end: gets a message for each credit it gives."""

    credit: int
    settled: bool
    """Receive-and-delete: a message is gone when it is handed out."""

    @property
    def holder(self) -> object:
        """Whoever must renew a session that this consumer holds: its connection."""
        ...

    def deliver(self, token: bytes, payload: bytes) -> None:
        """Take one message; the credit goes down by one."""
        ...

    def session_ended(self, why: Refusal) -> None:
        """The session is not this consumer's any more."""
        ...
