"""`POST /trail/_search` and `GET /trail/{id}`: a municipality reads its log, as FHIR AuditEvents or as plain JSON."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions import http, loading, people
from shared.errors import WrongContentType

if TYPE_CHECKING:
    from shared.registry.people import Person
    from shared.trail.bundles import Shape
    from shared.trail.desk import TrailDesk

type FindDesk = Callable[[], TrailDesk]

_FORM = "application/x-www-form-urlencoded"
_PLAIN = "application/json"
_WEIGHT = re.compile(r"[01](\.[0-9]{0,3})?")


def blueprint(desk: FindDesk, verify: people.Verify) -> func.Blueprint:
    """The doors to a desk. Both are asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    async def _do(
        req: func.HttpRequest, answer: "Callable[[Person, Shape], Awaitable[dict[str, Any]]]"
    ) -> func.HttpResponse:
        loading.finished()
        from shared.trail.bundles import FHIR, PLAIN  # noqa: PLC0415 - see loading

        shape = PLAIN if wants_plain(req.headers.get("accept", "")) else FHIR

        async def told(person: "Person", correlation: str) -> func.HttpResponse:
            found, vary = await answer(person, shape), {"Vary": "Accept"}
            if shape is PLAIN:
                return http.plain_json(200, found, {"Correlation-Id": correlation, **vary})
            return http.fhir(200, json.dumps(found, ensure_ascii=False).encode(), correlation, vary)

        return await people.answered(req, verify, told)

    @door.function_name("trail_search")
    @door.route("trail/_search", methods=["POST"])
    async def trail_search(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: "Person", shape: "Shape") -> dict[str, Any]:
            if req.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
                raise WrongContentType
            return await desk().search(person, req.get_body(), shape)

        return await _do(req, answer)

    @door.function_name("trail_entry")
    @door.route("trail/{id}", methods=["GET"])
    async def trail_entry(req: func.HttpRequest) -> func.HttpResponse:
        return await _do(req, lambda person, shape: desk().read(person, req.route_params.get("id", ""), shape))

    return door


def wants_plain(accept: str) -> bool:
    """Whether plain JSON is liked better than FHIR's (RFC 9110, 12.5.1). FHIR is for all who do not say so."""
    liked: dict[str, float] = {}
    for each in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        liked[kind] = float(weight) if _WEIGHT.fullmatch(weight) else 0.0
    anything = max(liked.get("application/*", 0.0), liked.get("*/*", 0.0))
    return liked.get(_PLAIN, 0.0) > liked.get(http.FHIR_JSON, anything)
