"""Looks at everything that can be wrong, and keeps what is known of it with the notices that come of it.

Called every few seconds by a timer. Whatever is urgent is looked at each time, the rest now and then. Sending the
notices is another timer's work: a webhook that does not answer must not keep the next alarm from being seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.watch.alert_rules import Rules
from shared.watch.alert_store import AlertStore, Kept, alert_id
from shared.watch.alerts import Alert, Kind, Seen, Status, step
from shared.watch.observing import Looked, Observing

_EVERY: Final[Mapping[Kind, timedelta]] = {
    Kind.RECEIVER_DOWN: timedelta(),
    Kind.ALARM_LATE: timedelta(),
    Kind.SET_ASIDE: timedelta(seconds=10),
    Kind.ORPHAN: timedelta(seconds=20),
    Kind.SENDER_SILENT: timedelta(minutes=1),
}
"""How long a look is good for."""
_EARLY: Final = timedelta(seconds=1)
"""A timer may come a little before its time."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one round came to."""

    opened: int = 0
    closed: int = 0


class Watch:
    """One round after the other; two instances that go round at once do no harm."""

    def __init__(
        self, *, observing: Observing, store: AlertStore, channels: Sequence[str], rules: Rules, clock: Clock
    ) -> None:
        self._observing = observing
        self._store = store
        self._channels = tuple(channels)
        self._rules = rules
        self._clock = clock
        self._looked: dict[Kind, datetime] = {}

    async def look(self) -> Told:
        """One round. Never raises for an outage: the next one looks again."""
        opened = closed = 0
        try:
            known = await self._store.active()
            for kind in Kind:
                now = self._clock()
                if not self._is_time(kind, now):
                    continue
                looked = await self._at(kind, now)
                if looked is not None:
                    self._looked[kind] = now
                    more = await self._judge(kind, looked, known, now)
                    opened, closed = opened + more.opened, closed + more.closed
        except Unreachable as error:
            log(LogEvent.WATCH_BLIND, error_type=str(error))
        return Told(opened, closed)

    def _is_time(self, kind: Kind, now: datetime) -> bool:
        last = self._looked.get(kind)
        return last is None or now - last >= _EVERY[kind] - _EARLY or now < last

    async def _at(self, kind: Kind, now: datetime) -> Looked | None:
        try:
            return await self._observing.at(kind, now)
        except Unreachable as error:
            # One store may answer while another does not; of what was not looked at nothing is concluded.
            log(LogEvent.WATCH_BLIND, code=kind.value, error_type=str(error))
            return None

    async def _judge(self, kind: Kind, looked: Looked, known: tuple[Kept, ...], now: datetime) -> Told:
        before = {alert_id(each.alert.seen): each for each in known if each.alert.seen.kind is kind}
        seen = {alert_id(each): each for each in looked.seen}
        opened = closed = 0
        for id in before.keys() | seen.keys():
            if id not in seen and not looked.whole:
                continue
            kept = before.get(id)
            if kept is None and (found := seen.get(id)) is not None:
                kept = await self._store.resting(found)
            after = await self._stepped(kept, seen.get(id), now, kind)
            was = kept.alert.status if kept is not None else Status.CLOSED
            opened += after is not None and after.status is Status.OPEN and was is not Status.OPEN
            closed += after is not None and after.status is Status.CLOSED and was is Status.OPEN
        return Told(opened, closed)

    async def _stepped(self, kept: Kept | None, seen: Seen | None, now: datetime, kind: Kind) -> Alert | None:
        """The alert as it is now, if it changed and this instance was the one to write it."""
        alert = kept.alert if kept is not None else None
        after = step(alert, seen, now, self._rules.kinds[kind], self._channels)
        if after is None or after is alert:
            return None
        if not await self._store.write(after, kept.revision if kept is not None else 0):
            return None
        _tell(alert, after, now)
        return after


def _tell(before: Alert | None, after: Alert, now: datetime) -> None:
    was = before.status if before is not None else Status.CLOSED
    if was is after.status or Status.OPEN not in (was, after.status):
        return
    seen = after.seen
    event = LogEvent.ALERT_OPENED if after.status is Status.OPEN else LogEvent.ALERT_CLOSED
    log(
        event,
        code=seen.kind.value,
        orgnr=seen.orgnr or None,
        receiver=seen.receiver or None,
        vkp_id=seen.sender or None,
        error_type=seen.code or None,
        count=seen.waiting,
        duration_ms=round((now - (seen.oldest or seen.since)).total_seconds() * 1000),
    )
