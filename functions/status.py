"""`GET /epj/r4/{orgnr}/{resource}/{id}/$status`: where a message is."""

import azure.functions as func

from functions import http, loading
from functions.wiring import hub
from shared.errors import HubError, Unexpected
from shared.log import LogEvent, log

door = func.Blueprint()


@door.function_name("status")
@door.route("epj/r4/{orgnr}/{resource}/{id}/$status", methods=["GET"])
async def status(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the sender or the municipality."""
    loading.finished()
    from shared.road.asking import Question  # noqa: PLC0415 - see loading

    correlation = http.correlation_id(req)
    question = Question(
        orgnr=req.route_params.get("orgnr", ""),
        resource=req.route_params.get("resource", ""),
        event_id=req.route_params.get("id", ""),
        credentials=http.credentials(req),
    )
    try:
        caller = await hub().status_desk.caller(question)
        answer = await hub().status_desk.status(question, caller)
    except HubError as error:
        return http.refused(error, correlation, asked=question.credentials)
    except Exception as error:  # noqa: BLE001 - the process edge: the caller gets an answer that says to try again
        log(LogEvent.UNEXPECTED, error_type=type(error).__name__, correlation_id=correlation)
        return http.refused(Unexpected(), correlation)
    return http.plain_json(200, answer, {"Correlation-Id": correlation})
