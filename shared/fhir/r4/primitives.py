"""The primitive types of R4: how each is written in JSON, and whether a value is one.

Source: http://hl7.org/fhir/R4/datatypes.html#primitive, regular expressions and prose. R4's `\\s` and `\\S` know only
the ASCII blanks, so a no-break space is a character like any other. Decimals arrive as Decimal or int, never as float.
No string is longer than R4's 1 MiB, since no message is (`json_text.MAX_BYTES`).
"""

import binascii
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from shared.fhir.values import JsonValue

_LARGEST = 2_147_483_647

_YEAR = r"(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"


def _matcher(expression: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(expression, re.ASCII).fullmatch


_DATE = _matcher(f"{_YEAR}(?:-{_MONTH}(?:-{_DAY})?)?")
_DATE_TIME = _matcher(f"{_YEAR}(?:-{_MONTH}(?:-{_DAY}(?:T{_TIME}{_ZONE})?)?)?")
_INSTANT = _matcher(f"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}")
_TIME_OF_DAY = _matcher(_TIME)
_CODE = _matcher(r"\S+(?:\s\S+)*+")
_ID = _matcher(r"[A-Za-z0-9\-.]{1,64}")
_URI = _matcher(r"\S+")
_OID = _matcher(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+")
_UUID = _matcher(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BASE64 = _matcher(r"\s*+(?:[0-9a-zA-Z+/=]{4}\s*+)++")
_TEXT = _matcher(r"[^\x00-\x08\x0b\x0c\x0e-\x1f]+")


@dataclass(frozen=True, slots=True)
class Primitive:
    """One primitive type."""

    valid: Callable[[JsonValue], bool]
    """Whether a JSON value is one; never raises."""
    json: str
    """How it is written in JSON: `a string`."""
    form: str
    """The form it must have, in our words."""
    of_json_type: Callable[[JsonValue], bool]
    """Whether a JSON value is of the JSON type at least."""


def _is_text(value: JsonValue) -> bool:
    return type(value) is str


def _is_whole(value: JsonValue) -> bool:
    return type(value) is int


def _is_number(value: JsonValue) -> bool:
    return type(value) is int or type(value) is Decimal


def _is_truth(value: JsonValue) -> bool:
    return value is True or value is False


def _matching(match: Callable[[str], re.Match[str] | None]) -> Callable[[JsonValue], bool]:
    def valid(value: JsonValue) -> bool:
        return type(value) is str and match(value) is not None

    return valid


def _dated(match: Callable[[str], re.Match[str] | None]) -> Callable[[JsonValue], bool]:
    def valid(value: JsonValue) -> bool:
        return type(value) is str and match(value) is not None and _on_calendar(value)

    return valid


def _on_calendar(written: str) -> bool:
    """Whether a date in R4's form is a day that there is; years and months alone always are."""
    day = written[8:10]
    return day <= "28" or int(day) <= monthrange(int(written[:4]), int(written[5:7]))[1]


def _is_string(value: JsonValue) -> bool:
    if type(value) is not str or not value:
        return False
    return (value.isprintable() or _TEXT(value) is not None) and bool(value.strip(" \t\r\n"))


def _is_uri(value: JsonValue) -> bool:
    # Printable and without a space is the usual case, and told faster than by the expression.
    if type(value) is not str:
        return False
    return (value.isprintable() and " " not in value and value != "") or _URI(value) is not None


def _is_base64(value: JsonValue) -> bool:
    return type(value) is str and base64_length(value) is not None


def base64_length(value: str) -> int | None:
    """How many bytes base64 text stands for; None when it is not base64. R4 allows blanks between groups of four."""
    groups = value.split()
    if len(groups) != 1 and _BASE64(value) is None:
        return None
    try:
        return len(binascii.a2b_base64("".join(groups), strict_mode=True)) or None
    except ValueError:
        return None


def _whole(lowest: int) -> Callable[[JsonValue], bool]:
    def valid(value: JsonValue) -> bool:
        return type(value) is int and lowest <= value <= _LARGEST

    return valid


def _text(valid: Callable[[JsonValue], bool], form: str) -> Primitive:
    return Primitive(valid, "a string", form, _is_text)


def _number(lowest: int, form: str) -> Primitive:
    return Primitive(_whole(lowest), "a whole number", form, _is_whole)


_STRING = _text(_is_string, "text that is not blank, without control characters")
_ADDRESS = _text(_is_uri, "a URI, without blanks")

PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(
    {
        "string": _STRING,
        "markdown": _STRING,
        "xhtml": _STRING,
        "code": _text(_matching(_CODE), "words with single blanks between and none around"),
        "id": _text(_matching(_ID), "1 to 64 letters A-Z, digits, hyphens and full stops"),
        "uri": _ADDRESS,
        "url": _ADDRESS,
        "canonical": _ADDRESS,
        "oid": _text(_matching(_OID), "urn:oid: and numbers with full stops between"),
        "uuid": _text(_matching(_UUID), "urn:uuid: and a UUID in lower case"),
        "base64Binary": _text(_is_base64, "base64 (RFC 4648) that is not empty"),
        "date": _text(_dated(_DATE), "YYYY, YYYY-MM or YYYY-MM-DD"),
        "dateTime": _text(_dated(_DATE_TIME), "a date, or a date and time with seconds and zone"),
        "instant": _text(_dated(_INSTANT), "a date and time with seconds and zone"),
        "time": _text(_matching(_TIME_OF_DAY), "hh:mm:ss, without zone"),
        "boolean": Primitive(_is_truth, "true or false", "true or false", _is_truth),
        "integer": _number(-_LARGEST - 1, "a whole number of 32 bits"),
        "unsignedInt": _number(0, "a whole number from 0 to 2147483647"),
        "positiveInt": _number(1, "a whole number from 1 to 2147483647"),
        "decimal": Primitive(_is_number, "a number", "a number", _is_number),
    }
)


def is_no_such_date(type_name: str, value: JsonValue) -> bool:
    """Whether a value has the form of a date, but of a day that no calendar has, such as 31 February."""
    forms = {"date": _DATE, "dateTime": _DATE_TIME, "instant": _INSTANT}
    match = forms.get(type_name)
    return match is not None and isinstance(value, str) and match(value) is not None
