"""What all doors for people share: who is calling, and what they are told when it cannot be done."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import azure.functions as func

from functions import http
from shared.errors import HubError, NotAvailable, Unexpected, WrongMethod
from shared.log import LogEvent, log

if TYPE_CHECKING:
    from shared.registry.people import Person

type Verify = Callable[[func.HttpRequest], Awaitable[Person]]
"""Who is calling, from the token alone. Raises one of the 401 errors, or NotAvailable."""
type Answer = Callable[[Person, str], Awaitable[func.HttpResponse]]
"""Answers a person; the text is the exchange's correlation id. Raises HubError."""


async def answered(req: func.HttpRequest, verify: Verify, answer: Answer) -> func.HttpResponse:
    """The answer, or what is wrong and what to do about it. Never raises."""
    correlation = http.correlation_id(req)
    try:
        return await answer(await verify(req), correlation)
    except HubError as error:
        code = LogEvent.NOT_AVAILABLE if isinstance(error, NotAvailable) else LogEvent.REFUSED
        log(code, code=error.code, status=error.status, correlation_id=correlation)
        allowed = {"Allow": "GET"} if isinstance(error, WrongMethod) else {}
        return http.refused(error, correlation, allowed, asked=http.credentials(req))
    except Exception as error:  # noqa: BLE001 - the process edge: the caller gets an answer that says to try again
        log(LogEvent.UNEXPECTED, error_type=type(error).__name__, correlation_id=correlation)
        return http.refused(Unexpected(), correlation)
