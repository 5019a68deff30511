"""Single faults in any message: a place chosen by lot, one thing altered there."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

_UNFIT: Final = object()
"""This alteration makes nothing of such a value."""
_GONE: Final = object()


def _text(altered: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: altered(value) if isinstance(value, str) else _UNFIT


def _array(altered: Callable[[list[Any]], Any]) -> Callable[[Any], Any]:
    return lambda value: altered(value) if isinstance(value, list) else _UNFIT


def _single(altered: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: _UNFIT if isinstance(value, list) else altered(value)


def _as_text(value: Any) -> Any:
    return _UNFIT if isinstance(value, str) else json.dumps(value)


def _another_day(value: str) -> Any:
    return "2026-02-30" + value[10:] if value[:2] == "20" and len(value) >= 10 else _UNFIT


_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "added-to": lambda value: value | {"unknownName": 1} if isinstance(value, dict) else _UNFIT,
        "as-number": _text(lambda _: 5),
        "as-text": _as_text,
        "blank": _text(lambda _: "  "),
        "broken-off": _text(lambda value: value[:-1] or _UNFIT),
        "control": _text(lambda value: f"{value}\x01"),
        "doubled": _single(lambda value: [value, copy.deepcopy(value)]),
        "empty-text": _text(lambda _: ""),
        "emptied": lambda value: type(value)() if isinstance(value, dict | list) else _UNFIT,
        "fraction": lambda value: value + 0.5 if type(value) is int else _UNFIT,
        "gone": lambda _: _GONE,
        "longer": _text(lambda value: value + "x" * 65),
        "no-such-word": _text(lambda _: "no-such-word"),
        "null": lambda _: None,
        "null-added": _array(lambda value: [*value, None]),
        "once-more": _array(lambda value: [*value, copy.deepcopy(value[-1])] if value else _UNFIT),
        "other-day": _text(_another_day),
        "padded": _text(lambda value: f" {value}\t"),
        "true": _text(lambda _: True),
        "unwrapped": _array(lambda value: value[0] if value else _UNFIT),
        "wrapped": _single(lambda value: [value]),
    }
)


def altered(name: str, sent: bytes, times: int) -> Iterator[tuple[str, bytes]]:
    """A message with one place altered, in each way in turn, `times` in all; the lot is drawn by `name`."""
    lot = random.Random(name)  # noqa: S311 - chance that comes out the same each time is what is wanted
    kinds = sorted(_KINDS)
    for index in range(times):
        message = json.loads(sent)
        kind = kinds[index % len(kinds)]
        places = list(everywhere(message))
        lot.shuffle(places)
        for holder, step in places:
            other = _KINDS[kind](holder[step])
            if other is not _UNFIT:
                if other is _GONE:
                    del holder[step]
                else:
                    holder[step] = other
                yield f"{kind}-{index}", json.dumps(message).encode()
                break


def everywhere(message: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in a message: the object or array that holds it, and the name or index."""
    if isinstance(message, dict | list):
        for step, inside in list(message.items() if isinstance(message, dict) else enumerate(message)):
            yield message, step
            yield from everywhere(inside)
