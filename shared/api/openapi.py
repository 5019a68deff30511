"""The whole API as an OpenAPI 3.1 document (`GET /openapi.json`, `docs/openapi.json`)."""

from typing import Any, Final

from shared.access.refusals import CredentialsDoubtful
from shared.access.scopes import PREFIX
from shared.api import (
    NAME,
    VERSION,
    aside_paths,
    examples,
    operations_paths,
    refusals,
    registry_paths,
    schemas,
    security,
    trail_paths,
)
from shared.api.refusals import CORRELATION, FHIR_JSON
from shared.errors import (
    BrokenEnvelope,
    BrokenProfile,
    EmptyBody,
    HubError,
    NotAuthenticated,
    NotAvailable,
    NotFhir,
    NotGranted,
    NotJson,
    ScopeMissing,
    TooLarge,
    TooManyCalls,
    Unexpected,
    UnknownAddress,
    UnknownMessage,
    UnknownMunicipality,
    WrongContentType,
    WrongIdentifier,
    WrongMethod,
)
from shared.registry.refusals import TrafficStopped

POST_REFUSALS: Final[tuple[type[HubError], ...]] = (
    CredentialsDoubtful, NotAuthenticated, ScopeMissing, NotGranted, UnknownMunicipality, UnknownAddress,
    WrongContentType, EmptyBody, TooLarge, NotJson, NotFhir, BrokenProfile, WrongIdentifier, BrokenEnvelope,
    TrafficStopped, TooManyCalls, NotAvailable, Unexpected,
)  # fmt: skip
STATUS_REFUSALS: Final[tuple[type[HubError], ...]] = (
    CredentialsDoubtful, NotAuthenticated, ScopeMissing, UnknownAddress, UnknownMessage, TooManyCalls, NotAvailable,
    Unexpected,
)  # fmt: skip

_ABOUT: Final = """\
An open Norwegian welfare-technology hub. Systems post FHIR R4 events to a municipality; the hub checks them, stores
them and delivers them unchanged to the municipality's EPJ, and can say at any time where each of them is.

A 2xx is only given for a message that is stored. Posting the same message again gives the same answer and one delivery.
Refusals are FHIR OperationOutcomes; their second `details.coding` is this hub's own stable code. `SEND_` codes are for
the sender to mend, `HUB_` codes for the hub: try again. The third `details.coding` of an issue about a message is the
key of the rule it met; the answer to an accepted message lists as warnings what a strict R4 reader would refuse.

An address that does not exist, or does not take the method,
is answered with 404 in the same form, in the latter case with the header Allow."""


def document(public_url: str | None) -> dict[str, Any]:
    """The document. `public_url` is the address callers use; without one the server is where the document is read."""
    return {
        "openapi": "3.1.0",
        "info": {"title": NAME, "version": VERSION, "description": _ABOUT},
        "servers": [{"url": public_url.rstrip("/") if public_url else "/"}],
        "tags": [
            {"name": "messages", "description": "Sending messages and asking where they are"},
            {"name": registry_paths.TAG, "description": "The register, for municipalities and the hub's operators"},
            {"name": trail_paths.TAG, "description": "The audit log, for municipalities and the hub's operators"},
            {"name": operations_paths.TAG, "description": "How it goes, for municipalities and the hub's operators"},
            {"name": "hub", "description": "What the hub says about itself; open to anyone"},
        ],
        "paths": security.with_dpop(_paths()),
        "components": {
            "securitySchemes": security.schemes(),
            "headers": schemas.headers(),
            "schemas": {
                "Message": schemas.message(),
                "OperationOutcome": schemas.operation_outcome(),
                "Status": schemas.status(),
                "Health": schemas.health(),
                **registry_paths.schemas(),
            },
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/epj/r4/{orgnr}/{resource}": {"post": _post()},
        "/epj/r4/{orgnr}/$process-message": {"post": _process_message()},
        "/epj/r4/{orgnr}/{resource}/{id}/$status": {"get": _status()},
        "/trail/_search": {"post": trail_paths.search()},
        "/trail/{id}": {"get": trail_paths.read()},
        "/operations/summary": {"get": operations_paths.summary()},
        **aside_paths.paths(),
        **registry_paths.paths(),
        "/metadata": {"get": _open("metadata", "The FHIR CapabilityStatement", FHIR_JSON, {"type": "object"}, None)},
        "/openapi.json": {
            "get": _open("openapi", "This document", "application/json", {"type": "object"}, None),
        },
        "/health": {
            "get": _open(
                "health",
                "Whether the hub is alive, which release it is, and whether it reaches what it depends on",
                "application/json",
                {"$ref": "#/components/schemas/Health"},
                examples.healthy(),
            )
        },
    }


def _post() -> dict[str, Any]:
    return {
        "operationId": "postMessage",
        "tags": ["messages"],
        "summary": "Send a message to a municipality",
        "description": f"Needs the scope `{PREFIX}{{resource}}.write` and the municipality's leave for this system. "
        "Calls are judged in this order: 401, 403 (scope), 404, 403 (leave), 400, 413, 422.",
        "security": [{security.SYSTEM: []}],
        "parameters": [_orgnr(), _resource(), _prefer(), *_tracing()],
        "requestBody": {
            "required": True,
            "description": "One FHIR R4 resource as JSON in UTF-8, at most 1 MiB. No content type at all is taken too.",
            "content": {
                FHIR_JSON: {
                    "schema": {"$ref": "#/components/schemas/Message"},
                    "examples": {name: {"value": body} for name, body in examples.messages().items()},
                },
                "application/json": {"schema": {"$ref": "#/components/schemas/Message"}},
                "text/plain": {"schema": {"type": "string", "description": "The same JSON"}},
            },
        },
        "responses": {
            "202": {
                "description": "Stored, and it will be delivered. The same for a message that was accepted before.",
                "headers": {
                    **CORRELATION,
                    "Location": {"$ref": "#/components/headers/Location"},
                    "Preference-Applied": {"$ref": "#/components/headers/PreferenceApplied"},
                },
                "content": {
                    FHIR_JSON: {
                        "schema": {"$ref": "#/components/schemas/OperationOutcome"},
                        "example": examples.accepted(),
                    }
                },
                "links": {
                    "status": {
                        "operationId": "getStatus",
                        "description": "The address is in the header Location.",
                    }
                },
            },
            **refusals.responses(refusals.of(*POST_REFUSALS, but=(WrongMethod,))),
        },
    }


def _process_message() -> dict[str, Any]:
    post = _post()
    accepted = post["responses"]["202"]
    bundle = {"$ref": "#/components/schemas/Message"}
    outcome_or_message = {"anyOf": [{"$ref": "#/components/schemas/OperationOutcome"}, bundle]}
    refused = refusals.responses(refusals.of(*POST_REFUSALS, but=(WrongMethod,)))
    for each in refused.values():
        each["content"][FHIR_JSON]["schema"] = outcome_or_message
    return {
        **post,
        "operationId": "processMessage",
        "summary": "Send a message Bundle as FHIR messaging has it",
        "description": f"R4's operation $process-message: as a POST to bundle (scope `{PREFIX}bundle.write`), for "
        "Bundles of type message only, and answered with a message Bundle: its MessageHeader.response refers to the "
        "request's MessageHeader by id, its code is ok (stored), transient-error or fatal-error, and its details are "
        "the OperationOutcome. A caller that is not let in, and a message without a MessageHeader that an answer could "
        "refer to, get the OperationOutcome alone.",
        "parameters": [_orgnr(), _prefer(), *_tracing()],
        "requestBody": {
            "required": True,
            "description": "A FHIR R4 Bundle of type message as JSON in UTF-8, at most 1 MiB.",
            "content": {FHIR_JSON: {"schema": bundle}},
        },
        "responses": {
            "202": {**accepted, "content": {FHIR_JSON: {"schema": bundle}}},
            **refused,
        },
    }


def _status() -> dict[str, Any]:
    return {
        "operationId": "getStatus",
        "tags": ["messages"],
        "summary": "Where a message is",
        "description": "For the system that sent it and for the municipality it was sent to, with the scope "
        f"`{PREFIX}{{resource}}.write` or `.read`. To anybody else the message does not exist.",
        "security": [{security.SYSTEM: []}],
        "parameters": [_orgnr(), _resource(), _id(), *_tracing()],
        "responses": {
            "200": {
                "description": "Where it is, at this moment",
                "headers": CORRELATION,
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/Status"},
                        "example": examples.waiting(),
                    }
                },
            },
            **refusals.responses(refusals.of(*STATUS_REFUSALS, but=(WrongMethod,))),
        },
    }


def _open(operation: str, summary: str, media_type: str, schema: dict[str, Any], example: object) -> dict[str, Any]:
    content = {"schema": schema, **({"example": example} if example is not None else {})}
    return {
        "operationId": operation,
        "tags": ["hub"],
        "summary": summary,
        "security": [],
        "responses": {"200": {"description": summary, "content": {media_type: content}}},
    }


def _orgnr() -> dict[str, Any]:
    return _in_path(
        "orgnr",
        "The municipality's organisation number",
        {"type": "string", "pattern": "^[0-9]{9}$"},
        examples.ORGNR,
    )


def _resource() -> dict[str, Any]:
    schema = {"type": "string", "enum": schemas.resource_names()}
    return _in_path("resource", "The type of resource, in any letter case", schema, examples.RESOURCE)


def _id() -> dict[str, Any]:
    return _in_path("id", "The message's id, from the header Location", {"type": "string"}, examples.EVENT_ID)


def _in_path(name: str, text: str, schema: dict[str, Any], example: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema, "example": example}


def _prefer() -> dict[str, Any]:
    return {
        "name": "Prefer",
        "in": "header",
        "description": "`handling=strict` (RFC 7240): refuse what a strict R4 reader would refuse, instead of warning.",
        "schema": {"type": "string"},
        "example": "handling=strict",
    }


def _tracing() -> list[dict[str, Any]]:
    return [
        {
            "name": "Correlation-Id",
            "in": "header",
            "description": "Your id for this exchange; goes with the message to its receiver. Nothing about a person.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
        },
        {
            "name": "traceparent",
            "in": "header",
            "description": "W3C trace context; goes with the message to its receiver.",
            "schema": {"type": "string"},
        },
    ]
