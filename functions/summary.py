"""`GET /operations/summary`: how it goes. Behind API Management, for operators and municipalities."""

from collections.abc import Awaitable, Callable

import azure.functions as func

from functions import http
from shared.errors import HubError, NotAvailable, Unexpected
from shared.log import LogEvent, log
from shared.registry.people import Person
from shared.watch.desk import SummaryDesk

type FindDesk = Callable[[], SummaryDesk]
type Verify = Callable[[func.HttpRequest], Awaitable[Person]]
"""Who is calling, from the token alone. Raises one of the 401 errors, or NotAvailable."""


def blueprint(desk: FindDesk, verify: Verify) -> func.Blueprint:
    """The door to a desk. Both are asked for anew at each call, inside the worker's event loop."""
    door = func.Blueprint()

    @door.function_name("operations_summary")
    @door.route("operations/summary", methods=["GET"])
    async def operations_summary(req: func.HttpRequest) -> func.HttpResponse:
        correlation = http.correlation_id(req)
        try:
            found = await desk().summary(await verify(req))
        except HubError as error:
            code = LogEvent.NOT_AVAILABLE if isinstance(error, NotAvailable) else LogEvent.REFUSED
            log(code, code=error.code, status=error.status, correlation_id=correlation)
            return http.refused(error, correlation, asked=http.credentials(req))
        except Exception as error:  # noqa: BLE001 - the process edge: the caller gets an answer that says to try again
            log(LogEvent.UNEXPECTED, error_type=type(error).__name__, correlation_id=correlation)
            return http.refused(Unexpected(), correlation)
        return http.plain_json(200, found, {"Correlation-Id": correlation})

    return door
