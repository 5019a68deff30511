"""What the register holds: municipalities with their receivers, and which systems may send to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from shared.fhir.rules import Severity, overrides
from shared.journal.model import NoteChoices
from shared.messages.documents import Document
from shared.registry.notes import NoteSettings, choices

_ORGNR: Final = re.compile(r"[0-9]{9}")
_RECEIVER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,15}")
MUNICIPALITY_DOCUMENT: Final = "municipality"
SYSTEMS: Final = "systems"
"""Stands in the place of an orgnr for what is said of vendors' systems everywhere."""

_NO_NOTES: Final[NoteSettings] = MappingProxyType({})


class Content(StrEnum):
    """What a receiver gets of each message."""

    ORIGINAL = "original"
    """The bytes as they were received."""
    NOTE = "note"
    """A journal note, as a FHIR DocumentReference."""
    BOTH = "both"
    """A DocumentReference that holds the note and the bytes as they were received."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """An EPJ (or another system) that gets a municipality's messages. `id` is part of every idempotency key."""

    id: str
    url: str
    resources: frozenset[str] = frozenset()
    """The addresses whose messages it gets; empty: all."""
    content: Content = Content.ORIGINAL
    note: NoteSettings = _NO_NOTES
    """How its notes are written, where it differs from what the municipality chose."""

    def __post_init__(self) -> None:
        if not _RECEIVER.fullmatch(self.id):
            raise ValueError("a receiver's id is up to 16 of a-z, 0-9 and hyphen")
        choices(self.note)

    def takes(self, resource: str) -> bool:
        """Whether it gets messages posted to this address."""
        return not self.resources or resource in self.resources


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality that receives messages."""

    orgnr: str
    name: str
    receivers: tuple[Receiver, ...]
    note: NoteSettings = _NO_NOTES
    """How notes are written for this municipality, where it differs from the defaults of NoteChoices."""

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
        return {
            "id": MUNICIPALITY_DOCUMENT,
            "orgnr": self.orgnr,
            "type": "municipality",
            "name": self.name,
            "note": dict(self.note),
            "receivers": [
                {
                    "id": each.id,
                    "url": each.url,
                    "resources": sorted(each.resources),
                    "content": each.content.value,
                    "note": dict(each.note),
                }
                for each in self.receivers
            ],
        }


@dataclass(frozen=True, slots=True)
class Grant:
    """A municipality lets a system send it messages to these addresses (vkp-api.md 3.2: vkp-id × orgnr)."""

    orgnr: str
    vkp_id: str
    resources: frozenset[str] = frozenset()
    """Addresses it may post to; empty: all."""

    def allows(self, resource: str) -> bool:
        """Whether it may post to this address."""
        return not self.resources or resource in self.resources

    def document(self) -> Document:
        """As kept in the register."""
        return {
            "id": grant_id(self.vkp_id),
            "orgnr": self.orgnr,
            "type": "grant",
            "vkpId": self.vkp_id,
            "resources": sorted(self.resources),
        }


@dataclass(frozen=True, slots=True)
class System:
    """A vendor's system, whichever municipality it sends to."""

    vkp_id: str
    name: str = ""
    """As journal notes name the sender; empty: its vkp-id."""
    rules: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    """Rules that are graver or milder for its messages than for others'."""
    stu3: bool = False
    """Whether its STU3-shaped messages are mapped to R4 for the check, where a mapping exists."""

    def document(self) -> Document:
        """As kept in the register."""
        return {
            "id": system_id(self.vkp_id),
            "orgnr": SYSTEMS,
            "type": "system",
            "vkpId": self.vkp_id,
            "name": self.name,
            "rules": {key: severity.value for key, severity in self.rules.items()},
            "stu3": self.stu3,
        }


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


def municipality_from(document: dict[str, Any]) -> Municipality:
    """The municipality behind its document. Raises KeyError or ValueError for a document that is none."""
    return Municipality(
        orgnr=document["orgnr"],
        name=document["name"],
        receivers=tuple(
            Receiver(
                each["id"],
                each["url"],
                frozenset(each["resources"]),
                Content(each.get("content", Content.ORIGINAL)),
                each.get("note", _NO_NOTES),
            )
            for each in document["receivers"]
        ),
        note=document.get("note", _NO_NOTES),
    )


def grant_from(document: dict[str, Any]) -> Grant:
    """The grant behind its document. Raises KeyError for a document that is none."""
    return Grant(document["orgnr"], document["vkpId"], frozenset(document["resources"]))


def system_from(document: dict[str, Any]) -> System:
    """The system behind its document. Raises KeyError or ValueError for a document that is none."""
    return System(document["vkpId"], document["name"], overrides(document["rules"]), document["stu3"])
