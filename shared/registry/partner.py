"""Tjenstlig behov: which of the EPJ's services let a vendor look a patient up (VKP's partner profile, vkp-api.md 3.3).

A vendor's call names ServiceCodes; the municipality has decided which of its EPJ's own service codes each of them
stands for. In those `%` is any text, also none: `%.2.3` fits `1.2.3`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field, PlainSerializer, StringConstraints

from shared.messages.documents import Document
from shared.registry.shapes import Orgnr, as_json, closed, kept

PARTNER_DOCUMENT: Final = "partner-profile"
WILDCARD: Final = "%"

SERVICE_CODES: Final[Mapping[str, str]] = MappingProxyType({
    "RT": "response service",
    "TA": "safety alarm",
    "GPS": "localisation",
    "MD": "medicine dispenser",
    "DT": "digital supervision",
    "DHO": "digital home follow-up",
})  # fmt: skip
"""VKP's published ServiceCodes."""

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Codes = Annotated[
    Mapping[str, tuple[Pattern, ...]],
    Field(max_length=100),
    PlainSerializer(lambda codes: {code: list(codes[code]) for code in sorted(codes)}),
]


@closed
@dataclass(frozen=True, slots=True)
class PartnerProfile:
    """A municipality's translation of ServiceCodes to its EPJ's service codes."""

    orgnr: Orgnr
    codes: Codes
    """The EPJ's service codes by ServiceCode, `%` for any text."""

    def patterns(self, service_code: str) -> tuple[str, ...]:
        """What this ServiceCode stands for in the EPJ; nothing when the municipality has not decided it."""
        return self.codes.get(service_code, ())

    def met(self, service_codes: Iterable[str], active: Iterable[str]) -> bool:
        """Whether a patient with these active services in the EPJ may be looked up for these ServiceCodes."""
        wanted = [pattern for code in service_codes for pattern in self.patterns(code)]
        return any(fits(pattern, service) for service in active for pattern in wanted)

    def document(self) -> Document:
        """As kept in the register."""
        return {"id": PARTNER_DOCUMENT, "type": "partnerProfile", **as_json(PartnerProfile, self)}


def fits(pattern: str, code: str) -> bool:
    """Whether an EPJ's service code is as the pattern says. Compared letter by letter; works in time of their lengths'
    product at most, whatever the pattern."""
    parts = pattern.split(WILDCARD)
    if len(parts) == 1:
        return pattern == code
    first, *middle, last = parts
    if len(code) < len(first) + len(last) or not code.startswith(first) or not code.endswith(last):
        return False
    at, end = len(first), len(code) - len(last)
    for part in middle:
        # The first place is always good enough: what follows can only want what is after it.
        found = code.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def partner_from(document: Document) -> PartnerProfile:
    """The profile behind its document. Raises ValueError for a document that is none."""
    return kept(PartnerProfile, document)
