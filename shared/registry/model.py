"""What the register holds of those who send and receive: municipalities with their receivers, systems, grants."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import AfterValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

from shared.access.modes import DpopMode
from shared.fhir.rules import Severity, overrides
from shared.identity.series import Environment
from shared.journal.model import NoteChoices
from shared.messages.documents import Document
from shared.registry.notes import NoteSettings, choices
from shared.registry.reaching import Answers, Auth, no_answers
from shared.registry.shapes import Line, Moment, Name, Orgnr, Texts, Words, as_json, closed, kept
from shared.registry.traffic import OPEN, Traffic

_ORGNR: Final = re.compile(r"[0-9]{9}")
_RECEIVER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,15}")
MUNICIPALITY_DOCUMENT: Final = "municipality"
SYSTEMS: Final = "systems"
"""Stands in the place of an orgnr for what is said of vendors' systems everywhere."""
RETENTION_DAYS: Final = 90
"""How long a message is kept after it has arrived, where a municipality chose nothing."""


def _no_notes() -> NoteSettings:
    return MappingProxyType({})


Notes = Annotated[NoteSettings, PlainSerializer(dict)]
Overrides = Annotated[
    Mapping[str, Severity],
    AfterValidator(overrides),
    PlainSerializer(lambda rules: {key: severity.value for key, severity in rules.items()}),
    WithJsonSchema({"type": "object", "additionalProperties": {"enum": [each.value for each in Severity]}}),
]


class Content(StrEnum):
    """What a receiver gets of each message."""

    ORIGINAL = "original"
    """The bytes as they were received."""
    NOTE = "note"
    """A journal note, as a FHIR DocumentReference."""
    BOTH = "both"
    """A DocumentReference that holds the note and the bytes as they were received."""


class WhenRefused(StrEnum):
    """What becomes of a patient's next messages when a receiver will never take one."""

    SET_ASIDE = "set-aside"
    """They go on; the refused one waits for a person."""
    BLOCK = "block"
    """They wait with it, so that nothing is read out of order."""


class ReceiverKind(StrEnum):
    """How a receiver gets its messages."""

    FHIR = "fhir"
    """Posted to its address as FHIR."""
    MAILBOX = "mailbox"
    """Kept until it fetches them."""


@closed
@dataclass(frozen=True, slots=True)
class Limits:
    """What a receiver can take; null: as the hub does by itself."""

    per_second: Annotated[int, Field(ge=1, le=1000)] | None = None
    at_once: Annotated[int, Field(ge=1, le=100)] | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=120)] | None = None


@closed
@dataclass(frozen=True, slots=True)
class Receiver:
    """An EPJ (or another system) that gets a municipality's messages. `id` is part of every idempotency key."""

    id: Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{_RECEIVER.pattern}$"})]
    """Up to 16 of a-z, 0-9 and hyphen. Must not change: deliveries are known by it."""
    url: Annotated[str, StringConstraints(max_length=2048)]
    """Where its messages are posted."""
    resources: Texts = frozenset()
    """The addresses whose messages it gets; empty: all."""
    content: Content = Content.ORIGINAL
    note: Notes = field(default_factory=_no_notes)
    """How its notes are written, where it differs from what the municipality chose."""
    kind: ReceiverKind = ReceiverKind.FHIR
    credentials: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9-]{0,127}$")] = ""
    """The name of the secret in Key Vault by which the hub is let in, the municipality's number first; never the secret
    itself. Empty: none."""
    auth: Auth = Auth.NONE
    """How the hub is let in; what it takes is in the secret."""
    answers: Answers = field(default_factory=no_answers)
    """HTTP statuses that mean something else here than they do elsewhere: taken, later or refused."""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not _RECEIVER.fullmatch(self.id):
            raise ValueError("a receiver's id is up to 16 of a-z, 0-9 and hyphen")
        choices(self.note)

    def takes(self, resource: str) -> bool:
        """Whether it gets messages posted to this address."""
        return not self.resources or resource in self.resources


@closed
@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality that receives messages."""

    orgnr: Orgnr
    name: Words
    receivers: Annotated[tuple[Receiver, ...], Field(max_length=20)]
    note: Notes = field(default_factory=_no_notes)
    """How notes are written for this municipality, where it differs from the defaults."""
    number: Annotated[str, StringConstraints(pattern="^([0-9]{4})?$")] = ""
    """The municipality number (SSB's Standard for municipal divisions), for instance 0301."""
    environment: Environment | None = None
    """The environment it is for; null: that of the hub it is registered at."""
    traffic: Traffic = field(default_factory=lambda: OPEN)
    retention_days: Annotated[int, Field(ge=1, le=3650)] = RETENTION_DAYS
    """Days a message is kept after it has arrived; a week at the least, so that nothing is deleted while tried."""
    when_refused: WhenRefused = WhenRefused.SET_ASIDE

    def __post_init__(self) -> None:
        choices(self.note)

    def receiver(self, id: str) -> Receiver | None:
        """Its receiver of this id; None when it has none."""
        return next((each for each in self.receivers if each.id == id), None)

    def note_choices(self, receiver: Receiver) -> NoteChoices:
        """How a note for one of its receivers is written."""
        return choices(self.note, receiver.note)

    def document(self) -> Document:
        """As kept in the register."""
        return {"id": MUNICIPALITY_DOCUMENT, "type": "municipality", **as_json(Municipality, self)}


@closed
@dataclass(frozen=True, slots=True)
class Grant:
    """A municipality lets a system send it messages, or look its patients up (vkp-api.md 3.2: vkp-id × orgnr)."""

    orgnr: Orgnr
    vkp_id: Name
    resources: Texts = frozenset()
    """Addresses it may use; empty: all."""
    service_codes: Texts = frozenset()
    """The ServiceCodes it may look patients up for; empty: none. They do not bear on sending."""
    may_send: bool = True
    may_read: bool = False
    valid_from: Moment | None = None
    """Null: at once."""
    valid_to: Moment | None = None
    """The first moment at which it does not hold any longer (UTC); null: until withdrawn."""
    approved_by: Line = ""
    """Who decided it at the municipality: a role or a case number, no person's name."""
    silent_after_hours: Annotated[int, Field(ge=1, le=8760)] | None = None
    """After how many hours without a message from it people are told; null: never."""

    def allows(self, resource: str) -> bool:
        """Whether it may use this address."""
        return not self.resources or resource in self.resources

    def holds(self, now: datetime) -> bool:
        """Whether it is valid at this moment."""
        return (self.valid_from is None or self.valid_from <= now) and (self.valid_to is None or now < self.valid_to)

    def document(self) -> Document:
        """As kept in the register."""
        return {"id": grant_id(self.vkp_id), "type": "grant", **as_json(Grant, self)}


@closed
@dataclass(frozen=True, slots=True)
class RateLimit:
    """How much a system may send, to each municipality."""

    per_second: Annotated[int, Field(ge=1, le=1000)]
    burst: Annotated[int, Field(ge=1, le=10_000)]
    """How many calls at once, after a rest."""


@closed
@dataclass(frozen=True, slots=True)
class System:
    """A vendor's system, whichever municipality it sends to."""

    vkp_id: Name
    name: Line = ""
    """As journal notes name the sender; empty: its vkp-id."""
    rules: Overrides = field(default_factory=lambda: MappingProxyType({}))
    """Rules that are graver or milder for its messages than for others'."""
    stu3: bool = False
    """Whether its STU3-shaped messages are mapped to R4 for the check, where a mapping exists."""
    client_ids: Texts = frozenset()
    """Its clients at HelseID; empty: any with its vkp-id."""
    dpop: DpopMode | None = None
    """Whether it proves that its tokens are its own (RFC 9449); null: as the hub's setting says."""
    rate_limit: RateLimit | None = None
    """Null: the hub's own."""
    blocked: bool = False
    """Shut out everywhere, whatever municipalities have granted."""

    def document(self) -> Document:
        """As kept in the register."""
        return {"id": system_id(self.vkp_id), "orgnr": SYSTEMS, "type": "system", **as_json(System, self)}


def is_orgnr(text: str) -> bool:
    """Whether a text has the form of an organisation number. Its check digit is not demanded: published synthetic
    numbers fail it (helseid.md 3.3)."""
    return _ORGNR.fullmatch(text) is not None


def grant_id(vkp_id: str) -> str:
    """The grant's document id. A vkp-id is opaque and may hold characters that Cosmos forbids in ids."""
    return "grant." + _in_id(vkp_id)


def system_id(vkp_id: str) -> str:
    """The system's document id."""
    return "system." + _in_id(vkp_id)


def _in_id(vkp_id: str) -> str:
    return quote(vkp_id, safe="").replace("%", "~")


def municipality_from(document: Document) -> Municipality:
    """The municipality behind its document. Raises ValueError for a document that is none."""
    return kept(Municipality, document)


def grant_from(document: Document) -> Grant:
    """The grant behind its document. Raises ValueError for a document that is none."""
    return kept(Grant, document)


def system_from(document: Document) -> System:
    """The system behind its document. Raises ValueError for a document that is none."""
    return kept(System, document)
