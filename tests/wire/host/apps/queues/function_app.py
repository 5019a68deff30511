"""A toy app with queue triggers, for the tests of the local host. What it sees goes to the file TOY_SEEN, a line each.

A message's body says how it is handled: `fail:N` fails the first N deliveries, `sleep:S` takes S seconds.
"""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import azure.functions as func

app = func.FunctionApp()
_running: dict[str, int] = {}


def _write(line: dict[str, Any]) -> None:
    with Path(os.environ["TOY_SEEN"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, default=str) + "\n")


async def _handle(function: str, message: func.ServiceBusMessage, context: func.Context) -> None:
    lane = f"{function}/{message.session_id}"
    _running[lane] = _running.get(lane, 0) + 1
    at_once, in_all = _running[lane], sum(_running.values())
    body = message.get_body()
    enqueued, expires = message.enqueued_time_utc, message.expires_at_utc
    kind, _, argument = body.decode("utf-8", "replace").partition(":")
    try:
        if kind == "sleep":
            _write({"function": function, "body": body.decode(), "began": True})
            await asyncio.sleep(float(argument))
        seen = {
            "function": function,
            "body": body.decode("latin-1"),
            "message_id": message.message_id,
            "session_id": message.session_id,
            "delivery_count": message.delivery_count,
            "sequence_number": message.sequence_number,
            "correlation_id": message.correlation_id,
            "content_type": message.content_type,
            "subject": message.subject,
            "label": message.label,
            "lock_token": message.lock_token,
            "enqueued": enqueued,
            "enqueued_naive": enqueued is not None and enqueued.tzinfo is None,
            "expires": expires,
            "application_properties": message.application_properties,
            "user_properties": message.user_properties,
            "metadata": dict(message.metadata or {}),
            "trace_parent": context.trace_context.trace_parent,
            "at_once_in_lane": at_once,
            "at_once_in_all": in_all,
            "time": time.time(),
        }
        _write(seen)
        if kind == "fail" and message.delivery_count is not None and message.delivery_count <= int(argument):
            raise RuntimeError("as asked")
    finally:
        _running[lane] -= 1


@app.service_bus_queue_trigger(
    arg_name="message",
    queue_name="%LANES%",
    connection="ServiceBus",
    is_sessions_enabled=True,
    data_type=func.DataType.BINARY,
)
async def on_lane(message: func.ServiceBusMessage, context: func.Context) -> None:
    """Session messages."""
    await _handle("on_lane", message, context)


@app.service_bus_queue_trigger(
    arg_name="message", queue_name="plain", connection="ServiceBus", data_type=func.DataType.BINARY
)
async def on_plain(message: func.ServiceBusMessage, context: func.Context) -> None:
    """Messages without sessions."""
    await _handle("on_plain", message, context)


@app.service_bus_queue_trigger(arg_name="message", queue_name="text", connection="ServiceBus")
async def on_text(message: func.ServiceBusMessage, context: func.Context) -> None:
    """Messages whose data type is not binary."""
    await _handle("on_text", message, context)
