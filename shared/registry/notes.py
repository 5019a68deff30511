"""How a municipality and a receiver want their journal notes, as the register holds it: only what differs."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache

from pydantic import TypeAdapter, ValidationError

from shared.journal.model import NoteChoices

type NoteSettings = Mapping[str, str | bool]
"""Some of NoteChoices' fields by name: `{"language": "nn", "layout": "b", "charset": "cp1252"}`."""


def choices(*settings: NoteSettings) -> NoteChoices:
    """All of NoteChoices: the defaults, and over them each of `settings` in turn.

    Raises ValueError for a name or a value that NoteChoices does not have.
    """
    merged: dict[str, str | bool] = {}
    for each in settings:
        merged |= each
    unknown = merged.keys() - {field.name for field in fields(NoteChoices)}
    if unknown:
        raise ValueError(f"there is no choice {sorted(unknown)[0]!r} for journal notes")
    try:
        return _adapter().validate_python(merged)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"the choice {first['loc'][0]} for journal notes: {first['msg']}") from None


@cache
def _adapter() -> TypeAdapter[NoteChoices]:
    return TypeAdapter(NoteChoices)
