"""The built-in functions of the query language: name → function and how many arguments it takes.

Every function is total: what does not fit its arguments gives undefined, never an exception.
Reference: https://learn.microsoft.com/azure/cosmos-db/nosql/query/ (one page for each).
"""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from sandbox.cosmos.values import UNDEFINED, Json, NotJson, Undefined, Value, dump, equal, is_number, number, parse


@dataclass(frozen=True, slots=True)
class Function:
    """A function of `least` to `most` arguments."""

    call: Callable[..., Value]
    least: int
    most: int


def _strings(call: Callable[..., Value], count: int, most: int | None = None) -> Function:
    def guarded(*args: Value) -> Value:
        return call(*args) if all(isinstance(arg, str) for arg in args[:count]) else UNDEFINED

    return Function(guarded, count, most or count)


def _matching(call: Callable[[str, str], bool]) -> Function:
    """Two strings and an optional "ignore case"."""

    def matched(text: str, part: str, ignore_case: Value = False) -> Value:
        if not isinstance(ignore_case, bool):
            return UNDEFINED
        return call(text.casefold(), part.casefold()) if ignore_case else call(text, part)

    return _strings(matched, 2, 3)


def _numeric(call: Callable[..., int | float], count: int = 1) -> Function:
    def guarded(*args: Value) -> Value:
        if not all(map(is_number, args)):
            return UNDEFINED
        try:
            return number(call(*args))
        except (ValueError, OverflowError, ZeroDivisionError):
            return UNDEFINED

    return Function(guarded, count, count)


def _is(*types: type) -> Function:
    return Function(lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool)), 1, 1)


def whole(value: Value) -> int | None:
    """The whole number that a value is, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def like(text: str, pattern: str, escape: str | None) -> bool:
    """LIKE: `%` any run, `_` any character, `[a-d]` and `[^a-d]` sets, `escape` before a plain character."""
    return _like(pattern, escape).fullmatch(text) is not None


@lru_cache(maxsize=512)
def _like(pattern: str, escape: str | None) -> re.Pattern[str]:
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        close = pattern.find("]", at + 2) if char == "[" else -1
        if char == escape and at + 1 < len(pattern):
            at += 1
            out.append(re.escape(pattern[at]))
        elif char == "%":
            # A possessive-free lazy run: repeated % are one, so that matching stays linear in practice.
            out.append("" if out and out[-1] == ".*" else ".*")
        elif char == "_":
            out.append(".")
        elif close > 0:
            out.append(_set(pattern[at + 1 : close]))
            at = close
        else:
            out.append(re.escape(char))
        at += 1
    return re.compile("".join(out), re.DOTALL)


def _set(inner: str) -> str:
    negated = inner.startswith("^")
    body = re.sub(r"([\\\[\]^&~|])", r"\\\1", inner[1:] if negated else inner)
    try:
        re.compile(f"[{body}]")
    except re.error:
        body = body.replace("-", r"\-")
    return f"[{'^' if negated else ''}{body}]" if body else "(?!)"


def _regex(text: str, pattern: str, flags: Value = "") -> Value:
    if not isinstance(flags, str) or set(flags) - set("imsx"):
        return UNDEFINED
    try:
        return re.search(f"(?{flags}){pattern}" if flags else pattern, text) is not None
    except (re.error, RecursionError, OverflowError):
        return UNDEFINED


def _substring(text: Value, start: Value, length: Value) -> Value:
    begin, count = whole(start), whole(length)
    if not isinstance(text, str) or begin is None or count is None:
        return UNDEFINED
    return text[max(begin, 0) : max(begin, 0) + max(count, 0)]


def _side(text: Value, length: Value, left: bool) -> Value:
    count = whole(length)
    if not isinstance(text, str) or count is None:
        return UNDEFINED
    if count <= 0:
        return ""
    return text[:count] if left else text[-count:]


def _index_of(text: str, part: str, start: Value = 0) -> Value:
    begin = whole(start)
    return UNDEFINED if begin is None or begin < 0 else text.find(part, begin)


def _replicate(text: Value, times: Value) -> Value:
    count = whole(times)
    if not isinstance(text, str) or count is None or count < 0 or count * len(text) > 10_000:
        return UNDEFINED
    return text * count


def _to_string(value: Value) -> Value:
    if isinstance(value, Undefined | str):
        return value
    return dump(value)


def _parsed(*types: type) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        try:
            value = parse(text.strip())
        except NotJson:
            return UNDEFINED
        return value if isinstance(value, types) and (bool in types or not isinstance(value, bool)) else UNDEFINED

    return read


def _concat(*args: Value) -> Value:
    return "".join(map(str, args)) if all(isinstance(arg, str) for arg in args) else UNDEFINED


def _array_contains(array: Value, wanted: Value, partial: Value = False) -> Value:
    if not isinstance(array, list) or isinstance(wanted, Undefined):
        return UNDEFINED
    if partial is True and isinstance(wanted, dict):
        return any(
            isinstance(item, dict) and all(name in item and equal(item[name], part) for name, part in wanted.items())
            for item in array
        )
    return any(equal(item, wanted) for item in array)


def _contains_some(array: Value, wanted: Value, every: bool) -> Value:
    if not isinstance(array, list) or not isinstance(wanted, list):
        return UNDEFINED
    return (all if every else any)(any(equal(item, one) for item in array) for one in wanted)


def _array_slice(array: Value, start: Value, length: Value = 2**31) -> Value:
    begin, count = whole(start), whole(length)
    if not isinstance(array, list) or begin is None or count is None:
        return UNDEFINED
    begin = begin if begin >= 0 else max(len(array) + begin, 0)
    return array[begin : begin + max(count, 0)]


def _array_concat(*args: Value) -> Value:
    joined: list[Json] = []
    for arg in args:
        if not isinstance(arg, list):
            return UNDEFINED
        joined.extend(arg)
    return joined


def _distinct(items: list[Json]) -> list[Json]:
    kept: list[Json] = []
    for item in items:
        if not any(equal(item, other) for other in kept):
            kept.append(item)
    return kept


def _set_of(left: Value, right: Value, union: bool) -> Value:
    if not isinstance(left, list) or not isinstance(right, list):
        return UNDEFINED
    return _distinct([*left, *right] if union else [item for item in left if any(equal(item, o) for o in right)])


def _object_to_array(value: Value) -> Value:
    return [{"k": name, "v": child} for name, child in value.items()] if isinstance(value, dict) else UNDEFINED


def _round(value: float) -> float:
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}0Z"


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _to_timestamp(text: str) -> Value:
    moment = _moment(text)
    return UNDEFINED if moment is None else math.floor(moment.timestamp() * 1000)


def _from_timestamp(value: Value) -> Value:
    milliseconds = whole(value)
    try:
        return UNDEFINED if milliseconds is None else _iso(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return UNDEFINED


def _float(call: Callable[[float], float]) -> Function:
    return _numeric(lambda value: call(float(value)))


FUNCTIONS: Final[dict[str, Function]] = {
    "IS_DEFINED": Function(lambda value: not isinstance(value, Undefined), 1, 1),
    "IS_NULL": Function(lambda value: value is None, 1, 1),
    "IS_STRING": _is(str),
    "IS_NUMBER": _is(int, float),
    "IS_INTEGER": _is(int),
    "IS_FINITE_NUMBER": _is(int, float),
    "IS_BOOL": _is(bool),
    "IS_ARRAY": _is(list),
    "IS_OBJECT": _is(dict),
    "IS_PRIMITIVE": Function(lambda value: value is None or isinstance(value, bool | int | float | str), 1, 1),
    "CONTAINS": _matching(lambda text, part: part in text),
    "STARTSWITH": _matching(str.startswith),
    "ENDSWITH": _matching(str.endswith),
    "STRINGEQUALS": _matching(str.__eq__),
    "REGEXMATCH": _strings(_regex, 2, 3),
    "LOWER": _strings(str.lower, 1),
    "UPPER": _strings(str.upper, 1),
    "LENGTH": _strings(len, 1),
    "REVERSE": _strings(lambda text: text[::-1], 1),
    "TRIM": _strings(str.strip, 1),
    "LTRIM": _strings(str.lstrip, 1),
    "RTRIM": _strings(str.rstrip, 1),
    "REPLACE": _strings(lambda text, old, new: text.replace(old, new) if old else text, 3),
    "INDEX_OF": _strings(_index_of, 2, 3),
    "SUBSTRING": Function(_substring, 3, 3),
    "LEFT": Function(lambda text, count: _side(text, count, True), 2, 2),
    "RIGHT": Function(lambda text, count: _side(text, count, False), 2, 2),
    "REPLICATE": Function(_replicate, 2, 2),
    "CONCAT": Function(_concat, 2, 200),
    "STRINGJOIN": Function(
        lambda items, by: (
            by.join(items) if isinstance(by, str) and isinstance(items, list) and _texts(items) else UNDEFINED
        ),
        2,
        2,
    ),
    "STRINGSPLIT": _strings(lambda text, by: text.split(by) if by else [text], 2),
    "TOSTRING": Function(_to_string, 1, 1),
    "STRINGTONUMBER": _strings(_parsed(int, float), 1),
    "STRINGTOBOOLEAN": _strings(_parsed(bool), 1),
    "STRINGTONULL": _strings(_parsed(type(None)), 1),
    "STRINGTOARRAY": _strings(_parsed(list), 1),
    "STRINGTOOBJECT": _strings(_parsed(dict), 1),
    "ARRAY_CONTAINS": Function(_array_contains, 2, 3),
    "ARRAY_CONTAINS_ANY": Function(lambda array, *wanted: _contains_some(array, list(wanted), False), 2, 200),
    "ARRAY_CONTAINS_ALL": Function(lambda array, *wanted: _contains_some(array, list(wanted), True), 2, 200),
    "ARRAY_LENGTH": Function(lambda value: len(value) if isinstance(value, list) else UNDEFINED, 1, 1),
    "ARRAY_SLICE": Function(_array_slice, 2, 3),
    "ARRAY_CONCAT": Function(_array_concat, 2, 200),
    "SETINTERSECT": Function(lambda left, right: _set_of(left, right, False), 2, 2),
    "SETUNION": Function(lambda left, right: _set_of(left, right, True), 2, 2),
    "OBJECTTOARRAY": Function(_object_to_array, 1, 1),
    "CHOOSE": Function(
        lambda at, *of: of[at - 1] if whole(at) is not None and 0 < at <= len(of) else UNDEFINED, 2, 200
    ),
    "IIF": Function(lambda condition, then, otherwise: then if condition is True else otherwise, 3, 3),
    "ABS": _numeric(abs),
    "CEILING": _numeric(math.ceil),
    "FLOOR": _numeric(math.floor),
    "ROUND": _numeric(_round),
    "TRUNC": _numeric(math.trunc),
    "SIGN": _numeric(lambda value: (value > 0) - (value < 0)),
    "SQRT": _float(math.sqrt),
    "SQUARE": _float(lambda value: value * value),
    "EXP": _float(math.exp),
    "LOG": Function(lambda value, base=math.e: _log(value, base), 1, 2),
    "LOG10": _float(math.log10),
    "POWER": _numeric(lambda base, exponent: math.pow(float(base), float(exponent)), 2),
    "PI": Function(lambda: math.pi, 0, 0),
    "SIN": _float(math.sin),
    "COS": _float(math.cos),
    "TAN": _float(math.tan),
    "ASIN": _float(math.asin),
    "ACOS": _float(math.acos),
    "ATAN": _float(math.atan),
    "ATN2": _numeric(lambda y, x: math.atan2(float(y), float(x)), 2),
    "DEGREES": _float(math.degrees),
    "RADIANS": _float(math.radians),
    "GETCURRENTTIMESTAMP": Function(lambda: int(time.time() * 1000), 0, 0),
    "GETCURRENTDATETIME": Function(lambda: _iso(datetime.now(UTC)), 0, 0),
    "DATETIMETOTIMESTAMP": _strings(_to_timestamp, 1),
    "TIMESTAMPTODATETIME": Function(_from_timestamp, 1, 1),
}


def _texts(items: list[Json]) -> bool:
    return all(isinstance(item, str) for item in items)


def _log(value: Value, base: Value) -> Value:
    return _numeric(lambda x, b: math.log(float(x)) / math.log(float(b)), 2).call(value, base)
