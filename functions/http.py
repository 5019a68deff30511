"""Between Azure's HTTP objects and the hub's: what every HTTP door needs to read a call and write an answer."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

import azure.functions as func

from shared.access.challenges import challenge
from shared.access.credentials import Credentials
from shared.access.modes import DpopMode
from shared.errors import HubError, NotAvailable, TooManyCalls
from shared.fhir import outcome
from shared.registry.refusals import TrafficStopped

FHIR_JSON: Final = "application/fhir+json"
RETRY_AFTER_S: Final = 5
STOPPED_RETRY_AFTER_S: Final = 300
"""A municipality that stops its traffic does so for an upgrade, not for seconds."""

_CORRELATION_ID: Final = re.compile(r"(?!.*(?<![0-9A-Za-z])[0-9]{11}(?![0-9A-Za-z]))[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Never eleven digits: they could be a person's number, and this id is written down."""

_SAFE: Final[dict[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer (OWASP REST Security Cheat Sheet). No CORS header is ever among them: no web page calls this API."""
_ONLY_HTTPS: Final = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


_OFFERED: Final[dict[str, DpopMode]] = {"dpop": DpopMode.OFF}


def served_at(public_url: str | None, dpop: DpopMode) -> None:
    """Say where callers reach this app, and whether those of whom nothing is known are to prove their tokens.

    Over https they are told to use nothing else (RFC 6797, 7.2: only there).
    """
    _OFFERED["dpop"] = dpop
    if public_url is not None and public_url.lower().startswith("https:"):
        _SAFE.update([_ONLY_HTTPS])
    else:
        _SAFE.pop(_ONLY_HTTPS[0], None)


def correlation_id(req: func.HttpRequest) -> str:
    """The caller's id for this exchange if it is a harmless one, else a new one."""
    for header in ("correlation-id", "x-correlation-id", "x-request-id"):
        given: str = req.headers.get(header, "")
        if _CORRELATION_ID.fullmatch(given):
            return given
    return str(uuid.uuid4())


def credentials(req: func.HttpRequest) -> Credentials:
    """What the call brings to say who is calling."""
    return Credentials(req.headers.get("authorization"), req.headers.get("dpop"), req.method, req.url)


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
        headers={"Correlation-Id": correlation, **_SAFE, **(headers or {})},
    )


def plain_json(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """An answer in JSON."""
    return func.HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        mimetype="application/json",
        headers={**_SAFE, **(headers or {})},
    )


def refused(
    error: HubError,
    correlation: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    asked: Credentials | None = None,
) -> func.HttpResponse:
    """The answer that says what is wrong, whose fault it is and what to do.

    `body` stands in the place of the usual one; `asked` are the call's credentials, for the challenge that belongs to a
    refused token.
    """
    return fhir(
        error.status,
        outcome.to_bytes(outcome.operation_outcome(error)) if body is None else body,
        correlation,
        {**_extra(error, asked), **(headers or {})},
    )


def _extra(error: HubError, asked: Credentials | None) -> dict[str, str]:
    if isinstance(error, NotAvailable):
        return {"Retry-After": str(RETRY_AFTER_S)}
    if isinstance(error, TrafficStopped):
        return {"Retry-After": str(STOPPED_RETRY_AFTER_S)}
    if isinstance(error, TooManyCalls):
        return {"Retry-After": str(error.retry_after_s)}
    said = challenge(error, asked.authorization if asked is not None else None, _OFFERED["dpop"])
    return {"WWW-Authenticate": said} if said else {}
