"""The event a message tells of, typed: what the hub routes by.

Everything here is as the sender said it. What a message does not say is None: nothing is guessed from a text, and no
severity is made up. Copes with messages of any shape, so that a refused one can be shown too.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.fhir.codes import Code, Spelling, code_list, fold, lookup, said_otherwise, spelling
from shared.fhir.envelope.check import Envelope
from shared.fhir.envelope.references import Survey, objects
from shared.fhir.identifiers import UUID_SYSTEM, PatientKey, identifier_of
from shared.fhir.kinds import CODES, SERVICES, Kind
from shared.fhir.times import occurred_at
from shared.fhir.values import JsonObject, JsonValue

_SEVERITY_EXTENSION: Final = "vkp-severity-level-"
_DEVICE_EXTENSIONS: Final = ("vkp-encounterDevice-", "VkpMedicationDispenseDevice-")
_NOT_REPORTED: Final = "0"
_R4_SEVERITIES: Final = ("low", "moderate", "high")


class Scale(StrEnum):
    """Whose words a severity is in: the two are not the same and are never made into one another."""

    VKP = "vkp"
    """vkp-severity-level-v090: 10, 20, 30, 40."""
    R4 = "r4"
    """DetectedIssue.severity: low, moderate, high."""


class Standing(StrEnum):
    """Whether the message is the first word on the event."""

    NEW = "new"
    PRELIMINARY = "preliminary"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Severity:
    """How grave the sender says it is."""

    scale: Scale
    code: str


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """What happened, to whom, when, how grave, told by what device: as far as the message says."""

    kind: Kind
    said: Kind | None
    """What the sender's words say when they contradict the code, as in NHN's sample (code 7, "Trygghetsalarm")."""
    standing: Standing
    services: tuple[str, ...]
    """VKP's service codes for the kind, and for what was said: TA, GPS, MD, DT, DHO."""
    patient: PatientKey | None = field(repr=False)
    occurred_at: datetime | None
    """UTC."""
    severity: Severity | None
    device: str | None = field(repr=False)
    """What sort of device it was, else its model, in the sender's words; never a number of it."""
    business_identifier: tuple[str, str] | None = field(repr=False)
    """System and value the sender knows the event by; for recognising a repetition."""


def event_of(message: JsonObject, envelope: Envelope) -> MessageEvent:
    """The event in a repaired message whose envelope has been looked at."""
    surveyed = envelope.survey
    kind, said = _kind(surveyed)
    services = tuple(dict.fromkeys((*SERVICES.get(kind, ()), *(SERVICES.get(said, ()) if said is not None else ()))))
    return MessageEvent(
        kind=kind,
        said=said,
        standing=_standing(surveyed),
        services=services,
        patient=envelope.patient,
        occurred_at=occurred_at(surveyed),
        severity=_severity(surveyed),
        device=_device(surveyed),
        business_identifier=business_identifier(message),
    )


def business_identifier(message: JsonObject) -> tuple[str, str] | None:
    """The Bundle's own identifier, or the first of a single resource; for a message else its MessageHeader's id."""
    identifier = message.get("identifier")
    for each in identifier if isinstance(identifier, list) else (identifier,):
        if (found := identifier_of(each)) is not None:
            return found
    header = _first_resource(message)
    number = header.get("id") if header.get("resourceType") == "MessageHeader" else None
    return identifier_of({"system": UUID_SYSTEM, "value": number})


def names_of(message: JsonObject, surveyed: Survey) -> tuple[tuple[str, str], ...]:
    """System and value of all that a later message may call this one by: its own identifier, and those of its notes."""
    notes = (identifier_of(note.get("identifier")) for note in surveyed.of("Composition"))
    return tuple(dict.fromkeys(each for each in (business_identifier(message), *notes) if each is not None))


def _first_resource(message: JsonObject) -> JsonObject:
    entries = message.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else None
    resource = first.get("resource") if isinstance(first, dict) else None
    return resource if isinstance(resource, dict) else {}


# Where the kind is told, the most telling resource first: an alert before the supervision or the note that followed it.
_TOLD_BY: Final = (
    ("DetectedIssue", "code"),
    ("Flag", "code"),
    ("MedicationDispense", "category"),
    ("Encounter", "reasonCode"),
)
_WITHOUT_CODE: Final = {
    "DetectedIssue": Kind.UKJENT,
    "Flag": Kind.UKJENT,
    "MedicationDispense": Kind.MEDISIN_UKJENT,
    "Encounter": Kind.TILSYN,
    "QuestionnaireResponse": Kind.SKJEMA,
    "Observation": Kind.MALING,
    "Communication": Kind.MELDING,
    "Composition": Kind.NOTAT,
}


def _kind(surveyed: Survey) -> tuple[Kind, Kind | None]:
    for type_name, member in _TOLD_BY:
        if resources := surveyed.of(type_name):
            told = [_told(resource.get(member), _WITHOUT_CODE[type_name]) for resource in resources]
            noted = _noted_code(surveyed) if len(told) > 1 else None
            # Of several alerts the note says which it is about, as a summary does.
            return next((kinds for code, kinds in told if code is not None and code == noted), told[0][1])
    fallback = next((kind for type_name, kind in _WITHOUT_CODE.items() if surveyed.of(type_name)), Kind.UKJENT)
    if fallback is Kind.NOTAT:
        return _told(surveyed.of("Composition")[0].get("type"), Kind.NOTAT)[1]
    return fallback, None


def _told(concept: JsonValue, unknown: Kind) -> tuple[tuple[str, str] | None, tuple[Kind, Kind | None]]:
    """The first code of a concept that has a kind, and the kinds it and the words beside it stand for."""
    for each in objects(concept):
        text = each.get("text")
        for coding in objects(each.get("coding")):
            code = _code(coding)
            kind = CODES.get(code.list_name, {}).get(code.code) if code is not None else None
            if code is None or kind is None:
                continue
            said = _said(coding, text, code)
            if kind.startswith("medisin-") and (said is not None or _of_another_edition(coding, text, code)):
                kind, said = Kind.MEDISIN_UKJENT, None
            return (code.list_name, code.code), (kind, said if said is not kind else None)
    return None, (unknown, None)


def _code(coding: JsonObject) -> Code | None:
    system, code = coding.get("system"), coding.get("code")
    return lookup(system, code) if isinstance(system, str) and isinstance(code, str) else None


def _said(coding: JsonObject, text: JsonValue, code: Code) -> Kind | None:
    """The kind that the words stand for when they are those of another code of the list."""
    contradiction = said_otherwise(coding, text)
    if contradiction is None or contradiction.meant is None:
        return None
    says = code_list(code.list_name).says
    for words in (coding.get("display"), text):
        for other in sorted(says.get(fold(words), ())) if isinstance(words, str) else ():
            if other != code.code and other in CODES[code.list_name]:
                return CODES[code.list_name][other]
    return None


def _of_another_edition(coding: JsonObject, text: JsonValue, code: Code) -> bool:
    """Whether a medicine code may be meant as it was before VKP gave it another meaning."""
    older = spelling(str(coding.get("system"))) is Spelling.OLDER and code.ambiguous
    return older or said_otherwise(coding, text) is not None


def _noted_code(surveyed: Survey) -> tuple[str, str] | None:
    notes = surveyed.of("Composition")
    return _told(notes[0].get("type"), Kind.NOTAT)[0] if notes else None


def _standing(surveyed: Survey) -> Standing:
    for note in surveyed.of("Composition"):
        status = note.get("status")
        if status == "entered-in-error":
            return Standing.WITHDRAWN
        if status == "amended" or _replaces(note):
            return Standing.CORRECTED
        return Standing.PRELIMINARY if status == "preliminary" else Standing.NEW
    statuses = {status for found in surveyed.resources if (status := _text(found.resource, "status")) is not None}
    if statuses == {"entered-in-error"}:
        return Standing.WITHDRAWN
    if not statuses.isdisjoint({"amended", "corrected"}):
        return Standing.CORRECTED
    return Standing.PRELIMINARY if "preliminary" in statuses else Standing.NEW


def _replaces(note: JsonObject) -> bool:
    return any(each.get("code") == "replaces" for each in objects(note.get("relatesTo")))


def _severity(surveyed: Survey) -> Severity | None:
    """The gravest that is said, VKP's own scale first; None also for VKP's "not reported"."""
    vkp: set[str] = set()
    r4: set[str] = set()
    for found in surveyed.resources:
        for extension in objects(found.resource.get("extension")) if "extension" in found.resource else ():
            if _SEVERITY_EXTENSION in str(extension.get("url")):
                vkp |= _severity_codes(extension)
    for issue in surveyed.of("DetectedIssue"):
        r4 |= {each for each in _R4_SEVERITIES if issue.get("severity") == each}
    if vkp:
        return Severity(Scale.VKP, max(vkp))
    return Severity(Scale.R4, max(r4, key=_R4_SEVERITIES.index)) if r4 else None


def _severity_codes(extension: JsonObject) -> set[str]:
    """Codes of the current scale: what an earlier one meant by 1, 2 and 3 is not known."""
    found: set[str] = set()
    for concept in objects(extension.get("valueCodeableConcept")):
        for coding in objects(concept.get("coding")):
            code = _code(coding)
            known = code is not None and code.list_name == "severity-level" and code.current is not None
            if code is not None and known and code.code != _NOT_REPORTED:
                found.add(code.code)
    return found


def _device(surveyed: Survey) -> str | None:
    for found in surveyed.resources:
        words = _device_words(found.resource)
        if words is not None:
            return words
    return None


def _device_words(resource: JsonObject) -> str | None:
    if resource.get("resourceType") == "Device":
        for concept in objects(resource.get("type")):
            displays = [coding.get("display") for coding in objects(concept.get("coding"))]
            for words in (concept.get("text"), *displays):
                if isinstance(words, str):
                    return words
        return next((name for each in objects(resource.get("deviceName")) if (name := _text(each, "name"))), None)
    for extension in objects(resource.get("extension")):
        if any(name in str(extension.get("url")) for name in _DEVICE_EXTENSIONS):
            told = {_text(part, "url"): _text(part, "valueString") for part in objects(extension.get("extension"))}
            return told.get("typeName") or told.get("type") or told.get("displayName")
    for performer in objects(resource.get("performer")):
        actor = performer.get("actor")
        if isinstance(actor, dict) and actor.get("type") == "Device":
            return _text(actor, "display")
    return None


def _text(value: JsonObject, name: str) -> str | None:
    words = value.get(name)
    return words if isinstance(words, str) else None
