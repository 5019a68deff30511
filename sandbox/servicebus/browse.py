"""Finding messages by sequence number, in order, without sorting the queue."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping

from sandbox.servicebus.message import Message


class SequenceIndex:
    """The sequence numbers of a queue in order. Numbers that are gone stay until they outweigh those that are not."""

    def __init__(self, messages: Mapping[int, Message]) -> None:
        self._messages = messages
        self._order: list[int] = []

    def add(self, sequence: int) -> None:
        """A message has come."""
        order = self._order
        if not order or sequence > order[-1]:
            order.append(sequence)
        else:
            insort(order, sequence)
        if len(order) > 2 * len(self._messages) + 256:
            self._order = sorted(self._messages)

    def since(self, first: int) -> Iterator[Message]:
        """The messages from a number on."""
        order = self._order
        for at in range(bisect_left(order, first), len(order)):
            message = self._messages.get(order[at])
            if message is not None:
                yield message
