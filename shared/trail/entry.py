"""One entry of the audit trail: what happened, to which message, by whom, for whom, and how it ended.

The kinds are a closed list: the ten stations of a message, a look at a payload, a change of the register, and what the
log tells of itself. An entry never holds a payload, an excerpt of one, free text, a token or a number of a person; a
patient is a keyed pseudonym (Normen ch. 5.4.4 says what a log must hold, GDPR art. 5 what it must not).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from shared import clock

WITHHELD: Final = "withheld"
"""Stands for a text that is no id and no code. The log takes no sentences."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/|+%~=-]{0,159}")
_PERSON_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{11}(?![0-9A-Za-z])")
_LONGEST_NAME: Final = 100
_LONGEST_SENTENCE: Final = 200


class Family(StrEnum):
    """What kinds of entries have in common: who may see them and how long they are kept."""

    STATION = "station"
    DISCLOSURE = "disclosure"
    """Somebody else got the message: as long of interest to the patient as a look is."""
    LOOK = "look"
    RIGHTS = "rights"
    HOUSEKEEPING = "housekeeping"


class Kind(StrEnum):
    """What happened."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    ROUTED = "routed"
    ATTEMPT = "attempt"
    DELIVERED = "delivered"
    JOURNALED = "journaled"
    QUARANTINED = "quarantined"
    REPLAYED = "replayed"
    REPLAY_STOPPED = "replay-stopped"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    PAYLOAD_LOOK = "payload-look"
    REGISTRY_CHANGE = "registry-change"
    GENESIS = "genesis"
    """The first entry of every chain."""
    HEARTBEAT = "heartbeat"
    """So that silence can be told from nothing having happened."""
    LOG_READ = "log-read"
    RETENTION_PURGE = "retention-purge"
    VERIFICATION = "verification"

    @property
    def family(self) -> Family:
        """Which family it belongs to."""
        return _FAMILIES.get(self, Family.STATION)


_FAMILIES: Final[Mapping[Kind, Family]] = {
    Kind.DELIVERED: Family.DISCLOSURE,
    Kind.JOURNALED: Family.DISCLOSURE,
    Kind.PAYLOAD_LOOK: Family.LOOK,
    Kind.REGISTRY_CHANGE: Family.RIGHTS,
    Kind.GENESIS: Family.HOUSEKEEPING,
    Kind.HEARTBEAT: Family.HOUSEKEEPING,
    Kind.LOG_READ: Family.HOUSEKEEPING,
    Kind.RETENTION_PURGE: Family.HOUSEKEEPING,
    Kind.VERIFICATION: Family.HOUSEKEEPING,
}


class Outcome(IntEnum):
    """How it ended: http://hl7.org/fhir/audit-event-outcome."""

    SUCCESS = 0
    MINOR_FAILURE = 4
    """The asker's fault, or nothing is lost by it."""
    SERIOUS_FAILURE = 8
    """The hub's or the receiver's fault."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person who did something, as the token and the register name them. Never a national identity number."""

    subject: str
    """Stable id at the issuer of the token."""
    name: str
    """As the patient may be shown it; only where the log must hold it (a look)."""
    role: str
    orgnr: str

    def document(self) -> dict[str, str]:
        """As kept in an entry."""
        return {
            "subject": opaque(self.subject), "name": sentence(self.name, _LONGEST_NAME),
            "role": code(self.role) if self.role else "", "orgnr": code(self.orgnr) if self.orgnr else "",
        }  # fmt: skip


_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written. Times are UTC; texts are ids and codes."""

    kind: Kind
    outcome: Outcome
    occurred: datetime
    source: str
    """What it was made from (a document and the number of the station in it): the same source is written once."""
    orgnr: str = ""
    """The municipality in whose chain it stands; empty: the hub's own."""
    ended: datetime | None = None
    reason: str = ""
    system: str = ""
    """The system that acted: a vkp-id, or a part of the hub."""
    person: Person | None = None
    message: str = ""
    original: str = ""
    """The message or entry that this one answers, repeats or takes back."""
    patient: str = ""
    """Keyed pseudonym."""
    sender: str = ""
    receiver: str = ""
    trace: str = ""
    correlation: str = ""
    purpose: str = ""
    """A code of v3-ActReason."""
    why: str = ""
    """The reason that a person gave for a change of the register, in words: the only free text there is."""
    details: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Names and values that only some kinds have; values are ids, codes and numbers."""

    changes: tuple[tuple[str, str, str], ...] = ()
    """Fields of the register that were changed: name, value before, value after."""

    def body(self) -> dict[str, Any]:
        """Everything but what the header says; empty fields are left out."""
        codes = {
            "reason": self.reason, "message": self.message, "original": self.original, "patient": self.patient,
            "trace": self.trace, "correlation": self.correlation, "purpose": self.purpose, "source": self.source,
        }  # fmt: skip
        names = {"system": self.system, "sender": self.sender, "receiver": self.receiver}
        found: dict[str, Any] = {key: code(value) for key, value in codes.items() if value}
        found |= {key: opaque(value) for key, value in names.items() if value}
        if self.why:
            found["why"] = sentence(self.why)
        if self.ended is not None:
            found["ended"] = clock.written(self.ended)
        if self.person is not None:
            found["person"] = self.person.document()
        if self.details:
            found["details"] = {key: code(value) for key, value in self.details.items() if value}
        if self.changes:
            found["changes"] = [[code(each) if each else "" for each in change] for change in self.changes]
        return found


def code(text: str) -> str:
    """The text if it is an id, a code or a number of some sort; else WITHHELD."""
    return text if _TOKEN.fullmatch(text) and _PERSON_NUMBER.search(text) is None else WITHHELD


def opaque(text: str) -> str:
    """A name that somebody else gave (a vkp-id, a subject): as it is when it is a code, else percent-encoded."""
    # Looked for before: encoded, what stands in front of the number could hide it.
    return WITHHELD if _PERSON_NUMBER.search(text) else code(quote(text, safe="._:/|+~=-"))


def sentence(text: str, longest: int = _LONGEST_SENTENCE) -> str:
    """A display name or a reason: on one line, cut, and withheld when it holds a number that may be a person's."""
    clean = "".join(letter for letter in text if letter.isprintable())[:longest]
    return WITHHELD if _PERSON_NUMBER.search(clean) else clean
