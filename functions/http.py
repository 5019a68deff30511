"""Between Azure's HTTP objects and the hub's: what every HTTP door needs to read a call and write an answer."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

import azure.functions as func

from shared.access import bearer
from shared.errors import HubError, NotAvailable
from shared.fhir import outcome

FHIR_JSON: Final = "application/fhir+json"
RETRY_AFTER_S: Final = 5

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def correlation_id(req: func.HttpRequest) -> str:
    """The caller's id for this exchange if it is a harmless one, else a new one."""
    for header in ("correlation-id", "x-correlation-id", "x-request-id"):
        given: str = req.headers.get(header, "")
        if _CORRELATION_ID.fullmatch(given):
            return given
    return str(uuid.uuid4())


def traceparent(context: func.Context) -> str:
    """The trace this call belongs to, as the host gives it."""
    given: str | None = context.trace_context.trace_parent
    return given or ""


def fhir(status: int, body: bytes, correlation: str, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """An answer in FHIR JSON."""
    return func.HttpResponse(
        body,
        status_code=status,
        mimetype=FHIR_JSON,
        headers={"Correlation-Id": correlation, "Cache-Control": "no-store", **(headers or {})},
    )


def plain_json(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """An answer in JSON."""
    return func.HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        mimetype="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def refused(
    error: HubError, correlation: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> func.HttpResponse:
    """The answer that says what is wrong, whose fault it is and what to do; `body` in the place of the usual one."""
    return fhir(
        error.status,
        outcome.to_bytes(outcome.operation_outcome(error)) if body is None else body,
        correlation,
        {**_extra(error), **(headers or {})},
    )


def _extra(error: HubError) -> dict[str, str]:
    if isinstance(error, NotAvailable):
        return {"Retry-After": str(RETRY_AFTER_S)}
    challenge = bearer.challenge(error)
    return {"WWW-Authenticate": challenge} if challenge else {}
