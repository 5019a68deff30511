"""What the queue doors share: what a signal says, and what happens when its lane cannot be worked on now."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import azure.functions as func

from functions.wiring import hub
from shared.log import LogEvent, log
from shared.messages.documents import Unreachable
from shared.messages.signals import Queue, Signal, SignalLost, signal_from

_AGAIN: Final = timedelta(seconds=5)


async def work(queue: Queue, message: func.ServiceBusMessage, station: Callable[[Signal], Awaitable[None]]) -> None:
    """Let the station work on the signalled lane.

    A failure of the store is answered with a later signal, not by letting the message fail: Service Bus would bring it
    back at once, ten times, and then put it aside. Raises when not even that can be sent; the message comes back then.
    """
    signal = signal_from(message.session_id or "", message.get_body())
    try:
        async with hub().turns.of((queue, signal.lane)):
            await station(signal)
    except Unreachable as error:
        log(LogEvent.LANE_POSTPONED, queue=queue, lane=signal.lane, code=str(error))
        try:
            await hub().signals.send(queue, signal.lane, hub().clock() + _AGAIN, to=signal.to, woken=signal.woken)
        except SignalLost:
            log(LogEvent.SIGNAL_LOST, queue=queue, lane=signal.lane)
            raise
