"""The one hub of this process. Settings are read when the app is loaded; connections open when first needed."""

import asyncio
import os
from collections.abc import AsyncGenerator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

import azure.functions as func

from functions import http, loading
from shared.access.caller import Person
from shared.azure import credentials, settings, trail_settings

if TYPE_CHECKING:
    from shared.azure.trail_parts import TrailParts
    from shared.azure.watch_parts import WatchParts
    from shared.registry.desk import Desk
    from shared.road.expiring import Expiry
    from shared.road.handling import Handling
    from shared.road.hub import Hub
    from shared.road.replay_desk import ReplayDesk
    from shared.road.replaying import Replaying
    from shared.trail.desk import TrailDesk
    from shared.watch.desk import SummaryDesk

_SETTINGS: Final = settings.load(os.environ)
_TRAIL: Final = trail_settings.load(os.environ)
http.served_at(_SETTINGS.public_url, _SETTINGS.helse_id.dpop)

_ROOMS: Final = (
    "shared.road.hub",
    "functions.taking",
    "shared.road.asking",
    "shared.registry.desk",
    "shared.registry.places",
    "shared.trail.bundles",
    "shared.api.capability",
    "shared.api.openapi",
    "shared.api.routes",
)
"""What doors import where they use it, the largest first."""


def load() -> None:
    """Load what calls need (see `functions.loading`). Telemetry first: what follows may have something to tell."""
    from shared.azure import telemetry  # noqa: PLC0415 - see loading

    telemetry.start(_SETTINGS.telemetry)
    for room in _ROOMS:
        import_module(room)
    if _SETTINGS.cosmos.connection_string is None or _SETTINGS.service_bus.connection_string is None:
        credentials.load()


_BEGUN: Final[set[object]] = set()


@cache
def hub() -> "Hub":
    """The hub. First called inside the worker's event loop, to which its connections then belong, and with which they
    are closed."""
    loading.finished()
    from shared.road.hub import Hub  # noqa: PLC0415 - see loading

    opened = Hub(_SETTINGS, _TRAIL)
    life = _life(opened)
    # Kept, or it would be over at once.
    _BEGUN.update((life, asyncio.ensure_future(anext(life))))
    return opened


async def _life(opened: "Hub") -> AsyncGenerator[None]:
    # The worker calls nobody when it ends; but its loop ends all generators (loop.shutdown_asyncgens).
    try:
        yield
    finally:
        await opened.close()


async def person(req: func.HttpRequest) -> Person:
    """Who is logged in at the calling system. Counted: raises TooManyCalls."""
    found = await hub().entrance.person(http.credentials(req))
    hub().limits.person(found.subject)
    return found


def registry_desk() -> "Desk":
    """What answers about the register."""
    return hub().registry_desk


def replay_desk() -> "ReplayDesk":
    """What answers about what is set aside, and takes orders for replays."""
    return hub().aside.desk


def handling() -> "Handling":
    """What withdraws messages, restores them and shows what a receiver said."""
    return hub().aside.handling


def replaying() -> "Replaying":
    """What works on replays."""
    return hub().aside.replaying


def expiry() -> "Expiry":
    """What lets expire what has been set aside for too long."""
    return hub().aside.expiry


def trail_desk() -> "TrailDesk":
    """What answers about the log."""
    return hub().trail_desk


def trail_parts() -> "TrailParts":
    """What keeps the log."""
    return hub().trail


def watch_parts() -> "WatchParts":
    """What looks whether anything is wrong, and tells people."""
    return hub().watch


def summary_desk() -> "SummaryDesk":
    """What answers with the numbers people look at."""
    return hub().watch.desk
