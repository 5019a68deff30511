"""The least a function app can do: what is left of a call's time is the local host's."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.function_name("floor")
@app.route("floor", methods=["GET"])
async def floor(req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse("ok")
