"""The broker's time: a clock that can wake it. Times are whole milliseconds since 1970-01-01T00:00:00Z."""

import asyncio
import heapq
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol


class Clock(Protocol):
    """What the broker asks of time."""

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...

    def wake(self, at: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back once, not before `at`. Returns what cancels it."""
        ...


class SystemClock:
    """Real time, on the running event loop."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def wake(self, at: int, call: Callable[[], None]) -> Callable[[], None]:
        return asyncio.get_running_loop().call_later(max(0, at - self.now()) / 1000, call).cancel


class ManualClock:
    """Time for tests: begins at the real time and goes only where it is moved."""

    def __init__(self, start: int | None = None) -> None:
        self._now = time.time_ns() // 1_000_000 if start is None else start
        self._wakings: list[tuple[int, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._count = 0

    def now(self) -> int:
        return self._now

    def wake(self, at: int, call: Callable[[], None]) -> Callable[[], None]:
        self._count += 1
        number = self._count
        heapq.heappush(self._wakings, (at, number, call))
        return lambda: self._cancelled.add(number)

    def advance(self, by: timedelta) -> None:
        """Move time on, waking whoever asked for it, each at its own time."""
        until = self._now + by // timedelta(milliseconds=1)
        while self._wakings and self._wakings[0][0] <= until:
            at, number, call = heapq.heappop(self._wakings)
            self._now = max(self._now, at)
            if number in self._cancelled:
                self._cancelled.discard(number)
            else:
                call()
        self._now = until
