"""What anyone may ask: the API's description, whether the hub is alive, and the answer to calls that fit nothing."""

import json

import azure.functions as func

from functions import http, loading
from functions.wiring import hub
from shared import release
from shared.errors import UnknownAddress, WrongMethod

door = func.Blueprint()


@door.function_name("metadata")
@door.route("metadata", methods=["GET"])
async def metadata(req: func.HttpRequest) -> func.HttpResponse:
    """The CapabilityStatement."""
    loading.finished()
    from shared.api import capability  # noqa: PLC0415 - see loading

    statement = capability.statement(hub().settings.public_url, hub().settings.helse_id.issuer)
    return http.fhir(200, json.dumps(statement, ensure_ascii=False).encode(), http.correlation_id(req))


@door.function_name("openapi")
@door.route("openapi.json", methods=["GET"])
async def openapi_json(req: func.HttpRequest) -> func.HttpResponse:
    """The whole API."""
    loading.finished()
    from shared.api import openapi  # noqa: PLC0415 - see loading

    return http.plain_json(200, openapi.document(hub().settings.public_url))


@door.function_name("health")
@door.route("health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Alive: which release it is, and the state of what it depends on."""
    return http.plain_json(200, {**await hub().health.look(), "release": release.live()})


@door.function_name("nothing_here")
@door.route("{*path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def nothing_here(req: func.HttpRequest) -> func.HttpResponse:
    """An address or a method that this API does not have: an answer that FHIR clients can read."""
    loading.finished()
    from shared.api import routes  # noqa: PLC0415 - see loading

    allowed = routes.methods_at(req.route_params.get("path", ""))
    correlation = http.correlation_id(req)
    if allowed:
        return http.refused(WrongMethod(), correlation, {"Allow": ", ".join(allowed)})
    return http.refused(UnknownAddress(), correlation)
