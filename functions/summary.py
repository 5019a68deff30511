"""`GET /operations/summary`: how it goes. Behind API Management, for operators and municipalities."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import azure.functions as func

from functions import http, people

if TYPE_CHECKING:
    from shared.registry.people import Person
    from shared.watch.desk import SummaryDesk

type FindDesk = Callable[[], SummaryDesk]


def blueprint(desk: FindDesk, verify: people.Verify) -> func.Blueprint:
    """The door to a desk. Both are asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    @door.function_name("operations_summary")
    @door.route("operations/summary", methods=["GET"])
    async def operations_summary(req: func.HttpRequest) -> func.HttpResponse:
        async def told(person: "Person", correlation: str) -> func.HttpResponse:
            return http.plain_json(200, await desk().summary(person), {"Correlation-Id": correlation})

        return await people.answered(req, verify, told)

    return door
