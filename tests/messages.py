"""Messages to send in tests: synthetic, of our own making."""

import json
import uuid
from typing import Any

EPR_NUMBER = "http://cosdoc.dips.no/lopenummer"
NAME = "Ærlend Merkestein Ødegårdsvik"
"""Whom every alarm is about. Nobody's name; it must be found in payloads and nowhere else (tests/flow/sweep.py)."""


def alarm(
    patient: str = "40001",
    *,
    identifier: str | None = None,
    text: str = "Trygghetsalarm utløst",
    system: str = EPR_NUMBER,
) -> bytes:
    """A safety alarm as a document bundle, about one patient; a new event unless `identifier` is given."""
    return json.dumps(alarm_json(patient, identifier=identifier, text=text, system=system), ensure_ascii=False).encode()


def alarm_json(
    patient: str = "40001",
    *,
    identifier: str | None = None,
    text: str = "Trygghetsalarm utløst",
    system: str = EPR_NUMBER,
) -> dict[str, Any]:
    """The same before it becomes bytes."""
    issue = "urn:uuid:5f2b6a1e-7d1b-4a56-9d2e-0b6f3a1c9e10"

    def subject() -> dict[str, Any]:
        return {"identifier": {"system": system, "value": patient}, "display": NAME}

    code = {"coding": [{"system": "http://ehelse.no/fhir/CodeSystem/vkp-alert-code-v090", "code": "3"}], "text": text}
    category = {"system": "http://ehelse.no/fhir/CodeSystem/vkp-composition-category-v090", "code": "1"}
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:example:alarm", "value": identifier or str(uuid.uuid4())},
        "type": "document",
        "timestamp": "2026-11-20T07:15:30.1234567+01:00",
        "entry": [
            {
                "fullUrl": "urn:uuid:0a7c1c43-3a0e-4c0e-8e1a-5a9d4bb7a001",
                "resource": {
                    "resourceType": "Composition",
                    "status": "final",
                    "type": code,
                    "category": [{"coding": [category]}],
                    "subject": subject(),
                    "date": "2026-11-20T07:15:30+01:00",
                    "author": [{"identifier": {"system": "urn:example:user", "value": "vakt-1"}}],
                    "title": "Alarm",
                    "section": [{"title": "Alarm", "entry": [{"reference": issue}]}],
                },
            },
            {
                "fullUrl": issue,
                "resource": {
                    "resourceType": "DetectedIssue",
                    "status": "final",
                    "code": code,
                    "patient": subject(),
                    "identifiedDateTime": "2026-11-20T07:15:02+01:00",
                },
            },
        ],
    }
