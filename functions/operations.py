"""`/operations/…`: municipalities and operators see what is set aside, and handle it. Behind API Management."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions import http, people
from shared.access.caller import Person

if TYPE_CHECKING:
    from shared.road.handling import Handling
    from shared.road.replay_desk import ReplayDesk

type FindDesk = Callable[[], ReplayDesk]
type FindHandling = Callable[[], Handling]
type Answer = Callable[[Person, str], Awaitable[tuple[int, dict[str, Any], dict[str, str]]]]


def blueprint(desk: FindDesk, handling: FindHandling, verify: people.Verify) -> func.Blueprint:
    """The doors to the desks. All are asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    async def do(req: func.HttpRequest, answer: Answer) -> func.HttpResponse:
        async def told(person: Person, correlation: str) -> func.HttpResponse:
            status, body, headers = await answer(person, correlation)
            return http.plain_json(status, body, {"Correlation-Id": correlation, **headers})

        return await people.answered(req, verify, told)

    @door.function_name("set_aside_groups")
    @door.route("operations/set-aside", methods=["GET"])
    async def groups(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person, _: str) -> tuple[int, dict[str, Any], dict[str, str]]:
            return 200, await desk().groups(person, dict(req.params)), {}

        return await do(req, answer)

    @door.function_name("set_aside_messages")
    @door.route("operations/set-aside/messages", methods=["GET"])
    async def messages(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person, _: str) -> tuple[int, dict[str, Any], dict[str, str]]:
            return 200, await desk().messages(person, dict(req.params)), {}

        return await do(req, answer)

    @door.function_name("set_aside_words")
    @door.route("operations/set-aside/words", methods=["POST"])
    async def words(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person, correlation: str) -> tuple[int, dict[str, Any], dict[str, str]]:
            return 200, await handling().words(person, req.get_body(), correlation), {}

        return await do(req, answer)

    @door.function_name("replay_order")
    @door.route("operations/replays", methods=["POST"])
    async def order(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person, _: str) -> tuple[int, dict[str, Any], dict[str, str]]:
            begun, body = await desk().order(person, req.get_body())
            return (202, body, {"Location": f"/operations/replays/{body['id']}"}) if begun else (200, body, {})

        return await do(req, answer)

    @door.function_name("replay_state")
    @door.route("operations/replays/{id}", methods=["GET"])
    async def replay(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person, _: str) -> tuple[int, dict[str, Any], dict[str, str]]:
            return 200, await desk().replay(person, req.route_params.get("id", "")), {}

        return await do(req, answer)

    @door.function_name("replay_stop")
    @door.route("operations/replays/{id}/stop", methods=["POST"])
    async def stop(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person, _: str) -> tuple[int, dict[str, Any], dict[str, str]]:
            return 200, await desk().stop(person, req.route_params.get("id", ""), req.get_body()), {}

        return await do(req, answer)

    @door.function_name("message_withdraw")
    @door.route("operations/messages/{id}/withdraw", methods=["POST"])
    async def withdraw(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person, _: str) -> tuple[int, dict[str, Any], dict[str, str]]:
            return 200, await handling().withdraw(person, req.route_params.get("id", ""), req.get_body()), {}

        return await do(req, answer)

    @door.function_name("message_restore")
    @door.route("operations/messages/{id}/restore", methods=["POST"])
    async def restore(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(person: Person, _: str) -> tuple[int, dict[str, Any], dict[str, str]]:
            return 200, await handling().restore(person, req.route_params.get("id", ""), req.get_body()), {}

        return await do(req, answer)

    return door
