"""The registry's doors alone, for tests: whoever calls says who they are."""

import os
from functools import cache

import azure.functions as func

from functions import registry
from shared.azure.cosmos import Cosmos, LazyContainer
from shared.azure.settings import CosmosSettings
from shared.clock import utc_now
from shared.errors import NotAuthenticated
from shared.identity.series import Environment
from shared.registry.desk import Desk
from shared.registry.keeping import Registry
from shared.registry.people import Person


@cache
def desk() -> Desk:
    """The desk, over the account that the environment names."""
    container = LazyContainer(Cosmos(CosmosSettings.model_validate(dict(os.environ))), "registry")
    resources = frozenset({"bundle", "patient"})
    return Desk(Registry(container), environment=Environment.TEST, resources=resources, clock=utc_now)


async def verify(req: func.HttpRequest) -> Person:
    """Stands in for a token."""
    subject: str | None = req.headers.get("x-subject")
    if subject is None:
        raise NotAuthenticated
    if subject == "helseid:broken":
        raise RuntimeError
    return Person(subject, "", None, "4")


app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(registry.blueprint(desk, verify))
