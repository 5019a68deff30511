"""The issuer's keys, kept for a while: when to fetch them again, and what to do when that fails.

The rule (HelseID's FK2 and domain/helseid.md section 2): keep the set for at most a day, renew it in the background
long before that; fetch again for a key id that is not in it, at the pace of `shared.access.refetch`; one fetch at a
time, which everybody waits for; when a fetch fails, go on with the set there is until the day is over. Only with
nothing to go on with is the API unavailable.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from shared.access.jwks import KeySet
from shared.access.refetch import Refetch, RefetchPace
from shared.errors import NotAvailable
from shared.log import LogEvent, log


class KeysFetchError(Exception):
    """The issuer's keys could not be fetched just now."""


@dataclass(frozen=True, slots=True)
class KeySettings:
    """How long keys are kept and how often they are asked for, in seconds."""

    renew_s: float = 3600.0
    """From this age on they are renewed in the background: a key that left the set is out after this time."""
    keep_s: float = 24 * 3600.0
    """Older than this they are not used, however long the issuer is out of reach."""
    pause_s: float = 60.0
    """The least time between two tries to renew."""
    pace: RefetchPace = field(default_factory=RefetchPace)

    def __post_init__(self) -> None:
        if not 0 < self.renew_s <= self.keep_s or self.pause_s < 0:
            raise ValueError("keys must be kept for some time and renewed within it, and the pause cannot be negative")


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
        self._renew_at = 0.0
        self._refetch = Refetch(settings.pace)
        self._running: asyncio.Task[KeySet | None] | None = None

    async def current(self) -> KeySet:
        """The keys to verify with. Raises NotAvailable when there are none and the issuer cannot be reached."""
        now = self._monotonic()
        if self._cached is not None and now < self._fetched_at + self._settings.keep_s:
            if now >= self._renew_at:
                self._start()
            return self._cached
        fetched = await self._fetch_once()
        if fetched is None:
            raise NotAvailable
        return fetched

    async def after(self, seen: KeySet, kid: str, client_id: object = None) -> KeySet | None:
        """Keys newer than `seen`, for a token whose key is not in it; None when there are none to be had just now.

        `client_id` is what the token says, unproven.
        """
        if self._running is None:
            if self._cached is not None and self._cached is not seen:
                return self._cached
            if not self._refetch.begin(kid, client_id, self._monotonic()):
                return None
        fetched = await self._fetch_once()
        if fetched is not None and fetched.find(kid) is None:
            self._refetch.in_vain(kid, self._monotonic())
        return fetched

    def let_in(self, client_id: str) -> None:
        """A token of this client has been found good (see `shared.access.refetch`)."""
        self._refetch.let_in(client_id)

    async def close(self) -> None:
        """Stop a fetch that is under way."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _fetch_once(self) -> KeySet | None:
        # One caller going away must not take the fetch from the others.
        return await asyncio.shield(self._start())

    def _start(self) -> asyncio.Task[KeySet | None]:
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return self._running

    async def _run(self) -> KeySet | None:
        try:
            fetched = await self._fetch()
        except KeysFetchError as error:
            self._renew_at = self._monotonic() + self._settings.pause_s
            log(LogEvent.KEYS_UNREACHABLE, error_type=type(error).__name__)
            return None
        else:
            self._cached = fetched
            self._fetched_at = self._monotonic()
            self._renew_at = self._fetched_at + self._settings.renew_s
            return fetched
        finally:
            self._running = None
