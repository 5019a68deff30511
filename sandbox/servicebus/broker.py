"""All queues of a namespace, their common storage, and their time."""

import random
from collections.abc import Callable, Iterable

from sandbox.servicebus import refusals
from sandbox.servicebus.clock import Clock
from sandbox.servicebus.context import Context
from sandbox.servicebus.deadlines import Deadlines
from sandbox.servicebus.queue import Queue
from sandbox.servicebus.storage import Storage
from sandbox.topology import Queue as Rules


class Broker:
    """The declared queues. `on_change` is called when something happened by the clock: `settle` should follow."""

    def __init__(self, rules: Iterable[Rules], storage: Storage, clock: Clock, on_change: Callable[[], None]) -> None:
        self._storage, self._clock, self._on_change = storage, clock, on_change
        self.context = Context(clock, Deadlines(), storage)
        self._queues: dict[str, Queue] = {}
        self._armed: tuple[int, Callable[[], None]] | None = None
        self.busy_share = 0.0
        """How many of all sends, from 0 to 1, are turned away as by a service that has too much to do."""
        self._chance = random.Random(0)  # noqa: S311 - the same sends at every run
        for rule in rules:
            queue = Queue(rule, self.context)
            for one in (queue, queue.dead_letters):
                if one is not None:
                    self._queues[one.name.lower()] = one
        self._recover()

    def find(self, path: str) -> Queue:
        """A queue, or with `/$DeadLetterQueue` after its name its dead-letter queue. Raises Refusal."""
        queue = self._queues.get(path.lower())
        if queue is None:
            raise refusals.not_found(path)
        return queue

    def take_in(self) -> None:
        """To be called before a message is taken in. Raises Refusal when the service has too much to do."""
        if self.busy_share and self._chance.random() < self.busy_share:
            raise refusals.busy()

    def settle(self) -> None:
        """Hand out what can be handed out and make everything durable. After this, clients may be told.

        Raises sqlite3.Error when it could not be made durable.
        """
        dirty = self.context.dirty
        while dirty:
            dirty.pop().pump()
        self._storage.commit()
        self._arm()

    def stop(self) -> None:
        """Let the clock be."""
        if self._armed is not None:
            self._armed[1]()
            self._armed = None

    def _arm(self) -> None:
        due = self.context.deadlines.next_due()
        if self._armed is not None:
            if due is not None and due >= self._armed[0]:
                return
            self.stop()
        if due is not None:
            self._armed = (due, self._clock.wake(due, self._wake))

    def _wake(self) -> None:
        self._armed = None
        self.context.deadlines.run(self._clock.now())
        self._arm()
        self._on_change()

    def _recover(self) -> None:
        for name, last in self._storage.sequences().items():
            if name.lower() in self._queues:
                self._queues[name.lower()].last_sequence = last
        for name, session_id, state, updated in self._storage.session_states():
            queue = self._queues.get(name.lower())
            if queue is not None and queue.sessions is not None:
                queue.sessions.restore_state(session_id, state, updated)
        for name, message_id, at in self._storage.seen_ids():
            if name.lower() in self._queues:
                self._queues[name.lower()].restore_seen(message_id, at)
        kept = list(self._storage.kept())
        for name, message, in_flight in kept:
            queue = self._queues.get(name.lower())
            if queue is None:
                continue  # a queue that is not declared any more: its messages wait on disk until it is
            queue.put(message)
            if in_flight:
                queue.recovered(message)
        self._storage.commit()
