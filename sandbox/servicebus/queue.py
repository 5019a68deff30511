"""One queue: what is in it, who has locked what, and what becomes of a message.

The semantics are those of Azure Service Bus as its SDKs meet them. Nothing here knows how a message travels or where it
is kept: receivers are `Consumer`s, and every change is noted in the journal before anyone is told of it.
"""

import uuid
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta

from sandbox.servicebus import billing, refusals
from sandbox.servicebus import message as messages
from sandbox.servicebus.browse import SequenceIndex
from sandbox.servicebus.context import Consumer, Context
from sandbox.servicebus.message import ACTIVE, DEFERRED, SCHEDULED, Message, Sent
from sandbox.servicebus.plain import Plain
from sandbox.servicebus.sessions import Sessions
from sandbox.topology import Queue as Rules

DEAD_LETTERS = "$deadletterqueue"


def milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


class Queue:
    """A queue, or the dead-letter queue of one (which knows neither sessions, time to live nor a delivery limit)."""

    def __init__(self, rules: Rules, context: Context, parent: "Queue | None" = None) -> None:
        self.name = rules.name if parent is None else f"{rules.name}/{DEAD_LETTERS}"
        self.rules, self.context, self.parent = rules, context, parent
        self.messages: dict[int, Message] = {}
        self.last_sequence = 0
        self._order = SequenceIndex(self.messages)
        self._locks: dict[bytes, Message] = {}
        self._lock_ms = milliseconds(rules.lock_duration)
        self._seen: OrderedDict[str, int] = OrderedDict()
        self.sessions: Sessions | None = None
        if rules.requires_session and parent is None:
            self.sessions = Sessions(self.name, self._lock_ms, context, self.messages, self._hand_out, self._unlock)
        self._dispatch = self.sessions if self.sessions is not None else Plain(self.messages, self._hand_out)
        self.dead_letters = Queue(rules, context, self) if parent is None else None

    # Sending

    def send(self, sent: list[Sent]) -> list[int]:
        """Take messages, all or none. Returns their sequence numbers (0 for a duplicate, which is dropped).

        Raises Refusal.
        """
        if self.parent is not None:
            raise refusals.not_allowed("Messages cannot be sent to a dead-letter queue.")
        if self.rules.requires_session and any(one.session_id is None for one in sent):
            raise refusals.not_allowed(
                "The SessionId was not set on a message, and it cannot be sent to the entity. Entities that have "
                "session support enabled can only receive messages that have the SessionId set to a valid value."
            )
        return [self._take(one) for one in sent]

    def _take(self, sent: Sent) -> int:
        now = self.context.clock.now()
        self.context.bill.message(self.name, billing.SEND, len(sent.raw))
        if self._is_duplicate(sent.message_id, now):
            self._count("duplicates")
            return 0
        self.last_sequence += 1
        self.context.journal.last_sequence(self.name, self.last_sequence)
        later = sent.scheduled_at is not None and sent.scheduled_at > now
        enqueued_at = sent.scheduled_at if later and sent.scheduled_at is not None else now
        ttl = self._time_to_live(sent)
        message = Message(
            key=self.context.journal.next_key(),
            sequence=self.last_sequence,
            sent=sent,
            state=SCHEDULED if later else ACTIVE,
            enqueued_at=enqueued_at,
            expires_at=None if ttl is None else enqueued_at + ttl,
            ttl=ttl,
        )
        self._count("scheduled" if later else "sends")
        self.context.journal.changed(self.name, message)
        self.put(message)
        return message.sequence

    def put(self, message: Message) -> None:
        """Have a message in the queue: a new one, a dead-lettered one, or one that the storage had."""
        self.messages[message.sequence] = message
        self._order.add(message.sequence)
        self._dispatch.joined(message)
        if message.state == SCHEDULED:
            key = (self.name, "scheduled", message.sequence)
            self.context.deadlines.set(key, message.enqueued_at, lambda: self._activate(message))
        elif message.state == ACTIVE:
            self._make_ready(message)
        if message.expires_at is not None:
            key = (self.name, "ttl", message.sequence)
            self.context.deadlines.set(key, message.expires_at, lambda: self._expire(message))

    def cancel_scheduled(self, sequences: list[int]) -> None:
        """Take scheduled messages back, all or none. Raises Refusal when one is not there or not scheduled any more."""
        found = [self.messages.get(sequence) for sequence in sequences]
        scheduled = [message for message in found if message is not None and message.state == SCHEDULED]
        if len(scheduled) != len(found):
            raise refusals.message_not_found()
        for message in scheduled:
            self._remove(message)

    def _time_to_live(self, sent: Sent) -> int | None:
        limits = [sent.header.ttl or None]
        if self.rules.default_time_to_live is not None:
            limits.append(milliseconds(self.rules.default_time_to_live))
        return min((limit for limit in limits if limit is not None), default=None)

    def _is_duplicate(self, message_id: str, now: int) -> bool:
        window = self.rules.duplicate_detection_window
        if window is None:
            return False
        oldest = now - milliseconds(window)
        while self._seen and next(iter(self._seen.values())) <= oldest:
            forgotten, _ = self._seen.popitem(last=False)
            self.context.journal.forget_seen(self.name, forgotten)
        if message_id in self._seen:
            return True
        self._seen[message_id] = now
        self.context.journal.seen(self.name, message_id, now)
        return False

    def restore_seen(self, message_id: str, at: int) -> None:
        """Put back what the storage had, oldest first."""
        self._seen[message_id] = at

    # Receiving

    def wants(self, consumer: Consumer) -> None:
        """A receiver's credit has changed."""
        self._dispatch.wants(consumer)
        self.context.dirty.add(self)

    def gone(self, consumer: Consumer) -> None:
        """A receiver has left."""
        self._dispatch.gone(consumer)
        self.context.dirty.add(self)

    def pump(self) -> None:
        """Hand out what can be handed out."""
        self._dispatch.pump()

    def browse(self, first: int, session_id: str | None) -> Iterator[Message]:
        """The messages from a sequence number on, in order, whatever their state."""
        if session_id is None or self.sessions is None:
            yield from (m for m in self._order.since(first) if session_id in (None, m.session_id))
        else:
            yield from (message for message in self.sessions.members(session_id) if message.sequence >= first)

    def deferred(self, sequences: list[int], session_id: str | None) -> list[Message]:
        """Deferred messages by their numbers, all or none. Raises Refusal."""
        found = [self.messages.get(sequence) for sequence in sequences]
        free = [m for m in found if m is not None and m.state == DEFERRED and m.token is None]
        if len(free) != len(found) or (self.sessions is not None and any(m.session_id != session_id for m in free)):
            raise refusals.message_not_found()
        return free

    def lock(self, message: Message) -> bytes:
        """Lock a message. Returns the token, which is the delivery tag: a UUID in .NET's byte order."""
        token = uuid.uuid4().bytes_le
        message.token = token
        message.locked_until = self.context.clock.now() + self._lock_ms
        self._locks[token] = message
        if self.sessions is None:
            self._expire_lock_at(message, token)
        else:
            self.sessions.locked(message)
            message.locked_until = self.sessions.locked_until(message)
        self.context.journal.changed(self.name, message)
        return token

    def consume(self, message: Message) -> None:
        """Take a message out without a lock: receive-and-delete."""
        self._count("deliveries")
        self.context.bill.message(self.name, billing.RECEIVE, len(message.sent.raw))
        self._remove(message)

    def _hand_out(self, message: Message, consumer: Consumer) -> None:
        if consumer.settled:
            self.consume(message)
            consumer.deliver(uuid.uuid4().bytes_le, message.payload())
            return
        self._count("deliveries")
        self.context.bill.message(self.name, billing.RECEIVE, len(message.sent.raw))
        token = self.lock(message)
        consumer.deliver(token, message.payload(message.locked_until))

    # Settling

    def complete(self, token: bytes) -> None:
        """The message is done. Raises Refusal when the lock is lost."""
        self._remove(self._held(token))
        self._count("completes")
        self.context.bill.one(self.name, billing.SETTLE)

    def abandon(self, token: bytes, counted: bool = True) -> None:
        """The message is to be handed out again, at once. Raises Refusal when the lock is lost."""
        self._unlock(self._held(token), counted)
        self._count("abandons")
        self.context.bill.one(self.name, billing.SETTLE)

    def defer(self, token: bytes) -> None:
        """The message is set aside, to be fetched by its sequence number. Raises Refusal when the lock is lost."""
        message = self._held(token)
        message.state = DEFERRED
        self._unlock(message, counted=True, limited=False)
        self._count("defers")
        self.context.bill.one(self.name, billing.SETTLE)

    def dead_letter(self, token: bytes, reason: str | None, description: str | None) -> None:
        """The message is to be kept aside for people. Raises Refusal."""
        message = self._held(token)
        if self.dead_letters is None:
            raise refusals.not_allowed("A message in a dead-letter queue cannot be dead-lettered.")
        self._release_lock(message)
        self.context.bill.one(self.name, billing.SETTLE)
        self._bury(message, reason, description)

    def renew(self, token: bytes) -> int:
        """Lock the message for another period. Returns until when (milliseconds since 1970). Raises Refusal."""
        message = self._held(token)
        if self.sessions is not None:
            raise refusals.not_allowed("The lock of a message in a session is the session's: renew that.")
        message.locked_until = self.context.clock.now() + self._lock_ms
        self._expire_lock_at(message, token)
        self._count("lockRenewals")
        self.context.bill.one(self.name, billing.RENEW)
        return message.locked_until

    def _held(self, token: bytes) -> Message:
        message = self._locks.get(token)
        if message is None:
            raise refusals.message_lock_lost()
        if message.locked_until <= self.context.clock.now():
            if self.sessions is None:
                self._unlock(message, counted=True)
            raise refusals.message_lock_lost()
        return message

    def _unlock(self, message: Message, counted: bool, limited: bool = True) -> None:
        self._release_lock(message)
        self.context.journal.changed(self.name, message)
        if counted:
            message.delivery_count += 1
            limit = self.rules.max_delivery_count
            if limited and message.delivery_count >= limit and self.dead_letters is not None:
                text = f"Message could not be consumed after {limit} delivery attempts."
                self._bury(message, "MaxDeliveryCountExceeded", text)
                return
        if message.expires_at is not None and message.expires_at <= self.context.clock.now():
            self._expire(message)
        elif message.state == ACTIVE:
            self._make_ready(message)

    def _release_lock(self, message: Message) -> None:
        token, message.token = message.token, None
        if token is not None:
            self._locks.pop(token, None)
            self._dispatch.unlocked(token, message)
            self.context.deadlines.cancel((self.name, "lock", token))

    def _expire_lock_at(self, message: Message, token: bytes) -> None:
        key = (self.name, "lock", token)
        self.context.deadlines.set(key, message.locked_until, lambda: self._unlock(message, counted=True))

    # What becomes of messages

    def _make_ready(self, message: Message) -> None:
        self._dispatch.ready(message)
        self.context.dirty.add(self)

    def _activate(self, message: Message) -> None:
        message.state = ACTIVE
        self.context.journal.changed(self.name, message)
        self._count("sends")
        self._make_ready(message)

    def _expire(self, message: Message) -> None:
        if message.token is not None:
            return  # looked at again when the lock is gone
        self._count("expired")
        if self.rules.dead_letter_on_expiration:
            self._bury(message, "TTLExpiredException", "The message expired and was dead lettered.")
        else:
            self._remove(message)

    def recovered(self, message: Message) -> None:
        """The process died while somebody had this message locked: that was a delivery."""
        message.delivery_count += 1
        self.context.journal.changed(self.name, message)
        limit = self.rules.max_delivery_count
        if message.state == ACTIVE and message.delivery_count >= limit and self.dead_letters is not None:
            text = f"Message could not be consumed after {limit} delivery attempts."
            self._bury(message, "MaxDeliveryCountExceeded", text)

    def _bury(self, message: Message, reason: str | None, description: str | None) -> None:
        if self.dead_letters is None:
            raise refusals.not_allowed("A dead-letter queue has none of its own.")
        self._take_out(message)
        message.sent = messages.dead_lettered(message.sent, reason, description)
        message.content_changed = True
        message.state, message.expires_at = ACTIVE, None
        self._count("deadLetters")
        self.context.journal.changed(self.dead_letters.name, message)
        self.dead_letters.put(message)

    def _remove(self, message: Message) -> None:
        self._take_out(message)
        self.context.journal.gone(message)

    def _take_out(self, message: Message) -> None:
        self._release_lock(message)
        self.messages.pop(message.sequence, None)
        self._dispatch.left(message)
        self.context.deadlines.cancel((self.name, "ttl", message.sequence))
        self.context.deadlines.cancel((self.name, "scheduled", message.sequence))

    def _count(self, operation: str) -> None:
        self.context.counters[self.name, operation] += 1
