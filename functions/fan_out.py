"""Queues `events` and `events-prompt`: a municipality's lane has events that were put back and are not routed yet."""

import azure.functions as func

from functions import lanes
from functions.wiring import hub
from shared.messages.signals import Queue, Signal

door = func.Blueprint()


@door.function_name("fan_out")
@door.service_bus_queue_trigger(
    arg_name="message",
    queue_name=Queue.EVENTS.value,
    connection="ServiceBus",
    is_sessions_enabled=True,
    data_type=func.DataType.BINARY,
)
async def fan_out(message: func.ServiceBusMessage) -> None:
    """Route what the lane has."""
    await lanes.work(Queue.EVENTS, message, _route)


@door.function_name("fan_out_prompt")
@door.service_bus_queue_trigger(
    arg_name="message",
    queue_name=Queue.EVENTS_PROMPT.value,
    connection="ServiceBus",
    is_sessions_enabled=True,
    data_type=func.DataType.BINARY,
)
async def fan_out_prompt(message: func.ServiceBusMessage) -> None:
    """Route what the lane has; an alarm is among it."""
    await lanes.work(Queue.EVENTS_PROMPT, message, _route)


async def _route(signal: Signal) -> None:
    await hub().routing.work(signal.lane)
