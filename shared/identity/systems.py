"""Identifier systems: which kind of number a system's URI announces, in every spelling senders use for it.

Sources: no-basis R4 2.2.2 (NamingSystems and slices, their preferred and other URIs; before April 2020 it had OIDs of
organisations and RESH units under `…1.2` instead of `…1.4`), and older URIs in Norsk helsenett's and vendors' messages.
"""

import re
from enum import StrEnum
from typing import Final

FNR: Final = "urn:oid:2.16.578.1.12.4.1.4.1"
"""National identity number."""
DNR: Final = "urn:oid:2.16.578.1.12.4.1.4.2"
"""D-number, for those who stay for a time."""
FHN: Final = "urn:oid:2.16.578.1.12.4.1.4.3"
"""Common help number, issued by Norsk helsenett."""
HNR: Final = "HNR"
"""Local help number: unique only together with who issued it."""
HPR: Final = "urn:oid:2.16.578.1.12.4.1.4.4"
DUF: Final = "urn:oid:2.16.578.1.12.4.1.4.5"
ORGNR: Final = "urn:oid:2.16.578.1.12.4.1.4.101"
RESH: Final = "urn:oid:2.16.578.1.12.4.1.4.102"
HER: Final = "urn:oid:2.16.578.1.12.4.1.2"

NATIONAL: Final = frozenset({FNR, DNR, FHN})
"""Systems whose numbers are one person's in the whole country."""


class IdentifierKind(StrEnum):
    """What a system's numbers identify; the value is the system's preferred URI."""

    FNR = FNR
    DNR = DNR
    FHN = FHN
    HNR = HNR
    HPR = HPR
    DUF = DUF
    ORGNR = ORGNR
    RESH = RESH
    HER = HER


_ALIASES: Final = {
    "http://hl7.no/fhir/namingsystem/fnr": FNR,
    "http://ehelse.no/fhir/namingsystem/fnr": FNR,
    "http://ehelse.no/fhir/identifiertypes/fnr": FNR,
    "http://hl7.no/fhir/namingsystem/dnr": DNR,
    "http://hl7.no/fhir/namingsystem/fhnr": FHN,
    "http://hl7.no/fhir/namingsystem/hpr": HPR,
    "http://ehelse.no/fhir/namingsystem/hpr": HPR,
    "http://hl7.no/fhir/namingsystem/dufn": DUF,
    "http://ehelse.no/fhir/identifiertypes/herid": HER,
    "urn:oid:2.16.578.1.12.4.1.2.101": ORGNR,
    "urn:oid:2.16.578.1.12.4.1.2.102": RESH,
}
_OID: Final = re.compile(r"(?:urn:oid:)?([0-2](?:\.(?:0|[1-9][0-9]*))+)", re.IGNORECASE)
_BY_URI: Final = {kind.value: kind for kind in IdentifierKind}


def normal_system(system: str) -> str:
    """`2.16.578…`, `urn:oid:2.16.578…` and older URIs of one system are one; others stay as written, but for blanks."""
    system = system.strip()
    oid = _OID.fullmatch(system)
    if oid:
        system = f"urn:oid:{oid[1]}"
    return _ALIASES.get(system.lower(), system)


def kind_of(system: str) -> IdentifierKind | None:
    """Which kind of number this system announces; None for systems that are not national ones."""
    return _BY_URI.get(system) or _BY_URI.get(normal_system(system))
