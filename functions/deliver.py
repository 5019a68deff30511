"""Queue `deliveries`: a receiver's lane has something to deliver."""

import azure.functions as func

from functions import lanes
from functions.wiring import hub
from shared.messages.signals import Queue

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
    await lanes.work(Queue.DELIVERIES, message, hub().delivering.work)
