"""What calls need and the host does not: loaded by a thread while the host makes ready.

The worker imports `function_app` and says which functions there are. Until then the host waits, and with it whoever's
call this instance was started for. Triggers, routes and settings are all that takes; stations, checks, the databases'
and queues' libraries are two thirds of what there is to load. Doors import those where they use them, and reach that
place only by way of `finished`: no module is ever loaded by two threads at a time.
"""

import gc
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(slots=True)
class _Loading:
    begun: Future[None] | None = None


_LOADING = _Loading()


def begin(load: Callable[[], None]) -> None:
    """Load by a thread of its own, then let Python collect garbage again. The app calls it when it is imported."""
    thread = ThreadPoolExecutor(1, "loading")
    _LOADING.begun = thread.submit(_loaded, load)
    thread.shutdown(wait=False)


def finished() -> None:
    """Wait until all is loaded, should it not be yet. At once where nothing was begun: in tests, in tools.

    Blocks the event loop, which without this would have loaded it all by itself. Raises what loading raised.
    """
    if _LOADING.begun is not None:
        _LOADING.begun.result()


def _loaded(load: Callable[[], None]) -> None:
    try:
        load()
    finally:
        # Modules live as long as the process: from here on no collection looks through them again.
        gc.freeze()
        gc.enable()
