"""The journal's HTTP: the FHIR endpoint that the hub delivers to, and what a person or a test may look at and turn."""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from pydantic import ValidationError

from sandbox.epj import misbehaving
from sandbox.epj.behaviour import Behaviour, Manners
from sandbox.epj.demands import Client, Demand, Demands, NotThatClient
from sandbox.epj.doors import Doors, NoSuchDoor, Wish
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
    demands: Demands
    clock: Clock
    doors: Doors
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
        app = web.Application(client_max_size=MAX_BODY)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        part = Epj(0, received, Manners(), Demands(clock), clock, Doors(runner))
        app.add_routes([*_routes(part), *_gatehouse(part)])
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            part.port = int(runner.addresses[0][1])
            yield part
        finally:
            await runner.cleanup()


def _routes(part: Epj) -> list[web.RouteDef]:
    async def post(request: web.Request) -> web.StreamResponse:
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
            return _not_understood(error)
        await part.doors.all_wrong(part.manners.general.mode == "wrong-tls")
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


def _gatehouse(part: Epj) -> list[web.RouteDef]:
    """The token service, and what a test may turn about who is let in, and how."""

    async def token(request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if part.demands.fails is not None:
            return web.json_response({"error": "temporarily_unavailable"}, status=part.demands.fails)
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        try:
            return web.json_response(part.demands.token(form, request.headers, str(request.url)))
        except NotThatClient:
            return web.json_response({"error": "invalid_client"}, status=401)

    async def told(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            match request.path:
                case "/demand":
                    part.demands.demand(Demand.model_validate_json(body))
                case "/clients":
                    part.demands.register(Client.model_validate_json(body))
                case _:
                    return web.json_response(await part.doors.open(Wish.model_validate_json(body or b"{}")))
        except ValidationError as error:
            return _not_understood(error)
        except NoSuchDoor:
            return web.json_response({"error": "no door is open at this port"}, status=404)
        return web.json_response({})

    async def tokens(request: web.Request) -> web.Response:
        if request.method == "DELETE":
            part.demands.revoke()
        if request.method == "PUT":
            fails = (await request.json()).get("fails")
            part.demands.fails = fails if isinstance(fails, int) and 400 <= fails <= 599 else None
        return web.json_response({"issued": part.demands.issued, "fails": part.demands.fails})

    return [
        web.post("/token", token),
        web.post("/demand", told),
        web.post("/clients", told),
        web.post("/tls", told),
        web.get("/tokens", tokens),
        web.put("/tokens", tokens),
        web.delete("/tokens", tokens),
    ]


def _not_understood(error: ValidationError) -> web.Response:
    wrong = [{"at": ".".join(map(str, fault["loc"])), "what": fault["msg"]} for fault in error.errors()]
    return web.json_response({"error": "not understood", "wrong": wrong}, status=400)


def _rule(body: bytes) -> Behaviour:
    """The rule in a request; a status may be written as a number."""
    try:
        raw = json.loads(body)
    except ValueError:
        return Behaviour.model_validate_json(body)
    if isinstance(raw, dict) and type(raw.get("mode")) is int:
        raw["mode"] = str(raw["mode"])
    return Behaviour.model_validate(raw)


async def _post(part: Epj, request: web.Request) -> web.StreamResponse:
    body = await request.read()
    key = request.headers.get("Idempotency-Key", "")
    rule = part.manners.next(key, request.path, body)
    if rule.delay_s:
        await asyncio.sleep(rule.delay_s)
    if rule.mode == "reset":
        return misbehaving.cut(request)
    if rule.status is not None:
        headers = _retry_after(rule, part.clock())
        return _outcome(rule.status, "transient", "The journal was told to answer with this status.", headers)
    if not part.demands.met(request.path, request.headers):
        return _outcome(401, "login", "Show who you are.", {"WWW-Authenticate": "Bearer"})
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
            path=request.path,
        )
    )
    if rule.mode == "accept-then-drop":
        return misbehaving.cut(request)
    if rule.mode == "409-known" and taken.outcome == "repeated":
        return _outcome(409, "duplicate", "This message is here already.")
    if rule.mode in misbehaving.MODES:
        return await misbehaving.answer(rule.mode, request)
    return _answer(taken, request.match_info["orgnr"])


def _retry_after(rule: Behaviour, now: datetime) -> dict[str, str]:
    if rule.retry_after is None:
        return {}
    if rule.retry_after_as == "date":
        return {"Retry-After": format_datetime(now + timedelta(seconds=rule.retry_after), usegmt=True)}
    return {"Retry-After": str(rule.retry_after)}


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


def _bytes(body: bytes | None) -> web.Response:
    if body is None:
        return _outcome(404, "not-found", "Nothing was received under this name.")
    return web.Response(body=body, content_type=FHIR_JSON)


def _outcome(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> web.Response:
    issue = {"severity": "error", "code": code, "details": {"text": text}, "diagnostics": text}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return web.json_response(outcome, status=status, headers=headers, content_type=FHIR_JSON)
