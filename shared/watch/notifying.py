"""Sends what is in alerts' outboxes, until every channel has taken it.

A try is written down before it is made, with the time of the next one: so two instances never send at the same moment,
and one that dies in between is followed by another. What may happen then is that the same notice comes twice, with the
same id.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from shared.clock import Clock
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.watch import texts
from shared.watch.alert_rules import Rules
from shared.watch.alert_store import AlertStore, Kept
from shared.watch.alerts import Alert, Notice, Unsent, begun, due, sent
from shared.watch.ports import Channel, NotSent

_SETTLING: Final = 5
"""How often it is tried to write down that a notice was taken, while others write to the same alert."""


class Notifier:
    """Sends notices."""

    def __init__(self, store: AlertStore, channels: Mapping[str, Channel], rules: Rules, clock: Clock) -> None:
        self._store = store
        self._channels = channels
        self._rules = rules
        self._clock = clock

    @property
    def channels(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._channels)

    async def send(self) -> int:
        """Send all that is due, channels and subjects beside each other. Returns how many were taken.

        Never raises for an outage: the next round sends.
        """
        try:
            return await self._send()
        except Unreachable as error:
            log(LogEvent.WATCH_BLIND, error_type=str(error))
            return 0

    async def _send(self) -> int:
        taken = await asyncio.gather(*(self._send_of(each) for each in await self._store.active() if each.alert.outbox))
        return sum(taken)

    async def _send_of(self, kept: Kept) -> int:
        taken = 0
        alert, revision = kept.alert, kept.revision
        for notice, unsent in due(alert, self._clock()):
            # One after the other: they write to the same document.
            again = self._clock() + self._rules.wait(unsent.tries + 1)
            claimed = begun(alert, notice.id, unsent.channel, again)
            if not await self._store.write(claimed, revision):
                return taken
            alert, revision = claimed, revision + 1
            if await self._try(notice, unsent):
                alert, revision = await self._done(alert, revision, notice, unsent)
                taken += 1
        return taken

    async def _try(self, notice: Notice, unsent: Unsent) -> bool:
        """Whether the notice is off our hands."""
        channel = self._channels.get(unsent.channel)
        kind, attempt = notice.seen.kind.value, unsent.tries + 1
        if channel is None or self._is_old(notice):
            log(LogEvent.NOTICE_GIVEN_UP, channel=unsent.channel, code=kind, attempt=attempt)
            return True
        try:
            await channel.send(texts.message(notice))
        except NotSent as error:
            log(
                LogEvent.NOTICE_NOT_SENT, channel=unsent.channel, code=kind, attempt=attempt, error_type=str(error)
            )  # fmt: skip
            return False
        log(LogEvent.NOTICE_SENT, channel=unsent.channel, code=kind, attempt=attempt)
        return True

    def _is_old(self, notice: Notice) -> bool:
        age = self._clock() - notice.at
        return age > self._rules.give_up

    async def _done(self, alert: Alert, revision: int, notice: Notice, unsent: Unsent) -> tuple[Alert, int]:
        for _ in range(_SETTLING):
            try:
                settled = sent(alert, notice.id, unsent.channel)
                if await self._store.write(settled, revision):
                    return settled, revision + 1
                fresh = await self._store.resting(alert.seen)
            except Unreachable:
                break
            if fresh is None:
                break
            alert, revision = fresh.alert, fresh.revision
        # It will be sent once more, with the same id.
        return alert, revision

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.gather(*(each.close() for each in self._channels.values()))
