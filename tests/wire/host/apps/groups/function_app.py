"""A toy app with a function of each kind, for the tests of groups. Each run leaves a line in the file TOY_SEEN."""

import os
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def _ran(function: str) -> None:
    with Path(os.environ["TOY_SEEN"]).open("a", encoding="utf-8") as file:
        file.write(f"{function} {os.getpid()}\n")


@app.route(route="door", methods=["GET"])
async def door(req: func.HttpRequest) -> str:
    """An HTTP function."""
    _ran("door")
    return "open"


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
async def tick(timer: func.TimerRequest) -> None:
    """A timer that runs as soon as its host has started, and then hardly ever."""
    _ran("tick")


@app.service_bus_queue_trigger(
    arg_name="message", queue_name="plain", connection="ServiceBus", data_type=func.DataType.BINARY
)
async def on_plain(message: func.ServiceBusMessage) -> None:
    """A Service Bus function."""
    _ran("on_plain")
