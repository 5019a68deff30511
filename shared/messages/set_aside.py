"""What is set aside, found by municipality, receiver, cause and time; grouped by receiver and cause.

Deliveries are set aside, and events for want of a receiver (theirs is empty). What is told of them are ids, codes and
times. What a look costs grows with the groups there are and the messages shown, not with what is stored: every look
goes by an index (`/aside/at`, `/aside/key`, `/aside/cause`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared import clock
from shared.messages.documents import Counted, Document
from shared.messages.inserting import in_order
from shared.messages.lanes import Lane, lane_of
from shared.messages.model import receiver_key

MOST_EVENTS: Final = 1000
"""Events looked through for groups: more of them than that are counted as `at least` so many."""

PAGE: Final = 20
MOST: Final = 50
"""Groups in one answer."""

_AFTER_SLASH: Final = "0"
"""The character after `/`: an upper bound of all keys of a municipality."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of what is set aside. What is left out is not asked about."""

    orgnr: str | None = None
    receiver: str | None = None
    """Its id; "" for events that have none."""
    cause: str | None = None
    since: datetime | None = None
    """Set aside then or later (UTC)."""
    until: datetime | None = None
    """Set aside before then (UTC)."""

    def fits(self, item: "Item") -> bool:
        """Whether this one is meant."""
        return (
            self.orgnr in (None, item.orgnr)
            and self.receiver in (None, item.receiver)
            and self.cause in (None, item.cause)
            and (self.since is None or self.since <= item.at)
            and (self.until is None or item.at < self.until)
        )


@dataclass(frozen=True, slots=True)
class Group:
    """What is set aside at one receiver for one cause."""

    orgnr: str
    receiver: str
    """"" for events without one."""
    cause: str
    count: int
    at_least: bool
    """Whether there may be more than were counted."""
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One message that is set aside."""

    id: str
    """Of the delivery, or of the event."""
    lane: Lane
    event: str
    event_lane: Lane
    orgnr: str
    receiver: str
    cause: str
    at: datetime
    status: int
    """The receiver's HTTP status; 0: none."""
    place: int
    received_at: datetime

    @property
    def is_event(self) -> bool:
        """Whether it never got as far as a receiver."""
        return self.id == self.event

    @property
    def key(self) -> str:
        """Its receiver's key; "" for an event."""
        return receiver_key(self.orgnr, self.receiver) if self.receiver else ""


@dataclass(frozen=True, slots=True)
class Groups:
    """A page of groups."""

    groups: tuple[Group, ...]
    next: str | None
    """For `after`; None: that was all."""


class SetAside:
    """Looks for what is set aside. Every method may raise Unreachable."""

    def __init__(self, container: Counted) -> None:
        self._container = container

    async def groups(self, wanted: Filter, after: str = "", limit: int = PAGE) -> Groups:
        """The groups, those of events first and then by receiver and cause."""
        found: list[Group] = [] if after else await self._event_groups(wanted)
        key, _, cause = after.partition(" ")
        while len(found) < limit:
            pair = await self._next_pair(wanted, key, cause)
            if pair is None:
                return Groups(tuple(found), None)
            key, cause = pair
            group = await self._group(wanted, key, cause)
            if group is not None:
                found.append(group)
        # One that was found just now and is the last is found again to be so by the next page, which is then empty.
        return Groups(tuple(found), f"{key} {cause}")

    async def keys(self, wanted: Filter) -> tuple[str, ...]:
        """The receivers at which something is set aside; "" for events without one."""
        found = ["" for _ in await self._event_groups(wanted)][:1]
        key = ""
        while (pair := await self._next_key(wanted, key)) is not None:
            key = pair
            found.append(key)
        return tuple(found)

    async def items(self, wanted: Filter, key: str, since: datetime | None, limit: int) -> tuple[Item, ...]:
        """What is set aside at one receiver ("": events), the longest ago first, from a time on."""
        where, given = _where(wanted)
        if since is not None:
            where, given = [*where, "c.aside.at >= @from"], {**given, "@from": clock.written(since)}
        kind = "delivery" if key else "event"
        text = _text("SELECT * FROM c", ("c.type = @kind", "c.aside.key = @key", *where), "ORDER BY c.aside.at")
        found = await self._container.query(text, {**given, "@kind": kind, "@key": key}, limit)
        return tuple(map(item_from, found))

    async def everything(self, since: datetime | None, limit: int, *, events: bool) -> tuple[Item, ...]:
        """What is set aside anywhere, the longest ago first, from a time on: deliveries, or events."""
        where, given = _where(Filter(since=since))
        kind = "event" if events else "delivery"
        text = _text("SELECT * FROM c", ("c.type = @kind", *where), "ORDER BY c.aside.at")
        return tuple(map(item_from, await self._container.query(text, {**given, "@kind": kind}, limit)))

    async def in_lane(self, wanted: Filter, lane: Lane, key: str, limit: int) -> tuple[Item, ...]:
        """What is set aside in one lane, in the order of acceptance."""
        where, given = _where(wanted)
        kind = "delivery" if key else "event"
        text = _text("SELECT * FROM c", ("c.lane = @lane", "c.type = @kind", *where), "ORDER BY c.aside.at")
        found = await self._container.query(text, {**given, "@kind": kind, "@lane": lane}, limit)
        return tuple(
            sorted(map(item_from, found), key=lambda item: in_order((item.place, clock.written(item.received_at))))
        )

    async def of_message(self, id: str) -> tuple[Item, ...]:
        """What is set aside of a message, by the event's id; or one delivery, by the delivery's."""
        event = ".".join(id.split(".")[:2])
        lane = lane_of(event)
        document = await self._container.read(event, lane) if lane is not None else None
        if document is None:
            return ()
        found = [document] if id == event else []
        for receipt in document["receivers"]:
            if id in (event, receipt["delivery"]):
                delivery = await self._container.read(receipt["delivery"], receipt["lane"])
                found += [] if delivery is None else [delivery]
        return tuple(item_from(each) for each in found if "aside" in each)

    async def _next_key(self, wanted: Filter, key: str) -> str | None:
        where, given = _where(wanted)
        first = f"{wanted.orgnr}/" if wanted.orgnr else ""
        bounds = ["c.aside.key > @after", *(["c.aside.key < @end"] if first else [])]
        given |= {"@after": max(key, first)} | ({"@end": first[:-1] + _AFTER_SLASH} if first else {})
        if wanted.receiver:
            if key or not wanted.orgnr:
                return None
            bounds, given["@only"] = ["c.aside.key = @only"], receiver_key(wanted.orgnr, wanted.receiver)
        elif wanted.receiver is not None:
            return None
        text = _text("SELECT c.aside.key FROM c", ("c.type = 'delivery'", *bounds, *where), "ORDER BY c.aside.key")
        found = await self._container.query(text, given, 1)
        return found[0]["key"] if found else None

    async def _next_pair(self, wanted: Filter, key: str, cause: str) -> tuple[str, str] | None:
        while True:
            if key:
                next_cause = await self._next_cause(wanted, key, cause)
                if next_cause is not None:
                    return key, next_cause
            found = await self._next_key(wanted, key)
            if found is None:
                return None
            key, cause = found, ""

    async def _next_cause(self, wanted: Filter, key: str, cause: str) -> str | None:
        where, given = _where(wanted)
        bounds = ("c.type = 'delivery'", "c.aside.key = @key", "c.aside.cause > @after")
        text = _text("SELECT c.aside.cause FROM c", (*bounds, *where), "ORDER BY c.aside.cause")
        found = await self._container.query(text, {**given, "@key": key, "@after": cause}, 1)
        return found[0]["cause"] if found else None

    async def _group(self, wanted: Filter, key: str, cause: str) -> Group | None:
        where, given = _where(Filter(since=wanted.since, until=wanted.until))
        given |= {"@key": key, "@only": cause}
        bounds = ("c.type = 'delivery'", "c.aside.key = @key", "c.aside.cause = @only", *where)
        count, oldest, newest = await asyncio.gather(
            self._container.value(_text("SELECT VALUE COUNT(1) FROM c", bounds), given),
            self._container.query(_text("SELECT c.aside.at FROM c", bounds, "ORDER BY c.aside.at"), given, 1),
            self._container.query(_text("SELECT c.aside.at FROM c", bounds, "ORDER BY c.aside.at DESC"), given, 1),
        )
        if not count or not oldest or not newest:
            return None
        orgnr, _, receiver = key.partition("/")
        times = clock.read(oldest[0]["at"]), clock.read(newest[0]["at"])
        return Group(orgnr, receiver, cause, int(count), False, *times)

    async def _event_groups(self, wanted: Filter) -> list[Group]:
        if wanted.receiver:
            return []
        where, given = _where(wanted)
        text = _text("SELECT c.aside FROM c", ("c.type = 'event'", *where), "ORDER BY c.aside.at")
        found = await self._container.query(text, given, MOST_EVENTS)
        return _grouped([each["aside"] for each in found], len(found) == MOST_EVENTS)


def item_from(document: Mapping[str, Any]) -> Item:
    """What is set aside, from its document. Raises KeyError or ValueError for one that is not."""
    aside = document["aside"]
    return Item(
        id=document["id"],
        lane=Lane(document["lane"]),
        event=document["event"],
        event_lane=Lane(document["eventLane"]),
        orgnr=aside["orgnr"],
        receiver=aside["key"].partition("/")[2],
        cause=aside["cause"],
        at=clock.read(aside["at"]),
        status=aside["status"],
        place=document.get("place", 0),
        received_at=clock.read(document["receivedAt"]),
    )


def _where(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    where = ["c.aside.at >= @since"]
    given: dict[str, Any] = {"@since": clock.written(wanted.since) if wanted.since else ""}
    for name, text, value in (
        ("@until", "c.aside.at < @until", clock.written(wanted.until) if wanted.until else None),
        ("@orgnr", "c.aside.orgnr = @orgnr", wanted.orgnr),
        ("@cause", "c.aside.cause = @cause", wanted.cause),
    ):
        if value is not None:
            where.append(text)
            given[name] = value
    return where, given


def _text(select: str, where: Sequence[str], order: str = "") -> str:
    return " ".join((select, "WHERE", " AND ".join(where), order)).rstrip()


def _grouped(asides: Sequence[Document], more: bool) -> list[Group]:
    groups: dict[tuple[str, str], list[str]] = {}
    for each in asides:
        groups.setdefault((each["orgnr"], each["cause"]), []).append(each["at"])
    return [
        Group(orgnr, "", cause, len(times), more, clock.read(min(times)), clock.read(max(times)))
        for (orgnr, cause), times in sorted(groups.items())
    ]
