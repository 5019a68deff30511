"""JSON values as Cosmos DB holds them: numbers are doubles, a property can be undefined, types have an order.

Order of types: https://learn.microsoft.com/azure/cosmos-db/nosql/query/order-by ("sort order across types").
"""

import enum
import json
import math
from collections.abc import Callable
from typing import Final, Literal, TypeGuard

import orjson

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
"""A JSON value. Whole numbers that a double holds exactly are `int`, all others `float`; never NaN or infinite."""


class Undefined(enum.Enum):
    """What an expression gives when a property is not there, or when an operator does not fit its operands."""

    UNDEFINED = "undefined"


UNDEFINED: Final[Literal[Undefined.UNDEFINED]] = Undefined.UNDEFINED

type Value = Json | Undefined

MAX_DEPTH: Final = 128
"""Nesting levels of a document (https://learn.microsoft.com/azure/cosmos-db/concepts-limits)."""
_EXACT: Final = 2**53


class NotJson(ValueError):
    """The text is not JSON, or not JSON that Cosmos DB would take."""


def number(value: int | float) -> int | float | Undefined:
    """A number as a double would hold it: whole ones as int. Undefined when it is none (NaN, infinite)."""
    if isinstance(value, int):
        if -_EXACT <= value <= _EXACT:
            return value
        try:
            return float(value)
        except OverflowError:
            return UNDEFINED
    if not math.isfinite(value):
        return UNDEFINED
    return int(value) if -_EXACT <= value <= _EXACT and value.is_integer() else value


def _parsed_number(text: str) -> int | float:
    if len(text) < 16 and text.lstrip("-").isdigit():
        return int(text)
    value = number(float(text))
    if isinstance(value, Undefined):
        raise NotJson("a number is outside the range of a double")
    return value


def _no_constant(name: str) -> float:
    raise NotJson(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_int=_parsed_number, parse_float=_parsed_number, parse_constant=_no_constant).decode
_decode_plain = json.JSONDecoder().decode
_encode_ascii: Callable[[Json], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_encode_sorted: Callable[[Json], str] = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def parse(body: bytes | str) -> Json:
    """Read JSON. Raises NotJson (also for text that is not UTF-8, and for nesting deeper than MAX_DEPTH)."""
    try:
        text = body if isinstance(body, str) else body.decode()
        value: Json = _decode(text)
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, NotJson) else NotJson("the text is not JSON") from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
    return value


def read_back(text: str) -> Json:
    """Read what `dump` wrote of a value that `parse` gave: there is nothing left to check."""
    value: Json
    try:
        # Several times as quick as json. Clients' own texts are for json, which tells us of every number in them.
        value = orjson.loads(text)
    except ValueError:
        # Half a surrogate pair.
        value = _decode_plain(text)
    return value


def dump(value: Json) -> str:
    """Write compact JSON that can be encoded as UTF-8 (half a surrogate pair is written as an escape)."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # Half a surrogate pair.
        return _encode_ascii(value)


def canonical(value: Value) -> str:
    """Text that is the same for equal values only, for grouping and for unique keys."""
    return "" if isinstance(value, Undefined) else _encode_sorted(value)


def _depth(value: Json) -> int:
    deepest, todo = 0, [(value, 0)]
    while todo:
        current, depth = todo.pop()
        deepest = max(deepest, depth)
        if isinstance(current, dict):
            todo.extend((child, depth + 1) for child in current.values())
        elif isinstance(current, list):
            todo.extend((child, depth + 1) for child in current)
    return deepest


def is_number(value: Value) -> TypeGuard[int | float]:
    """True for a JSON number; a boolean is none."""
    return type(value) is int or type(value) is float


def rank(value: Value) -> int:
    """The place of a value's type in the order of types."""
    if value is None:
        return 1
    if isinstance(value, bool):
        return 2
    if isinstance(value, int | float):
        return 3
    if isinstance(value, str):
        return 4
    if isinstance(value, list):
        return 5
    return 6 if isinstance(value, dict) else 0


def equal(left: Value, right: Value) -> bool:
    """Deep equality; values of different types are never equal (Python holds True equal to 1)."""
    if isinstance(left, str) or isinstance(right, str):
        return left == right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(child, right[name]) for name, child in left.items())
    return rank(left) == rank(right) and left == right


type SortKey = tuple[int, bool | int | float | str]


def sort_key(value: Value) -> SortKey:
    """A key that sorts values as ORDER BY does: first by type, then by value.

    The service compares arrays and objects by a hash of its own; here their canonical text decides.
    """
    if isinstance(value, bool | int | float | str):
        return rank(value), value
    return rank(value), canonical(value) if isinstance(value, list | dict) else 0


def member(value: Value, path: tuple[str | int, ...]) -> Value:
    """What is found at a path of property names and array positions."""
    for step in path:
        if isinstance(value, dict):
            if not isinstance(step, str) or step not in value:
                return UNDEFINED
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return UNDEFINED
    return value
