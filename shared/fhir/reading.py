"""One message read: every layer of the first check in its order, and the facts the hub routes by.

Bytes, text, JSON, repaired copy, R4, envelope, facts. A Reading holds facts about a message, never the message: what
is stored and delivered are the bytes as they came (P5), and no repr of a Reading shows a value from it (P6).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import Finding
from shared.fhir.envelope import check_envelope
from shared.fhir.identifiers import PatientKey, identifier_of
from shared.fhir.json_text import check_size, parse
from shared.fhir.repair import repair
from shared.fhir.resources import check_resource, resource_type_at
from shared.fhir.times import occurred_at
from shared.fhir.values import JsonObject

__all__ = ["PatientKey", "Reading", "read_message"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the hub needs to know about a message it can take."""

    resource_type: str
    bundle_type: str | None
    patient: PatientKey
    business_identifier: tuple[str, str] | None = field(repr=False)
    """System and value of the Bundle's identifier, or the first of a single resource: for recognising a repetition."""
    occurred_at: datetime | None
    """When it happened, in UTC, as far as the message tells."""
    warnings: tuple[Finding, ...]
    sha256: str
    """Of the bytes as sent, hexadecimal."""


def read_message(body: bytes, resource: str) -> Reading:
    """Judge the bytes posted to `/epj/r4/{orgnr}/{resource}`.

    Raises UnknownAddress, EmptyBody, TooLarge, NotJson, NotFhir or BrokenEnvelope; the last three with findings.
    """
    resource_type = resource_type_at(resource)
    check_size(body)
    text = parse(body)
    repaired = repair(text.message)
    check_resource(repaired, text.message, resource_type)
    envelope = check_envelope(repaired, text.message)
    return Reading(
        resource_type,
        envelope.bundle_type,
        envelope.patient,
        _business_identifier(repaired.message),
        occurred_at(envelope.survey),
        text.warnings + repaired.findings + envelope.warnings,
        hashlib.sha256(body).hexdigest(),
    )


def _business_identifier(message: JsonObject) -> tuple[str, str] | None:
    identifier = message.get("identifier")
    if isinstance(identifier, list):
        return next((found for each in identifier if (found := identifier_of(each)) is not None), None)
    return identifier_of(identifier)
