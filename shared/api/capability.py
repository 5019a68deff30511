"""The FHIR R4 CapabilityStatement (`GET /metadata`)."""

from typing import Any, Final

from shared.access.scopes import scope_for
from shared.api import NAME, VERSION
from shared.fhir.resources import ADDRESSES

DATE: Final = "2026-11-22"
"""When what is stated last changed."""

ISSUER_EXTENSION: Final = "https://knutepunkt.no/fhir/StructureDefinition/openid-issuer"

_OAUTH: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
    "code": "OAuth",
    "display": "OAuth",
}


def statement(public_url: str | None, issuer: str) -> dict[str, Any]:
    """What this hub takes. `issuer` is the HelseID whose tokens it accepts (`iss`, letter by letter)."""
    return {
        "resourceType": "CapabilityStatement",
        "contained": [_status_operation()],
        "name": NAME,
        "title": f"{NAME}: welfare-technology messages to Norwegian municipalities",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": NAME, "version": VERSION},
        "implementation": {
            "description": "An open welfare-technology hub (velferdsteknologisk knutepunkt)",
            **({"url": f"{public_url.rstrip('/')}/epj/r4"} if public_url else {}),
        },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Messages are posted to /epj/r4/{orgnr}/{resource}, where orgnr is the municipality's "
                "organisation number and resource the type in any letter case. They are stored, answered with 202 and "
                "the address of their status, and delivered unchanged to the municipality's journal system. "
                "The header Prefer: handling=strict asks for strict checking. GET /openapi.json has every answer and "
                "its codes.",
                "security": _security(issuer),
                "resource": [_resource(address, kind) for address, kind in ADDRESSES.items()],
                "operation": [
                    {
                        "name": "process-message",
                        "definition": "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
                        "documentation": "POST /epj/r4/{orgnr}/$process-message: message Bundles, answered with a "
                        "message Bundle when they are stored.",
                    }
                ],
            }
        ],
    }


def _security(issuer: str) -> dict[str, Any]:
    return {
        "extension": [{"url": ISSUER_EXTENSION, "valueUri": issuer}],
        "cors": False,
        "service": [{"coding": [_OAUTH], "text": "OAuth 2.0 client credentials with private_key_jwt, from HelseID"}],
        "description": f"Bearer tokens from the issuer {issuer}. The client needs a vkp-id and the scope named at the "
        "resource, and the municipality must have let the system in.",
    }


def _resource(address: str, kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "documentation": f"POST /epj/r4/{{orgnr}}/{address}; scope {scope_for(address, 'write')}",
        "interaction": [
            {
                "code": "create",
                "documentation": "Answered with 202 when it is stored; the same message again gets the same answer "
                "and is delivered once.",
            }
        ],
        "operation": [
            {
                "name": "status",
                "definition": "#status",
                "documentation": f"GET /epj/r4/{{orgnr}}/{address}/{{id}}/$status",
            }
        ],
    }


def _status_operation() -> dict[str, Any]:
    return {
        "resourceType": "OperationDefinition",
        "id": "status",
        "name": "Status",
        "status": "active",
        "kind": "operation",
        "description": "Where a message is: plain JSON, described in GET /openapi.json. For its sender and its "
        "municipality only.",
        "affectsState": False,
        "code": "status",
        "resource": list(ADDRESSES.values()),
        "system": False,
        "type": False,
        "instance": True,
    }
