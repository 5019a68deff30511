"""Messages to measure the check with: alarms as documents, synthetic, always the same, with nothing to find fault with.

An alarm with its log is about 3 KB; with a visit, readings and their devices it is 6; with more readings, 24.
"""

import json
from itertools import count
from typing import Any, Final

PATIENT: Final = "12834110081"
"""Synthetic: 80 on the month."""

type Json = dict[str, Any]

_NAMES: Final = "http://ehelse.no/fhir/CodeSystem"
_PROFILES: Final = "http://ehelse.no/fhir/StructureDefinition"
_READINGS: Final = (
    ("Heartrate", "8867-4", "364075005", "/min", 71),
    ("Oxygensat", "2708-6", "431314004", "%", 97),
    ("Bodyweight", "29463-7", "27113001", "kg", 68),
    ("Bodytemp", "8310-5", "276885007", "Cel", 37),
)
_LOG: Final = ("0", "1", "8", "10", "9", "3")


def bundle(size: int) -> bytes:
    """A document of at least so many bytes, as a sender would write it on the wire: without blanks between values."""
    readings = count()
    resources = [_alarm(), _device()]
    if len(_bytes(resources)) < size:
        resources.append(_visit())
    while len(body := _bytes(resources)) < size:
        resources.append(_reading(next(readings)))
    return body


def _bytes(content: list[Json]) -> bytes:
    # All but the device stand in the sections of the note; the alarm refers to the device.
    told = [number for number, each in enumerate(content, 1) if each["resourceType"] != "Device"]
    resources = [_composition(told), *content]
    entries = [{"fullUrl": _url(number), "resource": resource} for number, resource in enumerate(resources)]
    message = {
        "resourceType": "Bundle",
        "identifier": {"system": "https://trygghetsvakt.example/hendelse", "value": "TV-2026-000901"},
        "type": "document",
        "timestamp": "2026-11-20T21:52:31.0871234+01:00",
        "entry": entries,
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _url(number: int) -> str:
    return f"urn:uuid:5d1f7a52-3c0e-4c7b-9a51-{number:012}"


def _coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def _concept(*codings: Json, text: str = "") -> Json:
    return {"coding": list(codings)} | ({"text": text} if text else {})


def _patient() -> Json:
    return {"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": PATIENT}, "display": "Olga Syntetisk"}


def _operator() -> Json:
    identifier = {"system": "https://trygghetsvakt.example/bruker", "value": "op-12"}
    return {"identifier": identifier, "display": "Operatør Berit Øverås"}


def _alert_code() -> Json:
    return _concept(_coding(f"{_NAMES}/vkp-alert-code-v090", "3", "Trygghetsalarm"))


def _composition(told: list[int]) -> Json:
    events = [
        {
            "code": [_concept(_coding(f"{_NAMES}/vkp-composition-event-v090", code), text="op-12")],
            "period": {"start": f"2026-11-20T21:{9 + number:02}:03+01:00"},
        }
        for number, code in enumerate(_LOG)
    ]
    return {
        "resourceType": "Composition",
        "meta": {"profile": [f"{_PROFILES}/vkp-Composition-v090"]},
        "identifier": {"system": "https://trygghetsvakt.example/journalnotat", "value": "TV-2026-000901-1"},
        "status": "final",
        "type": _alert_code(),
        "category": [_concept(_coding(f"{_NAMES}/vkp-composition-category-v090", "1", "Trygghet og mestring"))],
        "subject": _patient(),
        "date": "2026-11-20T21:52:30+01:00",
        "author": [_operator()],
        "title": "Oppfølging av trygghetsalarm",
        "event": events,
        "section": [
            {
                "title": "Tiltak",
                "text": {
                    "status": "generated",
                    "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Pasienten var trygg.</p></div>',
                },
                "entry": [{"reference": _url(number)} for number in told],
            }
        ],
    }


def _alarm() -> Json:
    return {
        "resourceType": "DetectedIssue",
        "meta": {"profile": [f"{_PROFILES}/vkp-DetectedIssue-v090"]},
        "status": "final",
        "code": _alert_code(),
        "patient": _patient(),
        "identifiedDateTime": "2026-11-20T21:09:03+01:00",
        "author": {"reference": _url(2)},
    }


def _device() -> Json:
    return {
        "resourceType": "Device",
        "identifier": [{"system": "https://trygghetsvakt.example/imei", "value": "352099001761481"}],
        "manufacturer": "Trygghetsvakt",
        "serialNumber": "TV-88-10442",
        "deviceName": [{"name": "Trygghetsalarm med høyttaler", "type": "user-friendly-name"}],
    }


def _visit() -> Json:
    return {
        "resourceType": "Encounter",
        "meta": {"profile": [f"{_PROFILES}/vkp-Encounter-v090"]},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:5d1f7a52-3c0e-4c7b-9a51-00000000ffff"}],
        "status": "finished",
        "class": _coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "VR", "virtual"),
        "subject": _patient(),
        "participant": [
            {"type": [_concept(_coding(f"{_NAMES}/vkp-encounter-mode-v090", "1"))], "individual": _operator()}
        ],
        "period": {"start": "2026-11-20T21:30:00+01:00", "end": "2026-11-20T21:41:00+01:00"},
        "reasonCode": [_concept(_coding(f"{_NAMES}/vkp-encounter-reason-v090", "1"))],
    }


def _reading(number: int) -> Json:
    profile, loinc, snomed, unit, value = _READINGS[number % len(_READINGS)]
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    category = _coding("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs")
    return {
        "resourceType": "Observation",
        "meta": {"profile": [f"http://hl7.no/fhir/vkpobservation/StructureDefinition/vkp-Observation-{profile}"]},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:5d1f7a52-3c0e-4c7b-9a52-{number:012}"}],
        "status": "final",
        "category": [_concept(category)],
        "code": _concept(_coding("http://loinc.org", loinc), _coding("http://snomed.info/sct", snomed)),
        "subject": _patient(),
        "effectiveDateTime": f"2026-11-20T21:{number % 60:02}:00+01:00",
        "performer": [_patient()],
        "valueQuantity": quantity,
    }
