"""`POST /epj/r4/{orgnr}/{resource}` and `…/$process-message`: a vendor's message comes in."""

import azure.functions as func

from functions import loading

door = func.Blueprint()


@door.function_name("ingest")
@door.route("epj/r4/{orgnr}/{resource}", methods=["POST"])
async def ingest(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept the message, or say why not."""
    loading.finished()
    from functions import taking  # noqa: PLC0415 - see loading

    return await taking.take(req, context)


@door.function_name("process_message")
@door.route("epj/r4/{orgnr}/$process-message", methods=["POST"])
async def process_message(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """FHIR messaging: the same, answered with a message in return."""
    loading.finished()
    from functions import taking  # noqa: PLC0415 - see loading

    return await taking.process(req, context)
