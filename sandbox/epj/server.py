"""The journal's HTTP: the FHIR endpoint that the hub delivers to, and what a person or a test may look at and turn."""

import asyncio
import json
import re
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from pydantic import ValidationError

from sandbox.epj.behaviour import Behaviour, Manners
from sandbox.epj.received import Delivery, Received, Taken, opened

Clock = Callable[[], datetime]

FHIR_JSON: Final = "application/fhir+json"
MAX_BODY: Final = 4 * 1024 * 1024
"""Well above what the hub takes in: whatever it accepted, its receiver can hold."""
_SHUTDOWN_S: Final = 1.0
_CALLS: Final = 5000
_TYPE = re.compile(r"[A-Z][A-Za-z]{0,63}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def utc_now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Epj:
    """A running journal, as `serve` yields it."""

    port: int
    received: Received
    manners: Manners
    clock: Clock
    calls: deque[str] = field(default_factory=lambda: deque(maxlen=_CALLS))
    """How the latest calls came: method, address and headers. Kept in memory."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def facts(self) -> dict[str, Any]:
        """What a client of the sandbox needs to know."""
        return {"port": self.port, "url": self.url}


@asynccontextmanager
async def serve(folder: Path, port: int = 0, clock: Clock = utc_now) -> AsyncIterator[Epj]:
    """Run a journal on 127.0.0.1 with what it received in this folder. Port 0: a free one. Raises OSError."""
    async with opened(folder / "journal.sqlite") as received:
        part = Epj(0, received, Manners(), clock)
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(_routes(part))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            part.port = int(runner.addresses[0][1])
            yield part
        finally:
            await runner.cleanup()


def _routes(part: Epj) -> list[web.RouteDef]:
    async def post(request: web.Request) -> web.Response:
        return await _post(part, request)

    async def stored(request: web.Request) -> web.Response:
        return _bytes(await part.received.body_at(int(request.match_info["seq"]), request.match_info["orgnr"]))

    async def listing(request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isascii() or not since.isdecimal() or len(since) > 18:
            return web.json_response({"error": "since is the seq of the last entry you have"}, status=400)
        return web.json_response(await part.received.facts(int(since)))

    async def calls(_: web.Request) -> web.Response:
        return web.json_response(list(part.calls))

    async def one(request: web.Request) -> web.Response:
        return _bytes(await part.received.body(request.match_info["key"]))

    async def behave(request: web.Request) -> web.Response:
        try:
            part.manners.set(_rule(await request.read()))
        except ValidationError as error:
            wrong = [{"at": ".".join(map(str, fault["loc"])), "what": fault["msg"]} for fault in error.errors()]
            return web.json_response({"error": "not understood", "wrong": wrong}, status=400)
        return web.json_response(part.manners.in_force())

    async def manners(_: web.Request) -> web.Response:
        return web.json_response(part.manners.in_force())

    return [
        web.post(r"/fhir/{orgnr:[0-9]{9}}", post),
        web.post(r"/fhir/{orgnr:[0-9]{9}}/{resource}", post),
        web.get(r"/fhir/{orgnr:[0-9]{9}}/{resource}/{seq:[0-9]{1,18}}", stored),
        web.get("/received", listing),
        web.get("/calls", calls),
        web.get("/received/{key:.+}", one),
        web.post("/behave", behave),
        web.get("/behave", manners),
    ]


def _rule(body: bytes) -> Behaviour:
    """The rule in a request; a status may be written as a number."""
    try:
        raw = json.loads(body)
    except ValueError:
        return Behaviour.model_validate_json(body)
    if isinstance(raw, dict) and type(raw.get("mode")) is int:
        raw["mode"] = str(raw["mode"])
    return Behaviour.model_validate(raw)


async def _post(part: Epj, request: web.Request) -> web.Response:
    part.calls.append(f"{request.method} {request.path_qs} {' '.join(f'{n}: {v}' for n, v in request.headers.items())}")
    body = await request.read()
    key = request.headers.get("Idempotency-Key", "")
    rule = part.manners.next(key)
    if rule.delay_s:
        await asyncio.sleep(rule.delay_s)
    if rule.mode == "reset":
        return _cut(request)
    if rule.status is not None:
        headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
        return _outcome(rule.status, "transient", "The journal was told to answer with this status.", headers)
    if _KEY.fullmatch(key) is None:
        return _outcome(400, "required", "Send an Idempotency-Key of 1 to 255 visible ASCII characters.")
    resource_type = _resource_type(body)
    if resource_type is None:
        return _outcome(400, "structure", "Send one FHIR resource as a JSON object with its resourceType.")
    taken = await part.received.take(
        Delivery(
            idempotency_key=key,
            orgnr=request.match_info["orgnr"],
            resource_type=resource_type,
            body=body,
            received_at=part.clock(),
            traceparent=_header(request, "traceparent"),
            correlation_id=_header(request, "correlation-id"),
            content_type=_header(request, "Content-Type"),
        )
    )
    if rule.mode == "accept-then-drop":
        return _cut(request)
    return _answer(taken, request.match_info["orgnr"])


def _answer(taken: Taken, orgnr: str) -> web.Response:
    if taken.outcome == "conflict":
        return _outcome(422, "duplicate", "This Idempotency-Key was used for another message.")
    location = f"/fhir/{orgnr}/{taken.resource_type}/{taken.seq}"
    return web.Response(status=201, headers={"Location": location})


def _resource_type(body: bytes) -> str | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) and _TYPE.fullmatch(kind) else None


def _header(request: web.Request, name: str) -> str | None:
    # What is not UTF-8 in a header reaches us as lone surrogates, which no database keeps.
    value = request.headers.get(name)
    return None if value is None else value.encode("utf-8", "replace").decode("utf-8")


def _cut(request: web.Request) -> web.Response:
    """Drop the connection as a crashed server does: the client sees a reset, not an orderly end."""
    transport = request.transport
    if transport is not None:
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


def _bytes(body: bytes | None) -> web.Response:
    if body is None:
        return _outcome(404, "not-found", "Nothing was received under this name.")
    return web.Response(body=body, content_type=FHIR_JSON)


def _outcome(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> web.Response:
    issue = {"severity": "error", "code": code, "details": {"text": text}, "diagnostics": text}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return web.json_response(outcome, status=status, headers=headers, content_type=FHIR_JSON)
