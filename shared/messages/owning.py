"""Who may begin a try without saying so first.

A try that is counted in its line before it is made costs a write. Nearly every message is taken at its first try, by
the one worker that its signal went to; so that one need not say anything, as long as all others can tell that somebody
may be at it. Therefore a line that was empty is *owned* by the queue (prompt or routine) that it was signalled to: the
workers of that queue, whose sessions give them the lane one at a time, try its head at once. A try that lasts longer
than `SAYS_SO` is told in the line all the same. Everybody else who wants the head first takes the line away from its
owner (`take`) and waits for `UNSURE`: then the try is over, or is told in the line, or there was none.

Whoever begins a try by counting it (a retry, another queue's worker) leaves the line owned by nobody until that try has
ended; then it is their queue's. All of it rests on clocks that differ by less than `UNSURE - SAYS_SO`, and on a worker
that runs: one that stood still for so long in an untold try may be at it beside another, with the same idempotency key.
"""

from datetime import datetime, timedelta
from typing import Final

from shared import clock
from shared.messages.documents import Change, ConditionFailed, Container, Document, NotThere, Patch
from shared.messages.lanes import Lane, line_id
from shared.messages.urgency import Urgency

SAYS_SO: Final = timedelta(seconds=0.7)
"""A try that lasts longer is told in the line."""

UNSURE: Final = timedelta(seconds=2.5)
"""So long after a line was taken from its owner, its head may still be tried by somebody who has not said so."""

_TRIED_BEFORE: Final = ("tries", "waits", "waitUntil", "trying", "parked", "blocked")


def owner(line: Document) -> Urgency | None:
    """The queue whose workers may be trying the line's head without its being told; None: nobody is."""
    owned = line["owner"]
    if not owned or not line["pending"] or any(line[name] for name in _TRIED_BEFORE):
        return None
    return Urgency(owned)


def unsure_until(line: Document, now: datetime, by: Urgency | None = None) -> datetime | None:
    """Until when the head may be being tried by somebody who has not said so; None when that cannot be.

    `by`: who wants to know. Whoever owned the line knows what they are doing.
    """
    taken = line["taken"]
    if not taken or taken["of"] == by:
        return None
    until = clock.read(taken["until"])
    return until if until > now else None


async def take(container: Container, lane: Lane, line: Document, now: datetime) -> datetime | None:
    """Take a line from its owner. Returns when it will be known how its head stands; None: it has moved on."""
    until, head = now + UNSURE, line["pending"][0]
    changes = (
        Change("set", "/owner", None),
        Change("set", "/taken", {"of": line["owner"], "until": clock.written(until)}),
    )
    name = "id" if "id" in head else "event"
    condition = f"c.owner = '{line['owner']}' AND c.pending[0].{name} = '{head[name]}' AND c.trying = null"
    try:
        await container.patch(Patch(line_id(lane), changes, f"FROM c WHERE {condition} AND c.tries = 0"), lane)
    except (ConditionFailed, NotThere):
        return None
    return until
