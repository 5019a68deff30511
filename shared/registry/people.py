"""Who of a municipality, and of the hub's operators, may see and change what in the register, and until when.

Roles are those of VKP's Min side (vkp-api.md 5): monitoring, administration, user administration; and the operator, who
answers for the hub itself. An access is dated and lapses after at most half a year, as there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import Field, PlainSerializer

from shared.access.caller import Person
from shared.messages.documents import Document
from shared.registry.shapes import Line, Moment, Name, as_json, closed, kept

__all__ = [
    "LONGEST_ACCESS", "Access", "Person", "Role", "Roles", "access_from", "access_id",
]  # fmt: skip

LONGEST_ACCESS: Final = timedelta(days=184)
"""Six months, however long they are."""


class Role(StrEnum):
    """What a person is trusted with."""

    MONITORING = "monitoring"
    ADMINISTRATION = "administration"
    USER_ADMINISTRATION = "user-administration"
    OPERATOR = "operator"
    """Of the hub: all municipalities. Kept where the vendors' systems are, never in a municipality."""


Roles = Annotated[frozenset[Role], Field(min_length=1), PlainSerializer(sorted, return_type=list[str])]


@closed
@dataclass(frozen=True, slots=True)
class Access:
    """A person's access."""

    orgnr: str
    """The municipality; `systems` for an operator."""
    subject: Name
    """As the issuer calls them, with the issuer before it: `helseid:…` or `entra:…`."""
    roles: Roles
    valid_until: Moment
    """When it lapses (UTC)."""
    name: Line = ""
    """For the one who administers. Kept out of histories."""
    valid_from: Moment | None = None
    """Null: at once."""

    def roles_at(self, now: datetime) -> frozenset[Role]:
        """The roles that count at this moment."""
        begun = self.valid_from is None or self.valid_from <= now
        return self.roles if begun and now < self.valid_until else frozenset()

    def document(self) -> Document:
        """As kept in the register."""
        return {"id": access_id(self.subject), "type": "person", **as_json(Access, self)}


def access_id(subject: str) -> str:
    """The access's document id, whatever characters a subject has."""
    return "person." + quote(subject, safe="").replace("%", "~")


def access_from(document: Document) -> Access:
    """The access behind its document. Raises ValueError for a document that is none."""
    return kept(Access, document)
