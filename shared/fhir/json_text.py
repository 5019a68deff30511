"""Bytes to JSON that can be read in one way only.

Two readers of the same bytes must see the same message, or what was checked is not what is delivered. So all that JSON
leaves open is refused: member names used twice, NaN and infinities, numbers beyond what readers agree on, text that is
not UTF-8, half surrogate pairs. Limits on size and depth are checked before the parser sees the text.
"""

import json
import math
import re
from collections import Counter
from decimal import Decimal
from enum import Enum
from itertools import accumulate

from shared.errors import EmptyBody, NotJson, TooLarge
from shared.fhir.findings import Findings
from shared.fhir.values import JsonObject, JsonValue, Path

MAX_BYTES = 1_048_576
"""1 MiB, about what JFT takes (domain/vkp-api.md 2.5)."""
MAX_DEPTH = 100
MAX_NUMBER_LENGTH = 64
"""Characters in a number. R4 asks for 18 digits; Python refuses to read integers of more than 4,300."""

_BOM = b"\xef\xbb\xbf"
_ESCAPES = re.compile(rb"\\.", re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD]")
_NOT_MARKS = bytes(set(range(256)) - set(b'[]{}:"'))
_NESTING = bytes.maketrans(b"[]{}", b"()()")
_OPENING = ord("(")


class _Doubt(Exception):
    """Raised by the quick reading: the careful one must look."""


class _Fault(Enum):
    """What the parser's hooks leave in the place of a value that cannot be taken."""

    NOT_A_NUMBER = "json-not-a-number"
    NUMBER_RANGE = "json-number-range"


class _Doubled(dict[str, JsonValue]):
    """An object that had a member name more than once; `names` are those names."""

    names: tuple[str, ...]


def check_size(body: bytes) -> None:
    """Raises EmptyBody for nothing and TooLarge for more than MAX_BYTES."""
    if not body:
        raise EmptyBody
    if len(body) > MAX_BYTES:
        raise TooLarge


def parse(body: bytes, findings: Findings) -> JsonObject:
    """Read the bytes of one message. Decimals come out as Decimal, exactly as written.

    Raises NotJson, with a finding for each fault where the text as such can be read.
    """
    if body.startswith(_BOM):
        body = body.removeprefix(_BOM)
        findings.add("json-byte-order-mark", ())
    text = _decode(body)
    marks = _marks_outside_strings(body)
    _check_depth(marks)
    value = _quickly(text, marks.count(b":"))
    if value is None:
        value = _carefully(text)
    if not isinstance(value, dict):
        raise _refusal("json-not-object")
    return value


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
    # Raised here, outside the handler: the decoder's error holds the whole message and must not travel along.
    raise _refusal("json-not-utf-8", byte=str(at))


def _marks_outside_strings(body: bytes) -> bytes:
    """The brackets and colons that are not within strings, in their order.

    Right for JSON, and for what is not JSON up to its first fault. Taking away two quotes that stand side by side
    changes for no other mark whether it is within a string, so most strings are gone before the split.
    """
    if b"\\" in body:
        body = _ESCAPES.sub(b"", body)
    marks = body.translate(None, _NOT_MARKS).replace(b'""', b"")
    return b"".join(marks.split(b'"')[::2]) if b'"' in marks else marks


def _check_depth(marks: bytes) -> None:
    """Raises NotJson when the text nests deeper than MAX_DEPTH anywhere before its first fault."""
    nested = brackets = marks.translate(_NESTING, b":")
    # Each round takes away the innermost level of every branch: a sound text is gone after as many rounds as it is
    # deep. Where something is left the text is too deep or not sound, and is counted.
    for _ in range(MAX_DEPTH):
        nested = nested.replace(b"()", b"")
        if not nested:
            return
    steps = (1 if each == _OPENING else -1 for each in brackets)
    if any(depth > MAX_DEPTH for depth in accumulate(steps)):
        raise _refusal("json-too-deep", limit=str(MAX_DEPTH))


def _quickly(text: str, colons: int) -> JsonValue:
    """The value of a text that has nothing doubtful in it; None when it may have.

    A member of an object is written with one colon, so names are unique when there are as many colons as members.
    """
    members = 0

    def count(read: JsonObject) -> JsonObject:
        nonlocal members
        members += len(read)
        return read

    decoder = json.JSONDecoder(
        object_hook=count, parse_float=_plain_decimal, parse_int=_plain_integer, parse_constant=_no_constant
    )
    if "\\" in text and _SURROGATE.search(text):
        return None
    try:
        value: JsonValue = decoder.decode(text)
    except (_Doubt, json.JSONDecodeError):
        return None
    return value if members == colons else None


def _plain_decimal(written: str) -> Decimal:
    if len(written) > MAX_NUMBER_LENGTH or "e" in written or "E" in written:
        raise _Doubt
    return Decimal(written)


def _plain_integer(written: str) -> int:
    if len(written) > MAX_NUMBER_LENGTH:
        raise _Doubt
    return int(written)


def _no_constant(_: str) -> JsonValue:
    raise _Doubt


def _carefully(text: str) -> JsonValue:
    """The value of a text, or NotJson with every fault in its place."""

    def number(written: str, read: type[int | Decimal]) -> int | Decimal | _Fault:
        if len(written) > MAX_NUMBER_LENGTH:
            return _Fault.NUMBER_RANGE
        nearest = float(written)
        vanished = nearest == 0 and any(digit in "123456789" for digit in written.lower().partition("e")[0])
        return _Fault.NUMBER_RANGE if math.isinf(nearest) or vanished else read(written)

    def members(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        read = dict(pairs)
        if len(read) == len(pairs):
            return read
        doubled = _Doubled(read)
        doubled.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return doubled

    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=members,
            parse_float=lambda written: number(written, Decimal),
            parse_int=lambda written: number(written, int),
            parse_constant=lambda _: _Fault.NOT_A_NUMBER,
        )
    except json.JSONDecodeError as error:
        line, column = error.lineno, error.colno
    else:
        _refuse_faults(value)
        return value
    raise _refusal("json-syntax", line=str(line), column=str(column))


def _refuse_faults(value: JsonValue) -> None:
    """Raises NotJson if hooks left faults in the value, or a string in it is half of a surrogate pair."""
    findings = Findings()
    _find_faults(value, (), findings)
    if findings.any_error:
        raise NotJson(findings.rendered(value))


def _find_faults(value: JsonValue | _Fault, path: Path, findings: Findings) -> None:
    if isinstance(value, _Fault):
        findings.add(value.value, path)
    elif isinstance(value, str):
        if not _encodable(value):
            findings.add("json-lone-surrogate", path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _find_faults(item, (*path, index), findings)
    elif isinstance(value, dict):
        if isinstance(value, _Doubled):
            for name in value.names:
                findings.add("json-duplicate-key", (*path, name))
        for name, member in value.items():
            if not _encodable(name):
                findings.add("json-lone-surrogate", (*path, name))
            _find_faults(member, (*path, name), findings)


def _encodable(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)


def _refusal(rule: str, **words: str) -> NotJson:
    findings = Findings()
    findings.add(rule, (), **words)
    return NotJson(findings.rendered(None))
