"""Counts what waits in the stores, at a bounded price.

Only lanes with something in them are looked at (`since` is null in an empty one), so the price does not grow with the
messages that are stored. Nor does it with those that wait: after so many lanes, the oldest first, the receivers seen
among them are left out and the others are asked for, so that one that is down hides nobody. Azure's Python SDK can do
no GROUP BY over partitions and ORDER BY on one path only; the queries stay within that.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from shared import clock
from shared.clock import Clock
from shared.messages.documents import Document
from shared.messages.worklist import INBOUND, OUTBOUND
from shared.watch.numbers import Aside, Line, Numbers, Receiver, Waiting, added_up, with_aside
from shared.watch.ports import Looking

MOST_LANES: Final = 2000
"""Lanes looked at in one page."""
MOST_ASIDE: Final = 2000
MOST_PAGES: Final = 5
"""How often those are left out that were seen."""

_LINES: Final = (
    "SELECT c.orgnr, c.receiver, c.since, c.waiting, c.prompts, c.tries, c.parked, c.blocked, "
    "c.pending[0].orgnr AS headOrgnr, "
    "(SELECT VALUE MIN(p.receivedAt) FROM p IN c.pending WHERE p.urgency = 'prompt') AS prompt, "
    "(SELECT VALUE MIN(p.receivedAt) FROM p IN c.pending WHERE p.urgency = 'routine') AS routine "
    "FROM c WHERE c.type = @type AND "
)
_WAITING: Final = "c.since > ''"
_URGENT: Final = "c.prompts >= 1 AND c.since < @before"


class Look:
    """Looks into the container `messages`."""

    def __init__(self, messages: Looking, clock: Clock, most_lanes: int = MOST_LANES) -> None:
        self._messages = messages
        self._clock = clock
        self._most = most_lanes

    async def numbers(self) -> Numbers:
        """All that waits and all that is set aside. Raises Unreachable."""
        now = self._clock()
        inbound = await self._lines(INBOUND, _WAITING)
        outbound, more = await self._outbound()
        receivers = added_up([*inbound, *outbound])
        counted = {key: replace(each, at_least=each.key in more) for key, each in receivers.items()}
        aside, more_aside = await self.aside()
        less = len(inbound) >= self._most or bool(more) or more_aside
        return Numbers(now, with_aside(counted, aside), aside, less)

    async def _outbound(self) -> tuple[list[Line], set[str]]:
        """Lanes on the way out, and the receivers that may have more of them. Of each receiver the oldest is there."""
        lines: list[Line] = []
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            others = {f"@k{number}": key for number, key in enumerate(sorted(seen))}
            left_out = f" AND c.key NOT IN ({', '.join(others)})" if others else ""
            page = await self._lines(OUTBOUND, _WAITING + left_out, others)
            lines += page
            if len(page) < self._most:
                break
            seen |= {f"{each.orgnr}/{each.receiver}" for each in page}
        return lines, seen

    async def urgent(self, before: datetime) -> tuple[Line, ...]:
        """Lanes, on the way in and out, with something urgent that was accepted before this moment."""
        at = {"@before": clock.written(before)}
        lines = [*await self._lines(INBOUND, _URGENT, at), *await self._lines(OUTBOUND, _URGENT, at)]
        return tuple(each for each in lines if each.prompt.oldest is not None and each.prompt.oldest <= before)

    async def of_receiver(self, orgnr: str, receiver: str) -> Receiver:
        """What one receiver has waiting."""
        lines = await self._lines(OUTBOUND, f"c.key = @key AND {_WAITING}", {"@key": f"{orgnr}/{receiver}"})
        found = added_up(lines).get((orgnr, receiver)) or Receiver(orgnr, receiver, MappingProxyType({}), 0)
        return replace(found, at_least=len(lines) >= self._most)

    async def overdue(self, before: datetime) -> dict[str, int]:
        """How many lanes were due before this moment, on the way in and out; only those where there are any."""
        at = clock.written(before)
        found = {}
        for name, kind in (("events", INBOUND), ("deliveries", OUTBOUND)):
            text = "SELECT VALUE COUNT(1) FROM c WHERE c.type = @type AND c.due < @before"
            found[name] = int(await self._messages.value(text, {"@type": kind, "@before": at}) or 0)
        return {name: count for name, count in found.items() if count}

    async def _lines(self, kind: str, where: str, parameters: Mapping[str, Any] | None = None) -> tuple[Line, ...]:
        given = {"@type": kind, **(parameters or {})}
        found = await self._messages.query(f"{_LINES}{where} ORDER BY c.since", given, self._most)
        return tuple(_line(each) for each in found)

    async def aside(self) -> tuple[tuple[Aside, ...], bool]:
        """What is set aside, by receiver and cause, and whether there is more than was looked at."""
        groups: dict[tuple[str, str, str], Aside] = {}
        text = "SELECT c.aside FROM c WHERE c.aside.at > '' ORDER BY c.aside.at"
        found = await self._messages.query(text, {}, MOST_ASIDE)
        for each in found:
            _group(groups, each["aside"])
        return tuple(sorted(groups.values(), key=lambda each: each.oldest)), len(found) >= MOST_ASIDE


def _line(document: Document) -> Line:
    parked = bool(document.get("parked"))
    blocked = bool(document.get("blocked"))
    prompts = int(document.get("prompts", 0))
    others = max(int(document.get("waiting", 0)) - prompts, 0)

    def waiting(count: int, oldest: datetime | None) -> Waiting:
        return Waiting(oldest if count else None, count, count if parked else 0, count if blocked else 0)

    return Line(
        orgnr=document.get("orgnr") or document.get("headOrgnr") or "",
        receiver=document.get("receiver") or "",
        prompt=waiting(prompts, _moment(document.get("prompt"))),
        routine=waiting(others, _moment(document.get("routine"))),
        tries=int(document.get("tries") or 0),
    )


def _group(groups: dict[tuple[str, str, str], Aside], aside: Document) -> None:
    orgnr, receiver, cause = str(aside["orgnr"]), str(aside["key"]).partition("/")[2], str(aside["cause"])
    at = clock.read(aside["at"])
    known = groups.get((orgnr, receiver, cause))
    groups[orgnr, receiver, cause] = (
        Aside(orgnr, receiver, cause, 1, at)
        if known is None
        else replace(known, messages=known.messages + 1, oldest=min(known.oldest, at))
    )


def _moment(text: object) -> datetime | None:
    return clock.read(text) if isinstance(text, str) and text else None
