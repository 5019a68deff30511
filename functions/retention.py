"""Timers of what is set aside: replays are worked on, and what nobody has decided about in time expires."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import azure.functions as func

from shared.log import LogEvent, log
from shared.messages.documents import Unreachable

if TYPE_CHECKING:
    from shared.road.expiring import Expiry
    from shared.road.replaying import Replaying

type FindReplaying = Callable[[], Replaying]
type FindExpiry = Callable[[], Expiry]


def blueprint(replaying: FindReplaying, expiry: FindExpiry) -> func.Blueprint:
    """The timers. Both are asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    @door.function_name("replaying")
    @door.timer_trigger(arg_name="timer", schedule="%ReplaySchedule%", run_on_startup=False)
    async def replay(timer: func.TimerRequest) -> None:
        """Put back into line what people have asked for."""
        try:
            await replaying().work()
        except Unreachable as error:
            log(LogEvent.REPLAY_BEHIND, error_type=str(error))

    @door.function_name("expiry")
    @door.timer_trigger(arg_name="timer", schedule="%ExpirySchedule%", run_on_startup=False)
    async def expire(timer: func.TimerRequest) -> None:
        """Let expire what has been set aside for too long."""
        try:
            await expiry().look()
        except Unreachable as error:
            log(LogEvent.EXPIRY_BEHIND, error_type=str(error))

    return door
