"""`/registry/…`: municipalities and the hub's operators see and change the register. Behind API Management."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import azure.functions as func

from functions import http
from shared.errors import HubError, NotAvailable, Unexpected, UnknownAddress, WrongMethod
from shared.log import LogEvent, log
from shared.registry.desk import Answer, Ask, Desk
from shared.registry.people import Person
from shared.registry.places import LISTED, Place
from shared.registry.roles import Thing

type FindDesk = Callable[[], Desk]
type Verify = Callable[[func.HttpRequest], Awaitable[Person]]
"""Who is calling, from the token alone. Raises one of the 401 errors, or NotAvailable."""

_PARTS: Mapping[str, Thing] = {
    each.value: each
    for each in (
        Thing.RECEIVERS, Thing.GRANTS, Thing.PARTNER_PROFILE, Thing.TRAFFIC, Thing.PEOPLE, Thing.HISTORY,
    )
}  # fmt: skip
METHODS: tuple[Literal["GET", "PUT"], ...] = ("GET", "PUT")


def blueprint(desk: FindDesk, verify: Verify) -> func.Blueprint:
    """The doors to a desk. Both are asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    async def _do(req: func.HttpRequest, place: Place | None) -> func.HttpResponse:
        correlation = http.correlation_id(req)
        try:
            person = await verify(req)
            if place is None:
                raise UnknownAddress
            return _answered(await desk().answer(person, _ask(req, place)), correlation)
        except HubError as error:
            code = LogEvent.NOT_AVAILABLE if isinstance(error, NotAvailable) else LogEvent.REFUSED
            log(code, code=error.code, status=error.status, correlation_id=correlation)
            return http.refused(error, correlation, _allowed(error))
        except Exception as error:  # noqa: BLE001 - the process edge: the caller gets an answer that says to try again
            log(LogEvent.UNEXPECTED, error_type=type(error).__name__, correlation_id=correlation)
            return http.refused(Unexpected(), correlation)

    @door.function_name("registry_municipalities")
    @door.route("registry/municipalities", methods=["GET"])
    async def municipalities(req: func.HttpRequest) -> func.HttpResponse:
        return await _do(req, Place(Thing.MUNICIPALITIES))

    @door.function_name("registry_municipality")
    @door.route("registry/municipalities/{orgnr}", methods=["GET", "PUT"])
    async def municipality(req: func.HttpRequest) -> func.HttpResponse:
        return await _do(req, Place(Thing.MUNICIPALITY, _param(req, "orgnr")))

    @door.function_name("registry_part")
    @door.route("registry/municipalities/{orgnr}/{part}", methods=["GET", "PUT"])
    async def part(req: func.HttpRequest) -> func.HttpResponse:
        thing = _PARTS.get(_param(req, "part"))
        return await _do(req, Place(thing, _param(req, "orgnr")) if thing else None)

    @door.function_name("registry_entry")
    @door.route("registry/municipalities/{orgnr}/{part}/{id}", methods=["GET", "PUT"])
    async def entry(req: func.HttpRequest) -> func.HttpResponse:
        thing = _PARTS.get(_param(req, "part"))
        listed = thing is not None and thing in LISTED
        return await _do(req, Place(thing, _param(req, "orgnr"), _param(req, "id")) if thing and listed else None)

    @door.function_name("registry_systems")
    @door.route("registry/systems", methods=["GET"])
    async def systems(req: func.HttpRequest) -> func.HttpResponse:
        return await _do(req, Place(Thing.SYSTEMS))

    @door.function_name("registry_system")
    @door.route("registry/systems/{id}", methods=["GET", "PUT"])
    async def system(req: func.HttpRequest) -> func.HttpResponse:
        return await _do(req, Place(Thing.SYSTEMS, id=_param(req, "id")))

    return door


def _ask(req: func.HttpRequest, place: Place) -> Ask:
    method: Literal["GET", "PUT"] = "PUT" if req.method == "PUT" else "GET"
    return Ask(
        method=method,
        place=place,
        query=dict(req.params),
        if_match=req.headers.get("if-match"),
        if_none_match=req.headers.get("if-none-match"),
        body=req.get_body() if method == "PUT" else b"",
    )


def _answered(answer: Answer, correlation: str) -> func.HttpResponse:
    headers: dict[str, str] = {"Correlation-Id": correlation}
    if answer.etag is not None:
        headers["ETag"] = answer.etag
    body: dict[str, Any] = answer.body
    return http.plain_json(201 if answer.created else 200, body, headers)


def _allowed(error: HubError) -> dict[str, str]:
    return {"Allow": "GET"} if isinstance(error, WrongMethod) else {}


def _param(req: func.HttpRequest, name: str) -> str:
    value: str = req.route_params.get(name, "")
    return value
