"""Timers of the trail: stations into the log, checkpoints over it, and whether anything is missing from it."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import azure.functions as func

from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.trail.checkpoints import NotACheckpoint

if TYPE_CHECKING:
    from shared.azure.trail_parts import TrailParts

type FindParts = Callable[[], TrailParts]

WINDOW: Final = timedelta(minutes=15)
"""How far back each look for missing entries goes. Looks come every five minutes: each station is looked at thrice."""


def blueprint(parts: FindParts) -> func.Blueprint:
    """The timers. `parts` is asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    @door.function_name("trail_sequencer")
    @door.timer_trigger(arg_name="timer", schedule="%TrailSchedule%", run_on_startup=False)
    async def trail_sequencer(timer: func.TimerRequest) -> None:
        """Write the entries of what has happened since the last time."""
        try:
            progress = await parts().sequencer.tick()
        except Unreachable as error:
            log(LogEvent.TRAIL_BEHIND, error_type=str(error))
            return
        if progress.unreadable:
            log(LogEvent.TRAIL_UNREADABLE, count=progress.unreadable)

    @door.function_name("trail_checkpoint")
    @door.timer_trigger(arg_name="timer", schedule="%CheckpointSchedule%", run_on_startup=False)
    async def trail_checkpoint(timer: func.TimerRequest) -> None:
        """Sign for what stands in the log."""
        try:
            sealed = await parts().seal()
        except Unreachable as error:
            log(LogEvent.TRAIL_NOT_SIGNED, error_type=str(error))
            return
        except NotACheckpoint:
            log(LogEvent.TRAIL_TOUCHED)
            return
        if sealed is not None and sealed.broken:
            log(LogEvent.TRAIL_BROKEN, count=len(sealed.broken))
        try:
            await parts().copy()
        except Unreachable as error:
            log(LogEvent.TRAIL_NOT_COPIED, error_type=str(error))

    @door.function_name("trail_reconcile")
    @door.timer_trigger(arg_name="timer", schedule="%ReconcileSchedule%", run_on_startup=False)
    async def trail_reconcile(timer: func.TimerRequest) -> None:
        """Look for what has no entry though it should have."""
        try:
            looks = await parts().reconcile(WINDOW)
        except Unreachable as error:
            log(LogEvent.TRAIL_NOT_RECONCILED, error_type=str(error))
            return
        for missing in looks:
            if missing.count:
                log(LogEvent.TRAIL_MISSING, resource=missing.store, count=missing.count)

    return door
