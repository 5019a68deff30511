"""The audit log's addresses in the OpenAPI document."""

from typing import Any, Final

from shared.access.refusals import CredentialsDoubtful
from shared.api import refusals, trail_schemas
from shared.api.refusals import CORRELATION, FHIR_JSON
from shared.api.registry_paths import SCHEME
from shared.errors import (
    HubError,
    NotAuthenticated,
    NotAvailable,
    TooManyCalls,
    Unexpected,
    UnknownAddress,
    WrongContentType,
    WrongMethod,
)
from shared.registry.refusals import SecurityLevel
from shared.trail.desk import LONGEST, OFTEN
from shared.trail.entry import Kind
from shared.trail.refused import SearchMalformed, TrailUnknown
from shared.trail.searching import MOST, PAGE

TAG: Final = "trail"

_READ: Final[tuple[type[HubError], ...]] = (
    CredentialsDoubtful, NotAuthenticated, SecurityLevel, TrailUnknown, UnknownAddress, TooManyCalls, NotAvailable,
    Unexpected,
)  # fmt: skip
_RESOURCE: Final = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
_TEXT: Final[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": LONGEST}
_FORM: Final[dict[str, dict[str, Any]]] = {
    "message-id": {**_TEXT, "description": "A message's id: all its stations and the looks at it"},
    "patient": {**_TEXT, "description": "`system|value`. In the body only, never in an address"},
    "agent": {**_TEXT, "description": "Who did it: a vkp-id or a person's subject"},
    "date": {
        "type": "array",
        "items": _TEXT,
        "maxItems": OFTEN["date"],
        "description": "When, as FHIR writes it: `ge2026-11-01`, `lt2026-12-01`",
    },
    "subtype": {
        "type": "array",
        "items": {"type": "string", "enum": [kind.value for kind in Kind]},
        "maxItems": OFTEN["subtype"],
        "description": "Which kinds of entries; FHIR's `system|code` is taken too",
    },
    "municipality": {**_TEXT, "description": "For operators: whose log, by orgnr, or `hub`"},
    "_count": {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE},
    "page": {**_TEXT, "description": "Where to go on, from the link `next` of the answer before"},
}


def search() -> dict[str, Any]:
    """`POST /trail/_search`."""
    form = {"type": "object", "properties": _FORM, "additionalProperties": False}
    return {
        "operationId": "searchTrail",
        "tags": [TAG],
        "summary": "Search a municipality's audit log",
        "description": "AuditEvents, newest first; plain entries for those who like `application/json` better "
        "(`Accept`). The search itself is written to the log before it is answered.",
        "security": [{SCHEME: []}],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {
            "200": _found("A Bundle of AuditEvents, or a page of plain entries", trail_schemas.PAGE),
            **refusals.responses(refusals.of(*_READ, SearchMalformed, WrongContentType, but=(WrongMethod,))),
        },
    }


def read() -> dict[str, Any]:
    """`GET /trail/{id}`."""
    return {
        "operationId": "readTrail",
        "tags": [TAG],
        "summary": "One entry of the audit log",
        "description": "An AuditEvent, or plain JSON as for a search. The reading is written to the log before it is "
        "answered.",
        "security": [{SCHEME: []}],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"},
                        "description": "The AuditEvent's id", "example": "310000019-2026-11-0000000042"}],
        "responses": {
            "200": _found("An AuditEvent, or a plain entry", trail_schemas.ENTRY),
            **refusals.responses(refusals.of(*_READ, but=(WrongMethod,))),
        },
    }  # fmt: skip


def _found(what: str, plain: dict[str, Any]) -> dict[str, Any]:
    content = {FHIR_JSON: {"schema": _RESOURCE}, "application/json": {"schema": plain}}
    return {"description": what, "headers": CORRELATION, "content": content}
