"""A toy app with HTTP functions and timers, for the tests of the local host."""

import asyncio
import json
import logging
from pathlib import Path

import azure.functions as func
from azure.functions.timer import TimerRequest

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
log = logging.getLogger("toy")


@app.route(route="floor", methods=["GET"])
async def floor(req: func.HttpRequest) -> func.HttpResponse:
    """Nothing: what a call costs at least."""
    return func.HttpResponse(b"ok")


@app.route(route="echo/{first:int}/{second?}", methods=["GET", "POST"])
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What the function sees of the request."""
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
        "traceparent": context.trace_context.trace_parent,
        "invocation": context.invocation_id,
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route(route="echo/literal", methods=["GET"])
async def literal(req: func.HttpRequest) -> str:
    """A literal beside parameters."""
    return "literal"


@app.route(route="{*rest}", methods=["GET"])
async def rest(req: func.HttpRequest) -> str:
    """Everything else."""
    return f"rest={req.route_params.get('rest', '')}"


@app.route(route="fail", methods=["POST"])
async def fail(req: func.HttpRequest) -> func.HttpResponse:
    """An exception with words that must not reach the caller."""
    raise ValueError("secret words")


@app.route(route="cookies", methods=["POST"])
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    """Two cookies and a header."""
    answer = func.HttpResponse(status_code=201, headers={"X-One": "1"})
    answer.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly; Secure; SameSite=Lax")
    answer.headers.add("Set-Cookie", "b=2; Max-Age=60")
    return answer


@app.route(route="bytes", methods=["POST"])
async def size(req: func.HttpRequest) -> str:
    """How long the body is."""
    return str(len(req.get_body()))


@app.route(route="slow", methods=["POST"])
async def slow(req: func.HttpRequest) -> str:
    """Takes as long as the caller says, and leaves a mark at the end."""
    await asyncio.sleep(float(req.params["seconds"]))
    Path(req.params["mark"]).write_text("done", encoding="utf-8")  # noqa: ASYNC240 - a toy
    return "done"


@app.route(route="log", methods=["POST"])
async def write_log(req: func.HttpRequest) -> str:
    """A log record with extra fields, and a print."""
    log.info("a %s line", "log", extra={"code": "TOY-1", "count": 3})
    print("printed")  # noqa: T201 - what apps do
    return "logged"


@app.route(route="keyed", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def keyed(req: func.HttpRequest) -> str:
    """Needs a key."""
    return "in"


@app.route(route="master", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
async def master_only(req: func.HttpRequest) -> str:
    """Needs the master key."""
    return "in"


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def tick(timer: func.TimerRequest) -> None:
    """Every second."""


@app.timer_trigger(arg_name="timer", schedule="%YEARLY%", use_monitor=True)
async def yearly(timer: TimerRequest) -> None:
    """Once a year, or fired by hand."""
    status = timer.schedule_status
    log.info("yearly ran", extra={"pastDue": timer.past_due, "last": status["Last"], "next": status["Next"]})
