"""Small messages for single rules. Everybody in them is made up; the national number has 80 on its month."""

from typing import Any, Final

from shared.journal.model import Layout, Note, NoteChoices, NoteContext
from shared.journal.render import render
from shared.journal.text import as_text
from tests.unit.journal.examples import context_of, note_of

VKP: Final = "http://ehelse.no/fhir/CodeSystem/vkp-"
PATIENT: Final[dict[str, Any]] = {
    "identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "05834410070"},
    "display": "Kari Syntetisk",
}
OTHER_PATIENT: Final[dict[str, Any]] = {
    "identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "14833831039"},
}
SENT: Final = "2026-01-15T08:30:00+01:00"


def concept(name: str, code: str, display: str | None = None, text: str | None = None) -> dict[str, Any]:
    """A CodeableConcept of one of VKP's lists."""
    coding = {"system": f"{VKP}{name}-v090", "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]} | ({"text": text} if text else {})


def issue(
    code: str, text: str | None = None, at: str | None = "2026-01-15T08:12:03+01:00", **more: Any
) -> dict[str, Any]:
    """A DetectedIssue."""
    time = {"identifiedDateTime": at} if at else {}
    alert = {"resourceType": "DetectedIssue", "status": "final", "code": concept("alert-code", code, text=text)}
    return alert | {"patient": PATIENT} | time | more


def event(code: str, at: str | None = None, text: str | None = None, end: str | None = None) -> dict[str, Any]:
    """A Composition.event."""
    period = {key: value for key, value in (("start", at), ("end", end)) if value}
    return {"code": [concept("composition-event", code, text=text)]} | ({"period": period} if period else {})


def section(code: str, div: str, title: str | None = None) -> dict[str, Any]:
    """A Composition.section."""
    text = {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'}
    found: dict[str, Any] = {"code": concept("composition-section", code), "text": text}
    return found | ({"title": title} if title else {})


def composition(**more: Any) -> dict[str, Any]:
    """A Composition."""
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "Notat"},
        "category": [concept("composition-category", "1")],
        "subject": PATIENT,
        "date": SENT,
        "author": [{"display": "Ola Syntetisk", "identifier": {"system": "https://a.example/bruker", "value": "op-1"}}],
        "title": "Notat",
    } | more


def bundle(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A document of these resources."""
    entries = [{"fullUrl": f"urn:uuid:{number}", "resource": each} for number, each in enumerate(resources)]
    identifier = {"system": "https://a.example/hendelse", "value": "HENDELSE-0001"}
    return {"resourceType": "Bundle", "type": "document", "timestamp": SENT, "identifier": identifier} | {
        "entry": entries,
        **more,
    }


def observation(code: str, system: str = "http://loinc.org", **more: Any) -> dict[str, Any]:
    """An Observation."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": PATIENT,
        "effectiveDateTime": "2026-01-15T07:45:00+01:00",
    } | more


def quantity(value: Any, unit: str | None = None, code: str | None = None, **more: Any) -> dict[str, Any]:
    """A Quantity."""
    found = {"value": value} | ({"unit": unit} if unit else {}) | ({"code": code} if code else {})
    return found | ({"system": "http://unitsofmeasure.org"} if code else {}) | more


def dispense(code: str, display: str | None = None, **more: Any) -> dict[str, Any]:
    """A MedicationDispense."""
    return {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "category": concept("medicationdispense-events", code, display),
        "medicationCodeableConcept": {"text": "Multidose"},
        "subject": PATIENT,
        "performer": [
            {"actor": {"identifier": {"system": "https://a.example", "value": "1"}, "display": "Dispenser A"}}
        ],
        "whenHandedOver": "2026-01-15T08:00:00+01:00",
    } | more


def text_of(message: Any, choices: NoteChoices | None = None, context: NoteContext | None = None) -> str:
    """A message's note as prose, with plain spaces."""
    return as_text(note_of(message, choices, context), Layout.PROSE).replace("\u00a0", " ")


def held(message: Any, context: NoteContext | None = None) -> str:
    """Why a message is held; nothing when it is not."""
    found = render(message, context or context_of(message))
    return "" if isinstance(found, Note) else found.reason.value


def checks(message: Any, context: NoteContext | None = None) -> list[str]:
    """The doubts about a message."""
    return [line for line in text_of(message, None, context).splitlines() if line.startswith("Kontroller:")]
