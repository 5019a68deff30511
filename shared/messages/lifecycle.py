"""A message's life: which state it can be in and what may happen to it there. The whole rule is the table below.

An event is *received* and then *routed*: one delivery for each receiver, which starts as routed and lives on by the
same table. What a caller sees of an event is the state of the delivery that has come the shortest way.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a message is."""

    RECEIVED = "received"
    ROUTED = "routed"
    DELIVERING = "delivering"
    WAITING = "waiting"
    DELIVERED = "delivered"
    JOURNALED = "journaled"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Step(StrEnum):
    """What can happen to a message."""

    ROUTE = "route"
    ATTEMPT = "attempt"
    WAIT = "wait"
    DELIVER = "deliver"
    JOURNAL = "journal"
    REJECT = "reject"
    QUARANTINE = "quarantine"
    REPLAY = "replay"
    """A delivery goes back into its line."""
    RETURN = "return"
    """An event goes back into the line of those that are not routed yet."""
    RESTORE = "restore"
    """A delivery that was withdrawn goes back into its line."""
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


TRANSITIONS: Final[Mapping[State, Mapping[Step, State]]] = {
    State.RECEIVED: {
        Step.ROUTE: State.ROUTED,
        Step.REJECT: State.REJECTED,
        Step.QUARANTINE: State.QUARANTINED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.ROUTED: {
        Step.ATTEMPT: State.DELIVERING,
        Step.QUARANTINE: State.QUARANTINED,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.EXPIRE: State.EXPIRED,
    },
    State.DELIVERING: {
        # The worker that made the last attempt may have died in the middle of it; the next one attempts again.
        Step.ATTEMPT: State.DELIVERING,
        Step.WAIT: State.WAITING,
        Step.DELIVER: State.DELIVERED,
        Step.QUARANTINE: State.QUARANTINED,
        Step.EXPIRE: State.EXPIRED,
    },
    State.WAITING: {
        Step.ATTEMPT: State.DELIVERING,
        Step.QUARANTINE: State.QUARANTINED,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.EXPIRE: State.EXPIRED,
    },
    State.DELIVERED: {Step.JOURNAL: State.JOURNALED},
    State.QUARANTINED: {
        Step.REPLAY: State.ROUTED,
        Step.RETURN: State.RECEIVED,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.EXPIRE: State.EXPIRED,
    },
    State.JOURNALED: {},
    State.REJECTED: {},
    State.WITHDRAWN: {Step.RESTORE: State.ROUTED, Step.RETURN: State.RECEIVED},
    State.EXPIRED: {},
}

RESTING: Final = frozenset({
    State.DELIVERED, State.JOURNALED, State.REJECTED, State.QUARANTINED, State.WITHDRAWN, State.EXPIRED,
})  # fmt: skip
"""States in which nothing is due: the hub does nothing more by itself (P2)."""

_SHORTEST_FIRST: Final = (
    State.QUARANTINED, State.RECEIVED, State.ROUTED, State.WAITING, State.DELIVERING, State.EXPIRED, State.REJECTED,
    State.WITHDRAWN, State.DELIVERED, State.JOURNALED,
)  # fmt: skip


class IllegalStep(Exception):
    """This may not happen to a message in that state; whoever asked for it is wrong about where the message is."""


def after(state: State, step: Step) -> State:
    """The state a step leads to. Raises IllegalStep when the table has none."""
    try:
        return TRANSITIONS[state][step]
    except KeyError:
        raise IllegalStep(f"{step} is not possible for a message that is {state}") from None


def states_before(step: Step) -> tuple[State, ...]:
    """The states in which a step is possible, in the table's order."""
    return tuple(state for state, steps in TRANSITIONS.items() if step in steps)


def overall(event: State, deliveries: Iterable[State]) -> State:
    """What a caller sees of an event: the least advanced of its deliveries, or its own state while it has none."""
    found = tuple(deliveries)
    return min(found, key=_SHORTEST_FIRST.index) if found else event
