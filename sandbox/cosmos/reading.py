"""What the body of a request says."""

from sandbox.cosmos.errors import bad_request
from sandbox.cosmos.messages import Request
from sandbox.cosmos.values import Json, NotJson, Undefined, parse


def body_of(request: Request) -> Json:
    """The request's JSON. Raises CosmosError (400)."""
    try:
        return parse(request.body)
    except NotJson as error:
        raise bad_request(f"The request payload is invalid: {error}.") from None


def is_query(request: Request) -> bool:
    """Whether a POST asks instead of creating."""
    content_type = request.headers.get("content-type", "")
    return request.flag("x-ms-documentdb-isquery") or content_type.startswith("application/query+json")


def query_of(request: Request) -> tuple[str, dict[str, Json | Undefined]]:
    """The text and the parameters of a query. Raises CosmosError (400)."""
    body = body_of(request)
    text = body.get("query") if isinstance(body, dict) else None
    given = (body.get("parameters") if isinstance(body, dict) else None) or []
    if not isinstance(text, str) or not isinstance(given, list):
        raise bad_request("A query must be an object with its text as query, and a list of parameters.")
    parameters: dict[str, Json | Undefined] = {}
    for one in given:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise bad_request("A query's parameter must have a name and a value.")
        parameters[str(one["name"])] = one.get("value")
    return text, parameters
