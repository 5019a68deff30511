"""Handing out the messages of a queue with sessions: each session to one receiver at a time, in order.

A session that nobody holds and that has messages stands in a line; whoever asks for the next available session gets the
one that has stood there longest, and a session that is let go stands last again. Nothing here walks all sessions on the
way of a message: a queue has as many of them as there are lanes.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sandbox.servicebus import refusals
from sandbox.servicebus.context import Consumer, Context
from sandbox.servicebus.message import Message
from sandbox.servicebus.plain import head
from sandbox.servicebus.refusals import Refusal


@dataclass(slots=True, eq=False)
class Session:
    """One session. It is forgotten when it has no messages, no state and no owner."""

    id: str
    ready: list[int] = field(default_factory=list)
    members: dict[int, Message] = field(default_factory=dict)
    locked: dict[bytes, Message] = field(default_factory=dict)
    state: bytes | None = None
    updated: int = 0
    owner: Consumer | None = None
    locked_until: int = 0


@dataclass(slots=True, eq=False)
class Wait:
    """A receiver that waits for the next available session."""

    consumer: Consumer
    granted: Callable[[Session], None]
    refused: Callable[[Refusal], None]


class Sessions:
    """The sessions of one queue."""

    def __init__(
        self,
        queue: str,
        lock_ms: int,
        context: Context,
        messages: dict[int, Message],
        hand_out: Callable[[Message, Consumer], None],
        unlock: Callable[[Message, bool], None],
    ) -> None:
        self._queue, self._lock_ms, self._context = queue, lock_ms, context
        self._messages, self._hand_out, self._unlock = messages, hand_out, unlock
        self._sessions: dict[str, Session] = {}
        self._available: OrderedDict[str, Session] = OrderedDict()
        self._held: dict[Consumer, Session] = {}
        self._waits: OrderedDict[Consumer, Wait] = OrderedDict()
        self._touched: dict[str, Session] = {}

    # What the queue tells

    def joined(self, message: Message) -> None:
        self._of(message).members[message.sequence] = message

    def left(self, message: Message) -> None:
        session = self._of(message)
        session.members.pop(message.sequence, None)
        self._forget_if_idle(session)

    def ready(self, message: Message) -> None:
        session = self._of(message)
        heapq.heappush(session.ready, message.sequence)
        if session.owner is None:
            self._available.setdefault(session.id, session)
        else:
            self._touched[session.id] = session

    def locked(self, message: Message) -> None:
        if message.token is not None:
            self._of(message).locked[message.token] = message

    def locked_until(self, message: Message) -> int:
        """Until when the session of a message is locked (milliseconds since 1970)."""
        return self._of(message).locked_until

    def unlocked(self, token: bytes, message: Message) -> None:
        self._of(message).locked.pop(token, None)

    def wants(self, consumer: Consumer) -> None:
        session = self._held.get(consumer)
        if session is not None:
            self._touched[session.id] = session

    def gone(self, consumer: Consumer) -> None:
        """The receiver has left: its session is free, and what it held is there again without counting as delivered.

        Source: Microsoft Learn, Message sessions, "Impact of delivery count".
        """
        wait = self._waits.pop(consumer, None)
        if wait is not None:
            self._context.deadlines.cancel((self._queue, "wait", id(wait)))
        session = self._held.get(consumer)
        if session is not None:
            self._release(session, counted=False)

    def pump(self) -> None:
        while self._waits and self._available:
            _, session = self._available.popitem(last=False)
            if head(session.ready, self._messages) is None:
                continue
            consumer, wait = self._waits.popitem(last=False)
            self._context.deadlines.cancel((self._queue, "wait", id(wait)))
            self._grant(session, consumer)
            wait.granted(session)
        touched, self._touched = self._touched, {}
        for session in touched.values():
            owner = session.owner
            while owner is not None and owner.credit > 0 and head(session.ready, self._messages) is not None:
                self._hand_out(self._messages[heapq.heappop(session.ready)], owner)

    # What receivers ask

    @property
    def remembered(self) -> int:
        """How many sessions there are in memory."""
        return len(self._sessions)

    @property
    def waiting(self) -> int:
        """How many wait for the next available session."""
        return len(self._waits)

    def accept(self, session_id: str, consumer: Consumer) -> Session:
        """Lock a session by its id. Raises Refusal when somebody holds it."""
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = Session(session_id)
        elif session.owner is not None:
            raise refusals.session_busy(session_id)
        self._available.pop(session_id, None)
        self._grant(session, consumer)
        return session

    def accept_next(self, wait: Wait, timeout_ms: int) -> None:
        """Lock the next available session, now or when there is one; refused when the time is out."""
        self._waits[wait.consumer] = wait
        due = self._context.clock.now() + timeout_ms
        self._context.deadlines.set((self._queue, "wait", id(wait)), due, lambda: self._give_up(wait))

    def held_by(self, session_id: str, holder: object) -> Session:
        """The session, if this holder has it. Raises Refusal."""
        session = self._sessions.get(session_id)
        if session is None or session.owner is None or session.owner.holder is not holder:
            raise refusals.session_lock_lost()
        if session.locked_until <= self._context.clock.now():
            raise refusals.session_lock_lost()
        return session

    def holds(self, consumer: Consumer) -> bool:
        """Whether the receiver still has its session."""
        return consumer in self._held

    def is_held(self, session_id: str) -> bool:
        """Whether anybody has the session."""
        session = self._sessions.get(session_id)
        return session is not None and session.owner is not None

    def renew(self, session: Session) -> int:
        """Lock the session for another period. Returns until when (milliseconds since 1970)."""
        session.locked_until = self._context.clock.now() + self._lock_ms
        for message in session.locked.values():
            message.locked_until = session.locked_until
        self._expire_at(session)
        return session.locked_until

    def set_state(self, session: Session, state: bytes | None) -> None:
        session.state, session.updated = state, self._context.clock.now()
        self._context.journal.session_state(self._queue, session.id, state, session.updated)

    def restore_state(self, session_id: str, state: bytes, updated: int) -> None:
        """Put back what the storage had."""
        session = self._sessions.setdefault(session_id, Session(session_id))
        session.state, session.updated = state, updated

    def members(self, session_id: str) -> list[Message]:
        """The messages of a session, in order of sequence."""
        session = self._sessions.get(session_id)
        return [session.members[sequence] for sequence in sorted(session.members)] if session is not None else []

    def ids(self, updated_after: int | None) -> Iterator[str]:
        """Sessions whose state was set after a time, or all that have messages or state, in order of id."""
        for session_id, session in sorted(self._sessions.items()):
            if session.updated > updated_after if updated_after is not None else session.members or session.state:
                yield session_id

    # Inside

    def _of(self, message: Message) -> Session:
        session_id = message.session_id or ""
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = Session(session_id)
        return session

    def _grant(self, session: Session, consumer: Consumer) -> None:
        session.owner = consumer
        self._held[consumer] = session
        session.locked_until = self._context.clock.now() + self._lock_ms
        self._expire_at(session)
        self._context.counters[self._queue, "sessionsAccepted"] += 1

    def _expire_at(self, session: Session) -> None:
        key = (self._queue, "session", session.id)
        self._context.deadlines.set(key, session.locked_until, lambda: self._expire(session))

    def _expire(self, session: Session) -> None:
        owner = session.owner
        self._release(session, counted=True)
        if owner is not None:
            owner.session_ended(refusals.session_lock_lost())

    def _give_up(self, wait: Wait) -> None:
        if self._waits.pop(wait.consumer, None) is not None:
            wait.refused(refusals.timed_out())

    def _release(self, session: Session, counted: bool) -> None:
        if session.owner is not None:
            self._held.pop(session.owner, None)
        session.owner = None
        self._context.deadlines.cancel((self._queue, "session", session.id))
        for message in list(session.locked.values()):
            self._unlock(message, counted)
        if head(session.ready, self._messages) is not None:
            self._available.setdefault(session.id, session)
        self._forget_if_idle(session)

    def _forget_if_idle(self, session: Session) -> None:
        if not session.members and session.state is None and session.owner is None:
            self._sessions.pop(session.id, None)
            self._available.pop(session.id, None)
            self._touched.pop(session.id, None)
