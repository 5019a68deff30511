"""Everything that is to happen at a time: lock and session expiry, scheduled messages, time to live, waits."""

import heapq
from collections.abc import Callable, Hashable


class Deadlines:
    """A due time and an action per key. What is cancelled or moved costs nothing more than its place until then."""

    def __init__(self) -> None:
        self._live: dict[Hashable, tuple[int, int, Callable[[], None]]] = {}
        self._heap: list[tuple[int, int, Hashable]] = []
        self._count = 0

    def set(self, key: Hashable, due: int, action: Callable[[], None]) -> None:
        """Let `action` happen at `due` (milliseconds since 1970) instead of whatever the key had before."""
        self._count += 1
        self._live[key] = (due, self._count, action)
        heapq.heappush(self._heap, (due, self._count, key))
        if len(self._heap) > 2 * len(self._live) + 1000:
            self._heap = [(at, number, name) for name, (at, number, _) in self._live.items()]
            heapq.heapify(self._heap)

    def cancel(self, key: Hashable) -> None:
        """Forget the key, if it is there."""
        self._live.pop(key, None)

    def next_due(self) -> int | None:
        """When the next action is due."""
        heap = self._heap
        while heap:
            due, number, key = heap[0]
            live = self._live.get(key)
            if live is not None and live[1] == number:
                return due
            heapq.heappop(heap)
        return None

    def run(self, now: int) -> None:
        """Do everything that is due, in order of time."""
        while (due := self.next_due()) is not None and due <= now:
            _, _, key = heapq.heappop(self._heap)
            _, _, action = self._live.pop(key)
            action()
