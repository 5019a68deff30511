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

from shared.errors import EmptyBody, NotJson, TooLarge
from shared.fhir.findings import Findings
from shared.fhir.values import JsonObject, JsonValue, Path

MAX_BYTES = 1_048_576
"""1 MiB, about what JFT takes (domain/vkp-api.md 2.5)."""
MAX_DEPTH = 100
MAX_NUMBER_LENGTH = 64
"""Characters in a number. R4 asks for 18 digits; Python refuses to read integers of more than 4,300."""

_BOM = b"\xef\xbb\xbf"
# Possessive, and the closing quote optional: one pass however the quotes lie, an unclosed string swallows the rest.
_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")


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
    value = _loads(_checked_depth(_decode(body)))
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


def _checked_depth(text: str) -> str:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return text
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > MAX_DEPTH:
            raise _refusal("json-too-deep", limit=str(MAX_DEPTH))
    return text


def _loads(text: str) -> JsonValue:
    faults = 0

    def fault(kind: _Fault) -> _Fault:
        nonlocal faults
        faults += 1
        return kind

    def number(written: str, read: type[int | Decimal]) -> int | Decimal | _Fault:
        if len(written) > MAX_NUMBER_LENGTH:
            return fault(_Fault.NUMBER_RANGE)
        nearest = float(written)
        vanished = nearest == 0 and any(digit in "123456789" for digit in written.lower().partition("e")[0])
        return fault(_Fault.NUMBER_RANGE) if math.isinf(nearest) or vanished else read(written)

    def members(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        nonlocal faults
        read = dict(pairs)
        if len(read) == len(pairs):
            return read
        faults += 1
        doubled = _Doubled(read)
        doubled.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return doubled

    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=members,
            parse_float=lambda written: number(written, Decimal),
            parse_int=lambda written: number(written, int),
            parse_constant=lambda _: fault(_Fault.NOT_A_NUMBER),
        )
    except json.JSONDecodeError as error:
        line, column = error.lineno, error.colno
    else:
        if faults or "\\ud" in text or "\\uD" in text:
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
