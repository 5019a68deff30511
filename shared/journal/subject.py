"""Whose journal a note belongs in: the patient under the very identifier that the sender used.

The receiver finds the journal by it, so it is passed on as sent; the display is not, for it may hold anything.
"""

from collections.abc import Iterator
from typing import Final

from shared.fhir.envelope.patients import mentions, one_patient
from shared.fhir.envelope.references import survey
from shared.fhir.identifiers import REFERENCE, PatientKey, identifier_of, patient_key
from shared.fhir.values import JsonObject, JsonValue

_KEPT: Final = ("use", "type", "system", "value", "assigner")


def subject_of(message: JsonObject) -> JsonObject | None:
    """A Reference to the one patient of a repaired message; None when it names nobody or more than one."""
    key = one_patient(list(mentions(survey(message)))).key
    if key is None:
        return None
    if key.system == REFERENCE:
        return {"reference": key.value, "type": "Patient"}
    sent = next((each for each in _objects(message) if _is(each, key)), None)
    if sent is None:
        return {"type": "Patient", "identifier": {"system": key.system, "value": key.value}}
    return {"type": "Patient", "identifier": {name: _strings(sent[name]) for name in _KEPT if name in sent}}


def _strings(value: JsonValue) -> JsonValue:
    """The value without extensions and numbers: an Identifier has no numbers of its own."""
    if isinstance(value, dict):
        parts = {name: each for name, each in value.items() if name != "extension"}
        return {name: _strings(each) for name, each in parts.items() if isinstance(each, str | dict | list)}
    if isinstance(value, list):
        return [_strings(each) for each in value if isinstance(each, str | dict | list)]
    return value


def _is(value: JsonObject, key: PatientKey) -> bool:
    identifier = identifier_of(value)
    return identifier is not None and patient_key(identifier) == key


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    waiting: list[JsonValue] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += reversed(each.values())
        elif isinstance(each, list):
            waiting += reversed(each)
