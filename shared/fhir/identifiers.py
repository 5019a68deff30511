"""Identifiers as facts to compare: the same person or message under the spellings senders use for it.

Sources: domain/no-basis.md 1 (systems, other URIs seen, which kind a number is by its digits), domain/leniency.md 1.
Whether a number is a valid one is not asked here.
"""

import re
from dataclasses import dataclass, field

from shared.fhir.values import JsonValue

FNR = "urn:oid:2.16.578.1.12.4.1.4.1"
"""National identity number."""
DNR = "urn:oid:2.16.578.1.12.4.1.4.2"
"""D-number, for temporary residents."""
FHN = "urn:oid:2.16.578.1.12.4.1.4.3"
"""Common help number."""
NATIONAL = frozenset({FNR, DNR, FHN})
UUID_SYSTEM = "urn:ietf:rfc:3986"
REFERENCE = "reference"
"""Stands as system for a patient whom the message names by a literal reference only, such as `Patient/17`."""

_ALIASES = {
    "http://hl7.no/fhir/namingsystem/fnr": FNR,
    "http://ehelse.no/fhir/namingsystem/fnr": FNR,
    "http://ehelse.no/fhir/identifiertypes/fnr": FNR,
    "http://hl7.no/fhir/namingsystem/dnr": DNR,
    "http://hl7.no/fhir/namingsystem/fhnr": FHN,
}
_OID = re.compile(r"(?:urn:oid:)?([0-2](?:\.(?:0|[1-9][0-9]*))+)", re.IGNORECASE)
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
    system, number = value.get("system"), value.get("value")
    if not isinstance(number, str) or not number.strip():
        return None
    return normal_system(system if isinstance(system, str) else ""), _normal_value(number)


def patient_key(identifier: tuple[str, str]) -> PatientKey:
    """The key of a patient with this identifier. Which national number it is, its digits say: senders mix them up."""
    system, value = identifier
    if system in NATIONAL and _ELEVEN_DIGITS.fullmatch(value):
        system = FHN if value[0] in "89" else DNR if value[0] in "4567" else FNR
    return PatientKey(system, value)


def normal_system(system: str) -> str:
    """`2.16.578…`, `urn:oid:2.16.578…` and older URIs of the national systems are one; others stay as written."""
    system = system.strip()
    oid = _OID.fullmatch(system)
    return f"urn:oid:{oid[1]}" if oid else _ALIASES.get(system.lower(), system)


def _normal_value(value: str) -> str:
    value = value.strip()
    uuid = _UUID.fullmatch(value)
    return f"urn:uuid:{uuid[1].lower()}" if uuid else value
