"""Handing out the messages of a queue without sessions: in order of sequence, to the receivers in turn."""

import heapq
from collections import deque
from collections.abc import Callable

from sandbox.servicebus.context import Consumer
from sandbox.servicebus.message import ACTIVE, Message


class Plain:
    """The messages that are ready, and the receivers with credit."""

    def __init__(self, messages: dict[int, Message], hand_out: Callable[[Message, Consumer], None]) -> None:
        self._messages = messages
        self._hand_out = hand_out
        self._ready: list[int] = []
        self._waiting: deque[Consumer] = deque()

    def joined(self, message: Message) -> None:
        """A message is in the queue, in whatever state."""

    def left(self, message: Message) -> None:
        """A message is not in the queue any more."""

    def ready(self, message: Message) -> None:
        """A message may be handed out."""
        heapq.heappush(self._ready, message.sequence)

    def wants(self, consumer: Consumer) -> None:
        """A receiver's credit has changed."""
        if consumer not in self._waiting:
            self._waiting.append(consumer)

    def gone(self, consumer: Consumer) -> None:
        """A receiver has left. What it holds stays locked until the locks expire, as in the service."""
        if consumer in self._waiting:
            self._waiting.remove(consumer)

    def locked(self, message: Message) -> None:
        """A message has got a lock."""

    def unlocked(self, token: bytes, message: Message) -> None:
        """A message's lock is gone."""

    def pump(self) -> None:
        """Hand out what can be handed out."""
        waiting = self._waiting
        while waiting and head(self._ready, self._messages) is not None:
            consumer = waiting.popleft()
            if consumer.credit <= 0:
                continue
            self._hand_out(self._messages[heapq.heappop(self._ready)], consumer)
            if consumer.credit > 0:
                waiting.append(consumer)


def head(ready: list[int], messages: dict[int, Message]) -> Message | None:
    """The first message of a heap of sequence numbers that can be handed out; what cannot is taken from the heap."""
    while ready:
        message = messages.get(ready[0])
        if message is not None and message.state == ACTIVE and message.token is None:
            return message
        heapq.heappop(ready)
    return None
