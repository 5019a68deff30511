"""The proof that no delivery is missing (P2), at a price that does not grow with the messages.

As many deliveries must have ended or stand in line as there were receivers. Only where the counts do not come out right
(or something moved between them) each is looked for.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared import clock
from shared.messages import lifecycle, worklist
from shared.messages.documents import Container, Counted, Document
from shared.messages.lanes import Lane, line_id
from shared.messages.lifecycle import State
from shared.messages.worklist import Missing

MOST_LOOKED_AT: Final = 5000
"""Events: of half a minute in which there are more than the hub has ever been asked to take."""

_COUNTED: Final = 3
"""Times, before it is looked: while a backlog is worked off, something moves at nearly every moment."""

_COUNTS: Final = (
    "SELECT VALUE SUM(ARRAY_LENGTH(c.receivers)) FROM c WHERE c.type = 'event' AND c.receivedAt >= @since "
    "AND c.receivedAt < @until",
    "SELECT VALUE SUM((SELECT VALUE COUNT(1) FROM p IN c.pending WHERE p.receivedAt >= @since "
    "AND p.receivedAt < @until)) FROM c WHERE c.type = 'line' AND c.since < @until",
    "SELECT VALUE COUNT(1) FROM c WHERE c.type = 'delivery' AND c.receivedAt >= @since AND c.receivedAt < @until "
    "AND c.state NOT IN ('routed', 'waiting')",
)
_ROUTED: Final = (
    "SELECT c.id, c.receivers FROM c WHERE c.type = 'event' AND c.receivedAt >= @since AND c.receivedAt < @until "
    "AND c.state = 'routed'"
)


async def missing(container: Counted, window: tuple[datetime, datetime], limit: int) -> tuple[Missing, ...]:
    """Deliveries of events accepted between two times that have neither ended nor stand in a line.

    No more than `limit` events are looked at while the counts only show that something moved, and no more than
    `MOST_LOOKED_AT` when something is missing. Raises Unreachable.
    """
    since, until = window
    at = {"@since": clock.written(since), "@until": clock.written(until)}
    for _ in range(_COUNTED):
        wanted, waiting, ended = [int(await container.value(text, at) or 0) for text in _COUNTS]
        if wanted == waiting + ended:
            return ()
    # Who moves from a line to their end between the counts is counted twice, and nobody is left out by that.
    found = await container.query(_ROUTED, at, MOST_LOOKED_AT if waiting + ended < wanted else limit)
    looked = [await _left_out(container, event) for event in found]
    return tuple(each for some in looked for each in some)


async def _left_out(container: Container, event: Document) -> list[Missing]:
    missing = []
    for receipt in event["receivers"]:
        delivery, lane = receipt["delivery"], Lane(receipt["lane"])
        if await _ended(container, delivery, lane):
            continue
        in_line = worklist.at(await container.read(line_id(lane), lane), delivery) is not None
        # It may have ended between the two looks.
        if in_line or await _ended(container, delivery, lane):
            continue
        document = await container.read(delivery, lane)
        whole = await container.read(event["id"], lane)
        if whole is not None:
            missing.append(Missing(delivery, lane, document or _of_event(whole, receipt)))
    return missing


async def _ended(container: Container, delivery: str, lane: Lane) -> bool:
    document = await container.read(delivery, lane)
    return document is not None and State(document["state"]) in lifecycle.RESTING


def _of_event(event: Document, receipt: Mapping[str, Any]) -> Document:
    return {
        **event, "id": receipt["delivery"], "lane": receipt["lane"], "receiver": receipt["receiver"],
        "routedAt": event["receivedAt"], "attempts": 0,
    }  # fmt: skip
