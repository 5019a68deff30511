"""How the register's entries are read from JSON and written as JSON: closed forms with a clear word for each fault.

One set of dataclasses is the model, the documents in the database, the bodies of the HTTP API, the files of
`hub registry` and the JSON Schema of them all. Names are camelCase in JSON. What people write is read closed: a field
that does not exist is a fault. What the database holds is read open and with defaults: written by an earlier version of
the hub, or by a later one while both run, it must still be read.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    with_config,
)
from pydantic.alias_generators import to_camel

from shared import clock
from shared.messages.documents import Document

closed = with_config(
    ConfigDict(extra="forbid", alias_generator=to_camel, hide_input_in_errors=True, use_attribute_docstrings=True)
)
"""Makes a dataclass one of the register's forms."""

MAX_TEXT: Final = 200
PERSON: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{6} ?[0-9]{5}(?![0-9A-Za-z])")
"""What looks like a person's number."""
_DATE_AND_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:")
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}")
_ADAPTERS: Final[dict[type[Any], TypeAdapter[Any]]] = {}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an entry. Carries no value of it."""

    field: str
    """Names and indices to the place, with dots between; empty: the entry itself."""
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}" if self.field else self.text


class Invalid(ValueError):
    """An entry that cannot be: every fault that was found."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def _line(text: str) -> str:
    if text and (not text.isprintable() or text != text.strip()):
        raise ValueError("must be one line, without spaces at its ends")
    return text


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is too far away") from None


def _date_and_time(value: object) -> object:
    # Read here, because pydantic takes a text of digits for the seconds since 1970.
    if isinstance(value, str) and _DATE_AND_TIME.match(value) is not None:
        return datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value
    raise ValueError("must be date and time with a zone: 2026-01-15T09:00:00+01:00")


Line = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(_line)]
"""Some words on one line; may be empty."""
Words = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(_line)]
"""Some words on one line."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_line)]
"""An opaque name that somebody else gave: a vkp-id, a client id."""
Orgnr = Annotated[str, StringConstraints(pattern="^[0-9]{9}$")]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_date_and_time),
    AfterValidator(_utc),
    PlainSerializer(clock.written, when_used="json"),
]
"""A time, kept in UTC; with its zone when people write it."""
Texts = Annotated[frozenset[Name], Field(max_length=100), PlainSerializer(sorted, return_type=list[str])]
"""A set of names, written in order."""


def as_json[T](kind: type[T], entry: T) -> Document:
    """An entry's fields by their names in JSON."""
    return cast(Document, _adapter(kind).dump_python(entry, mode="json", by_alias=True))


def kept[T](kind: type[T], document: Document) -> T:
    """The entry behind a stored document, whatever else the document holds. Raises ValueError when it is none."""
    return cast(T, _adapter(kind).validate_python(document, extra="ignore"))


def written[T](kind: type[T], fields: dict[str, Any]) -> T:
    """The entry that people wrote, as JSON. Raises Invalid with every fault: nothing unknown, nothing converted."""
    try:
        text = json.dumps(fields, allow_nan=False)
    except (ValueError, RecursionError):
        raise Invalid((Fault("", "must be JSON"),)) from None
    try:
        return cast(T, _adapter(kind).validate_json(text, strict=True))
    except ValidationError as error:
        raise Invalid(_faults(error)) from None


def schema(kind: type[Any]) -> dict[str, Any]:
    """The form as JSON Schema (2020-12)."""
    return _adapter(kind).json_schema(by_alias=True, mode="validation")


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    found = _ADAPTERS.get(kind)
    if found is None:
        found = _ADAPTERS[kind] = TypeAdapter(kind)
    return found


def _faults(error: ValidationError) -> tuple[Fault, ...]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(Fault(".".join(map(_step, each["loc"])), _text(each["type"], each["msg"])) for each in found)


def _step(step: str | int) -> str:
    """A part of a place. Names are the sender's text: only those that can be names of fields are repeated."""
    return str(step) if isinstance(step, int) or _FIELD.fullmatch(step) else "?"


def _text(kind: str, message: str) -> str:
    if kind == "unexpected_keyword_argument":
        return "there is no such field"
    if kind == "missing" or kind.startswith("missing_"):
        return "is missing"
    return "is not right" if PERSON.search(message) else message.removeprefix("Value error, ")
