"""What both queue doors share: a signal's lane, and what happens when the lane cannot be worked on now."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import azure.functions as func

from functions.wiring import hub
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.messages.lanes import Lane
from shared.messages.signals import Queue, SignalLost

_AGAIN: Final = timedelta(seconds=5)


async def work(queue: Queue, message: func.ServiceBusMessage, station: Callable[[Lane], Awaitable[None]]) -> None:
    """Let the station work on the signalled lane.

    A failure of the store is answered with a later signal, not by letting the message fail: Service Bus would bring it
    back at once, ten times, and then put it aside. Raises when not even that can be sent; the message comes back then.
    """
    lane = Lane(message.session_id or "")
    try:
        await station(lane)
    except Unreachable as error:
        log(LogEvent.LANE_POSTPONED, queue=queue, lane=lane, code=str(error))
        try:
            await hub().signals.send(queue, lane, hub().clock() + _AGAIN)
        except SignalLost:
            log(LogEvent.SIGNAL_LOST, queue=queue, lane=lane)
            raise
