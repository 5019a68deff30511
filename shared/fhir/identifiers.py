"""Identifiers as facts to compare: the same person or message under the spellings senders use for it.

Which systems are one: `shared.identity.systems`. Spellings of values seen: domain/leniency.md 1. Whether a number is a
valid one is not asked here but in `shared.fhir.numbers`.
"""

import re
from dataclasses import dataclass, field

from shared.fhir.values import JsonObject, JsonValue
from shared.identity.systems import DNR, FHN, FNR, HNR, NATIONAL, normal_system

__all__ = [
    "DNR",
    "FHN",
    "FNR",
    "NATIONAL",
    "REFERENCE",
    "UUID_SYSTEM",
    "PatientKey",
    "identifier_of",
    "normal_system",
    "patient_key",
]

UUID_SYSTEM = "urn:ietf:rfc:3986"
REFERENCE = "reference"
"""Stands as system for a patient whom the message names by a literal reference only, such as `Patient/17`."""

_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_ELEVEN_DIGITS = re.compile(r"[0-9]{11}")


@dataclass(frozen=True, slots=True, order=True)
class PatientKey:
    """Whom a message is about, equal for the same person in differently spelled messages. Never shown in a repr."""

    system: str = field(repr=False)
    value: str = field(repr=False)


def identifier_of(value: JsonValue) -> tuple[str, str] | None:
    """System and value of an Identifier with the known spellings made one; None when it has no value."""
    if not isinstance(value, dict):
        return None
    written, number = value.get("system"), value.get("value")
    if not isinstance(number, str) or not number.strip():
        return None
    system = normal_system(written) if isinstance(written, str) else ""
    return _assigned(value) if system == HNR else system, _normal_value(system, number)


def patient_key(identifier: tuple[str, str]) -> PatientKey:
    """The key of a patient with this identifier. Which national number it is, its digits say: senders mix them up."""
    system, value = identifier
    if system in NATIONAL and _ELEVEN_DIGITS.fullmatch(value):
        system = FHN if value[0] in "89" else DNR if value[0] in "4567" else FNR
    return PatientKey(system, value)


def _assigned(identifier: JsonObject) -> str:
    """The system of a local help number: two who hand them out may give the same number to two patients."""
    assigner = identifier.get("assigner")
    if not isinstance(assigner, dict):
        return HNR
    known = identifier_of(assigner.get("identifier"))
    named = known or (assigner.get("reference") or assigner.get("display"),)
    return " ".join((HNR, *(each for each in named if isinstance(each, str))))


def _normal_value(system: str, value: str) -> str:
    value = value.strip()
    if system in NATIONAL:
        # People write and read the number in two groups; some systems send it so.
        digits = "".join(value.split())
        return digits if _ELEVEN_DIGITS.fullmatch(digits) else value
    uuid = _UUID.fullmatch(value)
    return f"urn:uuid:{uuid[1].lower()}" if uuid else value
