"""DUF numbers, by which UDI knows foreigners' cases: the year in four digits, six more, two check digits.

UDI has not published how the check digits are made. The rule here is the one in Statistics Norway's open controls of
the KOSTRA and child welfare reports: the weighted sum of the first ten digits modulo 11, written with two digits. So a
number that fails it is doubtful, not proven wrong.
"""

from enum import StrEnum
from typing import Final

_WEIGHTS: Final = (4, 6, 3, 2, 4, 6, 3, 2, 7, 5)
_DIGITS: Final = frozenset("0123456789")


class DufFault(StrEnum):
    """Why a text is no DUF number, or a doubtful one."""

    SHAPE = "shape"
    """Not twelve digits."""
    CHECK_DIGITS = "check digits"


def duf_fault(text: str) -> DufFault | None:
    """Judge a text; None when there is nothing to say against it. Only twelve ASCII digits can be a number."""
    if len(text) != 12 or not _DIGITS.issuperset(text):
        return DufFault.SHAPE
    rest = sum((ord(each) - 48) * weight for each, weight in zip(text, _WEIGHTS, strict=False)) % 11
    return None if int(text[10:]) == rest else DufFault.CHECK_DIGITS
