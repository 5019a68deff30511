"""The numbers by which Norwegian health care knows persons, judged by their digits alone.

Eleven digits: six for a date (day, month, year), three individual ones, two check digits. What was added to the date
says what kind of number it is and in which series:

| added     | to    | means |
|-----------|-------|-------|
| 40        | day   | D-number (Skatteetaten), for those who stay for a time |
| 80        | month | synthetic person of Skatteetaten's Tenor |
| 65        | month | synthetic person of Norsk helsenett |
| 40        | month | synthetic person of NAV; also a local help number (H-number), the digits do not tell which |

A first digit of 8 or 9 makes it a common help number (FH-number): no date, no series, two check digits.

Check digits: the weighted sums of the digits modulo 11 (Skatteetaten). Until 2032 both are 0. From 2032 national
identity numbers and D-numbers are handed out for which the first sum is 0, 1, 2 or 3 (Skatteetaten's announcement and
validator): a person's number may be any of four for the same nine digits, and neither century nor sex can be read from
it. So this module answers neither, today either. A leap day is taken in any year that ends as a leap year does, 00
included: the century is not known.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

_FIRST_SUMS_FROM_2032: Final = (1, 2, 3)
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DIGITS: Final = frozenset("0123456789")


class PersonKind(StrEnum):
    """What the digits say a number is."""

    FNR = "fødselsnummer"
    """National identity number; with series PLUS_40 perhaps a local help number."""
    DNR = "D-nummer"
    FHN = "felles hjelpenummer"
    """Common help number."""


class Series(StrEnum):
    """Whose numbers these are, by what was added to the month."""

    ORDINARY = "ordinary"
    """Living and dead persons."""
    PLUS_80 = "+80"
    """Skatteetaten's synthetic persons (Tenor)."""
    PLUS_65 = "+65"
    """Norsk helsenett's synthetic persons."""
    PLUS_40 = "+40"
    """NAV's synthetic persons, and local help numbers of real patients."""
    UNKNOWN = "unknown"
    """Common help numbers: real and synthetic ones look alike."""


class CheckRule(StrEnum):
    """Which rule a number's check digits follow."""

    OF_1964 = "1964"
    OF_2032 = "2032"


class Fault(StrEnum):
    """Why a text is no such number."""

    SHAPE = "shape"
    """Not eleven digits."""
    DATE = "date"
    """No such date in any series."""
    CHECK_DIGITS = "check digits"


@dataclass(frozen=True, slots=True)
class PersonNumber:
    """What the digits of a number say. Holds no digit of it."""

    kind: PersonKind | None
    """None when it is not eleven digits."""
    series: Series | None
    """None when it is not eleven digits or has no date."""
    check_rule: CheckRule | None
    """None when it is not valid."""
    reason: Fault | None
    """None when it is valid."""

    @property
    def valid(self) -> bool:
        """Whether it can have been handed out to somebody."""
        return self.reason is None


def person_number(text: str) -> PersonNumber:
    """Judge a text. Only eleven ASCII digits can be a number: no blanks, no hyphen, no digits of other scripts."""
    if len(text) != 11 or not _DIGITS.issuperset(text):
        return _answer(None, None, None, Fault.SHAPE)
    if text[0] in "89":
        return _judged(text, PersonKind.FHN, Series.UNKNOWN)
    day, month = int(text[:2]), int(text[2:4])
    kind = PersonKind.FNR
    if day > 40:
        kind, day = PersonKind.DNR, day - 40
    series = Series.ORDINARY
    # From the greatest down: 81 is the first month of +80, 66 that of +65.
    for added, each in ((80, Series.PLUS_80), (65, Series.PLUS_65), (40, Series.PLUS_40)):
        if month > added:
            series, month = each, month - added
            break
    if not (1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return _answer(kind, None, None, Fault.DATE)
    if month == 2 and day == 29 and int(text[4:6]) % 4:
        return _answer(kind, None, None, Fault.DATE)
    return _judged(text, kind, series)


def _judged(text: str, kind: PersonKind, series: Series) -> PersonNumber:
    a, b, c, d, e, f, g, h, i, j, k = map(int, text)
    first = (3 * a + 7 * b + 6 * c + d + 8 * e + 9 * f + 4 * g + 5 * h + 2 * i + j) % 11
    second = (5 * a + 4 * b + 3 * c + 2 * d + 7 * e + 6 * f + 5 * g + 4 * h + 3 * i + 2 * j + k) % 11
    if second == 0:
        if first == 0:
            return _answer(kind, series, CheckRule.OF_1964, None)
        # Help numbers are not Skatteetaten's: nothing says that they will follow the new rule.
        if first in _FIRST_SUMS_FROM_2032 and kind is not PersonKind.FHN:
            return _answer(kind, series, CheckRule.OF_2032, None)
    return _answer(kind, series, None, Fault.CHECK_DIGITS)


@cache
def _answer(
    kind: PersonKind | None, series: Series | None, check_rule: CheckRule | None, reason: Fault | None
) -> PersonNumber:
    """There are few different answers, and a message asks often."""
    return PersonNumber(kind, series, check_rule, reason)
