"""Is the hub alive, and can it reach what it depends on?"""

import asyncio
from typing import Any

from shared.messages.documents import Container, Unreachable
from shared.messages.signals import Signals


class Health:
    """Asks the database and the queue. Being alive does not depend on them: an outage of theirs must not make the
    platform kill the app, which would only lose what it is doing."""

    def __init__(self, *, registry: Container, signals: Signals) -> None:
        self._registry = registry
        self._signals = signals

    async def look(self) -> dict[str, Any]:
        """`{"status": "ok" | "degraded", "dependencies": {name: "ok" | "unreachable"}}`."""
        cosmos, service_bus = await asyncio.gather(self._cosmos(), self._signals.ready())
        dependencies = {"cosmos": _word(cosmos), "servicebus": _word(service_bus)}
        return {"status": "ok" if cosmos and service_bus else "degraded", "dependencies": dependencies}

    async def _cosmos(self) -> bool:
        try:
            await self._registry.read("health", "health")
        except Unreachable:
            return False
        return True


def _word(reached: bool) -> str:
    return "ok" if reached else "unreachable"
