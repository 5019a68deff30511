"""The shapes of bodies and headers, as JSON Schema (OpenAPI 3.1 components)."""

from typing import Any, Final

from shared.messages.lifecycle import State
from shared.road.accepting import RESOURCES

_MOMENT: Final = {"type": ["string", "null"], "format": "date-time"}
_STATES: Final = [state.value for state in State]


def message() -> dict[str, Any]:
    """What is posted: any FHIR R4 resource of the types taken, in as much detail as a schema here is worth."""
    return {
        "type": "object",
        "description": "A FHIR R4 resource (https://hl7.org/fhir/R4/) of the type its address names.",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}},
    }


def operation_outcome() -> dict[str, Any]:
    """FHIR's OperationOutcome with every element this hub fills."""
    coding = {
        "type": "object",
        "required": ["system", "code"],
        "properties": {
            "system": {"type": "string", "format": "uri"},
            "code": {"type": "string"},
            "display": {"type": "string"},
        },
    }
    issue = {
        "type": "object",
        "required": ["severity", "code", "details", "diagnostics", "expression"],
        "properties": {
            "severity": {"enum": ["fatal", "error", "warning", "information"]},
            "code": {"type": "string", "description": "FHIR's IssueType"},
            "details": {
                "type": "object",
                "required": ["coding", "text"],
                "properties": {
                    "coding": {
                        "type": "array",
                        "description": "VKP's published code, this hub's own code, the key of the rule that was met.",
                        "items": coding,
                        "minItems": 1,
                    },
                    "text": {"type": "string", "description": "What is wrong"},
                },
            },
            "diagnostics": {"type": "string", "description": "What is wrong and what to do"},
            "expression": {
                "type": "array",
                "description": "FHIRPath into the message as sent, or `http.` and the part of the call",
                "items": {"type": "string"},
                "minItems": 1,
            },
        },
    }
    return {
        "type": "object",
        "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {"type": "array", "items": issue, "minItems": 1},
        },
    }


def status() -> dict[str, Any]:
    """Where a message is."""
    receiver = {
        "type": "object",
        "required": ["receiver", "state", "delivered", "attempts", "nextAttempt", "reason"],
        "properties": {
            "receiver": {"type": "string", "description": "The receiver's id in the hub's register"},
            "state": {"enum": _STATES},
            "delivered": _MOMENT,
            "attempts": {"type": "integer", "minimum": 0},
            "nextAttempt": _MOMENT,
            "reason": {
                "type": ["string", "null"],
                "description": "Why it is not delivered (yet), as a code: `HUB_` the hub, `REC_` the receiver",
            },
        },
    }
    return {
        "type": "object",
        "description": "Times are UTC, or null for what has not happened.",
        "required": ["id", "state", "registered", "routed", "delivered", "journaled", "failed", "receivers"],
        "properties": {
            "id": {"type": "string"},
            "state": {"enum": _STATES, "description": "That of the receiver it has come the shortest way to"},
            "registered": {**_MOMENT, "description": "Accepted and stored"},
            "routed": {**_MOMENT, "description": "It is known who gets it"},
            "delivered": {**_MOMENT, "description": "Every receiver has confirmed it"},
            "journaled": {**_MOMENT, "description": "Every receiver has put it in the journal"},
            "failed": {**_MOMENT, "description": "It stopped, and a person must look at it"},
            "receivers": {"type": "array", "items": receiver},
        },
    }


def health() -> dict[str, Any]:
    """Liveness, with what the hub depends on and which release it is."""
    return {
        "type": "object",
        "required": ["status", "dependencies", "release"],
        "properties": {
            "status": {"enum": ["ok", "degraded"]},
            "dependencies": {"type": "object", "additionalProperties": {"enum": ["ok", "unreachable"]}},
            "release": {
                "type": "string",
                "description": "Version and commit of the package that answers; `unpackaged` where there is no package",
            },
        },
    }


def headers() -> dict[str, Any]:
    """Headers of answers."""
    return {
        "CorrelationId": {
            "description": "The caller's id for this exchange, or one the hub made. Name it when you ask for help.",
            "schema": {"type": "string"},
        },
        "RetryAfter": {"description": "Seconds until the same call is worth repeating", "schema": {"type": "integer"}},
        "WWWAuthenticate": {
            "description": "What was wrong with the token (RFC 6750)",
            "schema": {"type": "string"},
        },
        "PreferenceApplied": {
            "description": "`handling=strict` when the message was checked strictly (RFC 7240)",
            "schema": {"type": "string"},
        },
        "Location": {
            "description": "Where to ask for the message's state",
            "schema": {"type": "string", "format": "uri-reference"},
        },
    }


def resource_names() -> list[str]:
    """The addresses messages are posted to."""
    return list(RESOURCES)
