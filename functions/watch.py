"""Timers that look whether anything is wrong, tell people, and count what waits."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import azure.functions as func

from shared.log import LogEvent, log
from shared.messages.documents import Unreachable

if TYPE_CHECKING:
    from shared.azure.watch_parts import WatchParts

type FindParts = Callable[[], WatchParts]


def blueprint(parts: FindParts) -> func.Blueprint:
    """The timers. `parts` is asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    @door.function_name("watch")
    @door.timer_trigger(arg_name="timer", schedule="%WatchSchedule%", run_on_startup=False)
    async def watch(timer: func.TimerRequest) -> None:
        """Look whether anything is wrong."""
        await parts().watch.look()

    @door.function_name("notices")
    @door.timer_trigger(arg_name="timer", schedule="%NoticesSchedule%", run_on_startup=False)
    async def notices(timer: func.TimerRequest) -> None:
        """Send what waits to be sent."""
        await parts().notifier.send()

    @door.function_name("numbers")
    @door.timer_trigger(arg_name="timer", schedule="%NumbersSchedule%", run_on_startup=False)
    async def numbers(timer: func.TimerRequest) -> None:
        """Count what waits."""
        try:
            await parts().count()
        except Unreachable as error:
            log(LogEvent.WATCH_BLIND, error_type=str(error))

    return door
