"""The refusals of the API as OpenAPI responses, taken from the error types themselves."""

from itertools import groupby
from typing import Any, Final

from shared import errors
from shared.access import refusals as access
from shared.access.challenges import challenge
from shared.errors import HubError, NotAvailable, TooManyCalls
from shared.fhir import outcome
from shared.registry import refusals as registry
from shared.trail import refused as trail

FHIR_JSON: Final = "application/fhir+json"

_HOMES: Final = frozenset({errors.__name__, access.__name__, registry.__name__, trail.__name__})
"""Where refusals are declared. Naming the modules also loads them."""

CORRELATION: Final = {"Correlation-Id": {"$ref": "#/components/headers/CorrelationId"}}


def kinds() -> tuple[type[HubError], ...]:
    """Every error type with a code of its own, by status and code. The base type is none: nobody ever gets it."""
    found = {kind for kind in _below(HubError) if kind.__module__ in _HOMES and "code" in vars(kind)}
    return tuple(sorted(found, key=lambda kind: (kind.status, kind.code)))


def of(*bases: type[HubError], but: tuple[type[HubError], ...] = ()) -> tuple[type[HubError], ...]:
    """The kinds that are one of `bases`, without those that are one of `but`."""
    return tuple(kind for kind in kinds() if issubclass(kind, bases) and not issubclass(kind, but or ()))


def responses(refusals: tuple[type[HubError], ...]) -> dict[str, Any]:
    """OpenAPI responses by status: each code with its text, what to do about it, and an example."""
    by_status = groupby(sorted(refusals, key=lambda kind: kind.status), key=lambda kind: kind.status)
    return {str(status): _response(tuple(group)) for status, group in by_status}


def _response(refusals: tuple[type[HubError], ...]) -> dict[str, Any]:
    lines = [f"- `{kind.code}`: {kind.text()} {kind.advice()}" for kind in refusals]
    return {
        "description": "\n".join(lines),
        "headers": {**CORRELATION, **_headers(refusals)},
        "content": {
            FHIR_JSON: {
                "schema": {"$ref": "#/components/schemas/OperationOutcome"},
                "examples": {
                    kind.code: {"summary": kind.text(), "value": outcome.operation_outcome(kind())} for kind in refusals
                },
            }
        },
    }


def _headers(refusals: tuple[type[HubError], ...]) -> dict[str, Any]:
    names = {
        "Retry-After": any(
            issubclass(kind, (NotAvailable, TooManyCalls, registry.TrafficStopped)) for kind in refusals
        ),
        "WWW-Authenticate": any(challenge(kind()) is not None for kind in refusals),
    }
    return {name: {"$ref": f"#/components/headers/{name.replace('-', '')}"} for name, wanted in names.items() if wanted}


def _below(kind: type[HubError]) -> set[type[HubError]]:
    return {found for each in kind.__subclasses__() for found in (each, *_below(each))}
