"""Partial document update: what each operation does to a document.

Rules: https://learn.microsoft.com/azure/cosmos-db/partial-document-update ("supported operations", "limits")
"""

from functools import lru_cache
from typing import Final

from sandbox.cosmos.catalogue import Container
from sandbox.cosmos.errors import CosmosError, bad_request
from sandbox.cosmos.partition import PartitionKey
from sandbox.cosmos.values import Json, Undefined, number

MAX_OPERATIONS: Final = 10
_SHORT: Final = 200
"""Paths up to this long are read once and remembered."""
_OPERATIONS: Final = frozenset(("add", "set", "replace", "remove", "incr", "move"))
_SYSTEM: Final = frozenset(("id", "_id", "_rid", "_self", "_etag", "_ts", "_attachments", "_lsn"))


def apply(container: Container, document: dict[str, Json], operations: Json) -> None:
    """Change the document in place. Raises CosmosError (400); the document is then of no use."""
    if not isinstance(operations, list) or not operations:
        raise bad_request("A patch must have at least one operation.")
    if len(operations) > MAX_OPERATIONS:
        raise bad_request(f"The number of patch operations can't exceed '{MAX_OPERATIONS}'.")
    for at, operation in enumerate(operations, 1):
        if not isinstance(operation, dict):
            raise bad_request(f"For Operation({at}): a patch operation must be an object.")
        try:
            _apply_one(container, document, operation)
        except _Misfit as misfit:
            raise _refused(at, misfit) from None


class _Misfit(Exception):
    """An operation does not fit the document."""


def _refused(at: int, misfit: _Misfit) -> CosmosError:
    return bad_request(f"For Operation({at}): {misfit}")


def _apply_one(container: Container, document: dict[str, Json], operation: dict[str, Json]) -> None:
    name = operation.get("op")
    kind = name.lower() if isinstance(name, str) else ""
    kind = "incr" if kind == "increment" else kind
    if kind not in _OPERATIONS:
        raise _Misfit("the op must be one of add, set, replace, remove, incr and move.")
    path = _allowed(container.key, operation.get("path"))
    if kind == "move":
        _move(container, document, path, _pointer(operation.get("from")))
        return
    if kind != "remove" and "value" not in operation:
        raise _Misfit("the value is missing.")
    target, step = _parent(document, path)
    if isinstance(target, list):
        _in_list(target, step, kind, operation.get("value"))
    else:
        _in_object(target, step, kind, operation.get("value"))


def _allowed(key: PartitionKey, path: Json) -> tuple[str, ...]:
    if isinstance(path, str) and len(path) <= _SHORT:
        return _short(key, path)
    return _checked(key, _pointer(path))


@lru_cache(maxsize=512)
def _short(key: PartitionKey, path: str) -> tuple[str, ...]:
    return _checked(key, _pointer(path))


def _pointer(path: Json) -> tuple[str, ...]:
    if not isinstance(path, str) or not path.startswith("/") or len(path) < 2:
        raise _Misfit("the path must start with '/' and name a property.")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))


def _checked(key: PartitionKey, path: tuple[str, ...]) -> tuple[str, ...]:
    if path[0] in _SYSTEM:
        raise _Misfit("system properties and the id cannot be patched.")
    if any(path == own[: len(path)] or own == path[: len(own)] for own in key.paths):
        raise _Misfit("the partition key cannot be patched.")
    return path


def _parent(document: dict[str, Json], path: tuple[str, ...]) -> tuple[dict[str, Json] | list[Json], str]:
    current: Json = document
    for step in path[:-1]:
        if isinstance(current, dict) and step in current:
            current = current[step]
        elif isinstance(current, list):
            current = current[_position(current, step)]
        else:
            raise _Misfit(f"the path's part '{step}' does not exist.")
    if not isinstance(current, dict | list):
        raise _Misfit("the path goes through a value that is neither object nor array.")
    return current, path[-1]


def _position(array: list[Json], step: str, extra: int = 0) -> int:
    if not (step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(array) + extra):
        raise _Misfit(f"'{step}' is not a position in the array.")
    return int(step)


def _in_object(target: dict[str, Json], name: str, kind: str, value: Json) -> None:
    if kind in ("add", "set"):
        target[name] = value
    elif kind == "incr":
        target[name] = _incremented(target[name], value) if name in target else _amount(value)
    elif name not in target:
        verb = "replace" if kind == "replace" else "remove"
        raise _Misfit(f"{verb.capitalize()} operation can only {verb} an existing node: '{name}' does not exist.")
    elif kind == "replace":
        target[name] = value
    else:
        del target[name]


def _in_list(target: list[Json], step: str, kind: str, value: Json) -> None:
    if kind in ("add", "set") and step == "-":
        target.append(value)
    elif kind == "add":
        target.insert(_position(target, step, extra=1), value)
    else:
        at = _position(target, step)
        if kind == "remove":
            del target[at]
        else:
            target[at] = _incremented(target[at], value) if kind == "incr" else value


def _move(container: Container, document: dict[str, Json], path: tuple[str, ...], source: tuple[str, ...]) -> None:
    _checked(container.key, source)
    if path[: len(source)] == source:
        raise _Misfit("a node cannot be moved to itself or below itself.")
    holder, step = _parent(document, source)
    if isinstance(holder, list):
        value = holder.pop(_position(holder, step))
    elif step in holder:
        value = holder.pop(step)
    else:
        raise _Misfit(f"the source of the move, '{step}', does not exist.")
    target, name = _parent(document, path)
    if isinstance(target, list):
        _in_list(target, name, "add", value)
    else:
        target[name] = value


def _amount(value: Json) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Misfit("the value of an increment must be a number.")
    return value


def _incremented(old: Json, value: Json) -> int | float:
    if isinstance(old, bool) or not isinstance(old, int | float):
        raise _Misfit("only a number can be incremented.")
    total = number(old + _amount(value))
    if isinstance(total, Undefined):
        raise _Misfit("the result is outside the range of a double.")
    return total
