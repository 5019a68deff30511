"""JSON that people and programs send to the register: read strictly, so that nobody else can read it otherwise."""

import json
from typing import Any, NoReturn


class NotReadable(ValueError):
    """The bytes are not a JSON object that can be read without doubt. The message says what is wrong."""


def json_object(body: bytes, max_bytes: int) -> dict[str, Any]:
    """The object. UTF-8, each name once in an object, finite numbers (RFC 8259, I-JSON). Raises NotReadable."""
    if len(body) > max_bytes:
        raise NotReadable(f"is larger than {max_bytes // 1024} KiB")
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_not_finite)
    except NotReadable:
        raise
    except UnicodeDecodeError:
        raise NotReadable("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotReadable(f"is not JSON (line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError):
        raise NotReadable("is not JSON that can be read") from None
    if not isinstance(value, dict):
        raise NotReadable("is not a JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotReadable("has a name twice in one object")
    return members


def _not_finite(_: str) -> NoReturn:
    raise NotReadable("has a number that is none")
