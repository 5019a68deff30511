"""Keeping a lock: renewed at half of what is left, for a bounded time. Costs a timer until the first renewal is due."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sandbox.host.amqp_client import AmqpError

log = logging.getLogger("host.servicebus")

SHORTEST_S = 0.05


class Renewal:
    """Renews one lock from now on, for at most `longest` in all, until `stop`. `renew` gives the new expiry (UTC)."""

    def __init__(
        self,
        renew: Callable[[], Awaitable[datetime]],
        locked_until: datetime,
        longest: timedelta,
        what: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._renew = renew
        self._clock = clock
        self._what = what
        self._end = clock() + longest
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self._plan(locked_until)

    def stop(self) -> None:
        """Renew no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _plan(self, locked_until: datetime) -> None:
        now = self._clock()
        wait = max((locked_until - now).total_seconds() / 2, SHORTEST_S)
        if not self._stopped and now + timedelta(seconds=wait) < self._end:
            self._timer = asyncio.get_running_loop().call_later(wait, self._begin)

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._once())

    async def _once(self) -> None:
        try:
            self._plan(await self._renew())
        except AmqpError as error:
            # The run goes on: settling will tell whether the lock was still held.
            log.warning("the lock of %s was not renewed: %s", self._what, error)
