"""The issuer's keys, kept for a while: when to fetch them again, and what to do when that fails.

The rule (domain/helseid.md section 2): keep the set for up to 24 h; fetch again for a key id that is not in it, but at
most once a minute, however many calls bring unknown ids; one fetch at a time, which everybody waits for; when a fetch
fails, go on with the set there is. Only with nothing at all is the API unavailable.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from shared.access.jwks import KeySet
from shared.errors import NotAvailable
from shared.log import LogEvent, log


class KeysFetchError(Exception):
    """The issuer's keys could not be fetched just now."""


@dataclass(frozen=True, slots=True)
class KeySettings:
    """How long keys are kept and how often they are asked for, in seconds."""

    keep_s: float = 24 * 3600.0
    pause_s: float = 60.0
    """The least time between two fetches for an unknown key id, and after a failed renewal."""

    def __post_init__(self) -> None:
        if self.keep_s <= 0 or self.pause_s < 0:
            raise ValueError("keys must be kept for some time, and the pause cannot be negative")


DEFAULTS: Final = KeySettings()


class Keys:
    """The current key set. Belongs to one event loop."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[KeySet]],
        settings: KeySettings = DEFAULTS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._settings = settings
        self._monotonic = monotonic
        self._cached: KeySet | None = None
        self._fetched_at = 0.0
        self._not_before = float("-inf")
        self._running: asyncio.Task[KeySet | None] | None = None

    async def current(self) -> KeySet:
        """The keys to verify with. Raises NotAvailable when there are none and the issuer cannot be reached."""
        cached = self._cached
        if cached is not None and self._monotonic() < self._fetched_at + self._settings.keep_s:
            return cached
        if cached is not None and self._monotonic() < self._not_before:
            return cached
        fetched = await self._fetch_once()
        if fetched is not None:
            return fetched
        if self._cached is None:
            raise NotAvailable
        return self._cached

    async def after(self, seen: KeySet) -> KeySet | None:
        """Keys newer than `seen`, for a token whose key is not in it; None when there are none to be had just now."""
        if self._running is None:
            if self._cached is not None and self._cached is not seen:
                return self._cached
            if self._monotonic() < self._not_before:
                return None
            self._not_before = self._monotonic() + self._settings.pause_s
        return await self._fetch_once()

    async def _fetch_once(self) -> KeySet | None:
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        # One caller going away must not take the fetch from the others.
        return await asyncio.shield(self._running)

    async def _run(self) -> KeySet | None:
        try:
            fetched = await self._fetch()
        except KeysFetchError as error:
            self._not_before = self._monotonic() + self._settings.pause_s
            log(LogEvent.KEYS_UNREACHABLE, error_type=type(error).__name__)
            return None
        else:
            self._cached = fetched
            self._fetched_at = self._monotonic()
            return fetched
        finally:
            self._running = None
