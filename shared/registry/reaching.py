"""How a receiver is reached, as the register says it: how the hub is let in, and what unusual answers mean."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator, PlainSerializer, WithJsonSchema

_STATUS: Final = re.compile(r"[45][0-9]{2}")
HAS_IT_ALREADY: Final = frozenset({"409", "412", "422"})
"""The answers by which a receiver can say that it has a message already: a conflict with what is there, a failed
If-None-Exist (FHIR R4 3.1.0.5.3), a broken rule of uniqueness. Taking any other for a receipt would lose messages."""


class Auth(StrEnum):
    """How the hub shows a receiver who it is. What it takes is in the receiver's secret."""

    NONE = "none"
    API_KEY = "apiKey"
    """A header with a fixed value."""
    OAUTH2 = "oauth2"
    """A token by client credentials (RFC 6749 4.4); with a client certificate too when the secret holds one."""
    MTLS = "mtls"
    """A client certificate."""


class Meaning(StrEnum):
    """What a receiver's answer means for the message."""

    TAKEN = "taken"
    """The receiver has it."""
    LATER = "later"
    """It may take it at another time."""
    REFUSED = "refused"
    """It will not take this message however often it is sent."""


def _answers(said: Mapping[str, Meaning]) -> Mapping[str, Meaning]:
    for status in said:
        if _STATUS.fullmatch(status) is None:
            raise ValueError("answers are named by their HTTP status, 400 to 599")
    return MappingProxyType(dict(said))


Answers = Annotated[
    Mapping[str, Meaning],
    AfterValidator(_answers),
    PlainSerializer(lambda said: {status: meaning.value for status, meaning in sorted(said.items())}),
    WithJsonSchema({
        "type": "object",
        "propertyNames": {"pattern": f"^{_STATUS.pattern}$"},
        "additionalProperties": {"enum": [each.value for each in Meaning]},
    }),
]  # fmt: skip
"""HTTP statuses that mean something else at a receiver than they do elsewhere."""


def fit_port(port: int | None) -> bool:
    """Whether a receiver may be there (None: its scheme's own). The low ports are those of mail, names, files and
    remote control (RFC 6335 6): a message must not be sent where its lines could be taken for orders."""
    return port is None or port == 443 or 1024 <= port <= 65_535


def no_answers() -> Answers:
    """Every answer means what it always means."""
    return MappingProxyType({})


def lost(answers: Answers) -> Iterator[str]:
    """Statuses that may not count as a receipt, though they are said to."""
    yield from sorted(
        status for status, meaning in answers.items() if meaning is Meaning.TAKEN and status not in HAS_IT_ALREADY
    )
