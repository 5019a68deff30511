"""`/registry/…`: municipalities and the hub's operators see and change the register. Behind API Management."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import azure.functions as func

from functions import http, people
from shared.registry.roles import Thing

if TYPE_CHECKING:
    from shared.registry.desk import Answer, Ask, Desk
    from shared.registry.people import Person
    from shared.registry.places import Place

type FindDesk = Callable[[], Desk]


def blueprint(desk: FindDesk, verify: people.Verify) -> func.Blueprint:
    """The doors to a desk. Both are asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    async def answer(req: func.HttpRequest, thing: Thing) -> func.HttpResponse:
        async def told(person: "Person", correlation: str) -> func.HttpResponse:
            return _answered(await desk().answer(person, _ask(req, _place(req, thing))), correlation)

        return await people.answered(req, verify, told)

    @door.function_name("registry_municipalities")
    @door.route("registry/municipalities", methods=["GET"])
    async def municipalities(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.MUNICIPALITIES)

    @door.function_name("registry_municipality")
    @door.route("registry/municipalities/{orgnr}", methods=["GET", "PUT"])
    async def municipality(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.MUNICIPALITY)

    @door.function_name("registry_receivers")
    @door.route("registry/municipalities/{orgnr}/receivers", methods=["GET"])
    async def receivers(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.RECEIVERS)

    @door.function_name("registry_receiver")
    @door.route("registry/municipalities/{orgnr}/receivers/{id}", methods=["GET", "PUT"])
    async def receiver(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.RECEIVERS)

    @door.function_name("registry_proposals")
    @door.route("registry/municipalities/{orgnr}/proposals", methods=["GET"])
    async def proposals(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.PROPOSALS)

    @door.function_name("registry_grants")
    @door.route("registry/municipalities/{orgnr}/grants", methods=["GET"])
    async def grants(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.GRANTS)

    @door.function_name("registry_grant")
    @door.route("registry/municipalities/{orgnr}/grants/{id}", methods=["GET", "PUT"])
    async def grant(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.GRANTS)

    @door.function_name("registry_partner_profile")
    @door.route("registry/municipalities/{orgnr}/partner-profile", methods=["GET", "PUT"])
    async def partner_profile(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.PARTNER_PROFILE)

    @door.function_name("registry_traffic")
    @door.route("registry/municipalities/{orgnr}/traffic", methods=["GET", "PUT"])
    async def traffic(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.TRAFFIC)

    @door.function_name("registry_people")
    @door.route("registry/municipalities/{orgnr}/people", methods=["GET"])
    async def everybody(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.PEOPLE)

    @door.function_name("registry_person")
    @door.route("registry/municipalities/{orgnr}/people/{id}", methods=["GET", "PUT"])
    async def person(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.PEOPLE)

    @door.function_name("registry_history")
    @door.route("registry/municipalities/{orgnr}/history", methods=["GET"])
    async def history(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.HISTORY)

    @door.function_name("registry_systems")
    @door.route("registry/systems", methods=["GET"])
    async def systems(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.SYSTEMS)

    @door.function_name("registry_system")
    @door.route("registry/systems/{id}", methods=["GET", "PUT"])
    async def system(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.SYSTEMS)

    @door.function_name("registry_system_history")
    @door.route("registry/systems/{id}/history", methods=["GET"])
    async def system_history(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.SYSTEM_HISTORY)

    @door.function_name("registry_hub_history")
    @door.route("registry/history", methods=["GET"])
    async def hub_history(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.SYSTEM_HISTORY)

    @door.function_name("registry_revoked_keys")
    @door.route("registry/revoked-keys", methods=["GET", "PUT"])
    async def revoked_keys(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, Thing.REVOKED_KEYS)

    return door


def _ask(req: func.HttpRequest, place: "Place") -> "Ask":
    from shared.registry.desk import Ask  # noqa: PLC0415 - see loading

    method: Literal["GET", "PUT"] = "PUT" if req.method == "PUT" else "GET"
    return Ask(
        method=method,
        place=place,
        query=dict(req.params),
        if_match=req.headers.get("if-match"),
        if_none_match=req.headers.get("if-none-match"),
        body=req.get_body() if method == "PUT" else b"",
    )


def _answered(answer: "Answer", correlation: str) -> func.HttpResponse:
    headers: dict[str, str] = {"Correlation-Id": correlation}
    if answer.etag is not None:
        headers["ETag"] = answer.etag
    body: dict[str, Any] = answer.body
    status = 202 if answer.proposed else 201 if answer.created else 200
    return http.plain_json(status, body, headers)


def _place(req: func.HttpRequest, thing: Thing) -> "Place":
    from shared.registry.places import Place  # noqa: PLC0415 - see loading

    id = req.route_params.get("id")
    if id is not None:
        # The one character that the host leaves encoded, and HelseID's subjects may have it.
        id = id.replace("%2F", "/")
    return Place(thing, req.route_params.get("orgnr", ""), id)
