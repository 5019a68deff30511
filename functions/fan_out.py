"""Queue `events`: a lane has accepted messages that are not routed yet."""

import azure.functions as func

from functions import lanes
from functions.wiring import hub
from shared.messages.signals import Queue

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
    await lanes.work(Queue.EVENTS, message, hub().routing.work)
