"""One message in a file: what the API would answer, and in which line."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import BrokenEnvelope, EmptyBody, Finding, HubError, NotJson, TooLarge, UnknownAddress
from shared.fhir.positions import positions
from shared.fhir.r4.definitions import resource_types
from shared.fhir.reading import Judgement, Judging, judge
from shared.fhir.resources import ADDRESSES

_SYNTAX: Final = "json-syntax"


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding and where in the text it is; line and column count from 1."""

    finding: Finding
    line: int | None
    """None when the text has no such place: it is empty, or not text at all."""
    column: int | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What the API would say about one message."""

    name: str
    """What its file is called for the reader."""
    resource_type: str | None
    refusal: HubError | None
    findings: tuple[Placed, ...]

    @property
    def accepted(self) -> bool:
        """Whether the API would take it."""
        return self.refusal is None

    @property
    def reason(self) -> str:
        """Why it is refused, when no finding says so; empty otherwise."""
        if isinstance(self.refusal, UnknownAddress):
            return f"No address of the API takes this resource by itself; it takes {', '.join(ADDRESSES.values())}."
        if self.refusal is None or any(each.finding.severity == "error" for each in self.findings):
            return ""
        return f"{self.refusal.text()} {self.refusal.advice()}"


def check(name: str, body: bytes, judging: Judging) -> Checked:
    """Judge the bytes of one message, of whatever type they say they are. Raises nothing for any bytes."""
    try:
        judgement = judge(body, None, judging)
    except NotJson as error:
        return Checked(name, None, error, _placed(body, error.findings))
    except (EmptyBody, TooLarge) as error:
        return Checked(name, None, error, ())
    written = judgement.message.get("resourceType")
    resource_type = written if isinstance(written, str) else None
    return Checked(name, resource_type, _refusal(judgement, resource_type), _placed(body, judgement.findings))


def _refusal(judgement: Judgement, resource_type: str | None) -> HubError | None:
    if resource_type in resource_types() and resource_type not in ADDRESSES.values():
        # The API looks at the address before it looks at the message.
        return UnknownAddress()
    if judgement.refusal is not None:
        return judgement.refusal
    return BrokenEnvelope(judgement.findings) if judgement.envelope.patient is None else None


def _placed(body: bytes, findings: Sequence[Finding]) -> tuple[Placed, ...]:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return tuple(Placed(each, None, None) for each in findings)
    if any(each.rule == _SYNTAX for each in findings):
        line, column = _end_of_json(text)
        return tuple(Placed(each, line, column) for each in findings)
    places = positions(text, [each.path for each in findings])
    return tuple(Placed(each, *places.get(each.path, (None, None))) for each in findings)


def _end_of_json(text: str) -> tuple[int, int]:
    """Where the text stops to be JSON."""
    try:
        json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        return error.lineno, error.colno
    return 1, 1
