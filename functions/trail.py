"""`POST /trail/_search` and `GET /trail/{id}`: a municipality reads its log, as FHIR AuditEvents."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func

from functions import http
from shared.errors import HubError, NotAvailable, Unexpected, WrongContentType
from shared.log import LogEvent, log
from shared.registry.people import Person
from shared.trail.desk import TrailDesk

type FindDesk = Callable[[], TrailDesk]
type Verify = Callable[[func.HttpRequest], Awaitable[Person]]
"""Who is calling, from the token alone. Raises one of the 401 errors, or NotAvailable."""

_FORM = "application/x-www-form-urlencoded"


def blueprint(desk: FindDesk, verify: Verify) -> func.Blueprint:
    """The doors to a desk. Both are asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    async def _do(req: func.HttpRequest, answer: Callable[[Person], Awaitable[dict[str, Any]]]) -> func.HttpResponse:
        correlation = http.correlation_id(req)
        try:
            found = await answer(await verify(req))
        except HubError as error:
            code = LogEvent.NOT_AVAILABLE if isinstance(error, NotAvailable) else LogEvent.REFUSED
            log(code, code=error.code, status=error.status, correlation_id=correlation)
            return http.refused(error, correlation)
        except Exception as error:  # noqa: BLE001 - the process edge: the caller gets an answer that says to try again
            log(LogEvent.UNEXPECTED, error_type=type(error).__name__, correlation_id=correlation)
            return http.refused(Unexpected(), correlation)
        return http.fhir(200, json.dumps(found, ensure_ascii=False).encode(), correlation)

    @door.function_name("trail_search")
    @door.route("trail/_search", methods=["POST"])
    async def trail_search(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person) -> dict[str, Any]:
            if req.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
                raise WrongContentType
            return await desk().search(person, req.get_body())

        return await _do(req, answer)

    @door.function_name("trail_entry")
    @door.route("trail/{id}", methods=["GET"])
    async def trail_entry(req: func.HttpRequest) -> func.HttpResponse:
        return await _do(req, lambda person: desk().read(person, req.route_params.get("id", "")))

    return door
