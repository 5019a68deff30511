"""Small messages for the tests, as JSON values; every number in them is synthetic."""

import json
from typing import Any

from shared.fhir.identifiers import FNR

KARI = "05834410070"
OLA = "14927610087"
ALARM_URL = "urn:uuid:00000000-0000-4000-8000-000000000002"

type Json = dict[str, Any]


def subject(number: str = KARI, system: str = FNR) -> Json:
    return {"identifier": {"system": system, "value": number}}


def observation(**changes: Any) -> Json:
    """A single measurement; a change to None leaves the element out."""
    return _changed(
        {"resourceType": "Observation", "status": "final", "code": {"text": "puls"}, "subject": subject()}, changes
    )


def composition(**changes: Any) -> Json:
    return _changed(
        {
            "resourceType": "Composition",
            "status": "final",
            "type": {"text": "notat"},
            "subject": subject(),
            "date": "2026-01-15T08:30:00+01:00",
            "author": [{"display": "vakt"}],
            "title": "Notat",
            "section": [{"entry": [{"reference": ALARM_URL}]}],
        },
        changes,
    )


def alarm(**changes: Any) -> Json:
    return _changed(
        {
            "resourceType": "DetectedIssue",
            "status": "final",
            "patient": subject(),
            "identifiedDateTime": "2026-01-15T08:12:03+01:00",
        },
        changes,
    )


def entry(resource: Json, url: str | None) -> Json:
    return {"fullUrl": url, "resource": resource} if url else {"resource": resource}


def document(*resources: Json, **changes: Any) -> Json:
    """An alarm as a document: a Composition and a DetectedIssue, or the resources given, whose last is ALARM_URL."""
    inside = resources or (composition(), alarm())
    urls = [f"urn:uuid:00000000-0000-4000-8000-0000000001{index:02}" for index in range(len(inside) - 1)]
    return _changed(
        {
            "resourceType": "Bundle",
            "type": "document",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:00000000-0000-4000-8000-000000000999"},
            "timestamp": "2026-01-15T08:31:00+01:00",
            "entry": [entry(*each) for each in zip(inside, [*urls, ALARM_URL], strict=True)],
        },
        changes,
    )


def body(message: Any) -> bytes:
    return json.dumps(message).encode()


def _changed(message: Json, changes: Json) -> Json:
    return {name: value for name, value in (message | changes).items() if value is not None}
