"""Queues `deliveries` and `deliveries-prompt`: a receiver's lane has something to deliver."""

import azure.functions as func

from functions import lanes
from functions.wiring import hub
from shared.messages.signals import Queue, Signal
from shared.messages.urgency import Urgency

door = func.Blueprint()


@door.function_name("deliver")
@door.service_bus_queue_trigger(
    arg_name="message",
    queue_name=Queue.DELIVERIES.value,
    connection="ServiceBus",
    is_sessions_enabled=True,
    data_type=func.DataType.BINARY,
)
async def deliver(message: func.ServiceBusMessage) -> None:
    """Deliver what the lane has, as far as it may."""
    await lanes.work(Queue.DELIVERIES, message, _routine)


@door.function_name("deliver_prompt")
@door.service_bus_queue_trigger(
    arg_name="message",
    queue_name=Queue.DELIVERIES_PROMPT.value,
    connection="ServiceBus",
    is_sessions_enabled=True,
    data_type=func.DataType.BINARY,
)
async def deliver_prompt(message: func.ServiceBusMessage) -> None:
    """Deliver what the lane has, as far as it may; an alarm is among it."""
    await lanes.work(Queue.DELIVERIES_PROMPT, message, _prompt)


async def _routine(signal: Signal) -> None:
    await hub().delivering.work(signal, Urgency.ROUTINE)


async def _prompt(signal: Signal) -> None:
    await hub().delivering.work(signal, Urgency.PROMPT)
