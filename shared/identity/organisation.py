"""Organisation numbers (Enhetsregisteret): nine digits, the last a check digit.

The weighted sum of the digits modulo 11 is 0 (Brønnøysundregistrene). Real numbers begin with 8 or 9, those of the
synthetic organisations in Skatteetaten's Tenor with 2 or 3.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_WEIGHTS: Final = (3, 2, 7, 6, 5, 4, 3, 2, 1)
_DIGITS: Final = frozenset("0123456789")


class OrganisationSeries(StrEnum):
    """Whose numbers these are, by the first digit."""

    REAL = "real"
    SYNTHETIC = "synthetic"
    NOT_ISSUED = "not issued"


class OrganisationFault(StrEnum):
    """Why a text is no organisation number."""

    SHAPE = "shape"
    """Not nine digits."""
    CHECK_DIGIT = "check digit"


@dataclass(frozen=True, slots=True)
class OrganisationNumber:
    """What the digits of a number say."""

    series: OrganisationSeries | None
    """None when it is not nine digits."""
    reason: OrganisationFault | None
    """None when it is valid."""

    @property
    def valid(self) -> bool:
        """Whether it can have been handed out."""
        return self.reason is None


def organisation_number(text: str) -> OrganisationNumber:
    """Judge a text. Only nine ASCII digits can be a number."""
    if len(text) != 9 or not _DIGITS.issuperset(text):
        return OrganisationNumber(None, OrganisationFault.SHAPE)
    if text[0] in "89":
        series = OrganisationSeries.REAL
    elif text[0] in "23":
        series = OrganisationSeries.SYNTHETIC
    else:
        series = OrganisationSeries.NOT_ISSUED
    rest = sum((ord(each) - 48) * weight for each, weight in zip(text, _WEIGHTS, strict=True)) % 11
    return OrganisationNumber(series, OrganisationFault.CHECK_DIGIT if rest else None)
