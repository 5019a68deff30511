"""Timers: what the hub does by itself to keep its promises."""

import azure.functions as func

from functions.wiring import hub

door = func.Blueprint()


@door.function_name("orphan_check")
@door.timer_trigger(arg_name="timer", schedule="%OrphanCheckSchedule%", run_on_startup=False)
async def orphan_check(timer: func.TimerRequest) -> None:
    """Signal every lane that is past its due time (P2)."""
    await hub().orphan_check.look()


@door.function_name("waking")
@door.timer_trigger(arg_name="timer", schedule="%WakingSchedule%", run_on_startup=False)
async def waking(timer: func.TimerRequest) -> None:
    """Wake the lanes of receivers that take messages again, and try those that may be back."""
    await hub().waking.look()
