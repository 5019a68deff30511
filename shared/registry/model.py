"""What the register holds: municipalities with their receivers, and which systems may send to them."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from shared.messages.documents import Document

_ORGNR: Final = re.compile(r"[0-9]{9}")
_RECEIVER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,15}")
MUNICIPALITY_DOCUMENT: Final = "municipality"


@dataclass(frozen=True, slots=True)
class Receiver:
    """An EPJ (or another system) that gets a municipality's messages. `id` is part of every idempotency key."""

    id: str
    url: str
    resources: frozenset[str] = frozenset()
    """The addresses whose messages it gets; empty: all."""

    def __post_init__(self) -> None:
        if not _RECEIVER.fullmatch(self.id):
            raise ValueError("a receiver's id is up to 16 of a-z, 0-9 and hyphen")

    def takes(self, resource: str) -> bool:
        """Whether it gets messages posted to this address."""
        return not self.resources or resource in self.resources


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality that receives messages."""

    orgnr: str
    name: str
    receivers: tuple[Receiver, ...]

    def document(self) -> Document:
        """As kept in the register."""
        return {
            "id": MUNICIPALITY_DOCUMENT,
            "orgnr": self.orgnr,
            "type": "municipality",
            "name": self.name,
            "receivers": [
                {"id": each.id, "url": each.url, "resources": sorted(each.resources)} for each in self.receivers
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


def is_orgnr(text: str) -> bool:
    """Whether a text has the form of an organisation number. Its check digit is not demanded: published synthetic
    numbers fail it (helseid.md 3.3)."""
    return _ORGNR.fullmatch(text) is not None


def grant_id(vkp_id: str) -> str:
    """The grant's document id. A vkp-id is opaque and may hold characters that Cosmos forbids in ids."""
    return "grant." + quote(vkp_id, safe="").replace("%", "~")


def municipality_from(document: dict[str, Any]) -> Municipality:
    """The municipality behind its document. Raises KeyError or ValueError for a document that is none."""
    return Municipality(
        orgnr=document["orgnr"],
        name=document["name"],
        receivers=tuple(
            Receiver(each["id"], each["url"], frozenset(each["resources"])) for each in document["receivers"]
        ),
    )


def grant_from(document: dict[str, Any]) -> Grant:
    """The grant behind its document. Raises KeyError for a document that is none."""
    return Grant(document["orgnr"], document["vkpId"], frozenset(document["resources"]))
