"""The kinds of entries, and telling from a document which one it is."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from shared.messages.documents import Document
from shared.registry.model import (
    SYSTEMS,
    Grant,
    Municipality,
    System,
    grant_from,
    municipality_from,
    system_from,
)
from shared.registry.partner import PartnerProfile, partner_from
from shared.registry.people import Access, access_from
from shared.registry.proposals import Proposal, proposal_from
from shared.registry.revoked import RevokedKeys, revoked_from

type Entry = Municipality | Grant | PartnerProfile | Access | System | RevokedKeys | Proposal

READERS: Final[Mapping[str, Callable[[Document], Entry]]] = MappingProxyType({
    "municipality": municipality_from,
    "grant": grant_from,
    "partnerProfile": partner_from,
    "person": access_from,
    "system": system_from,
    "revokedKeys": revoked_from,
    "proposal": proposal_from,
})  # fmt: skip
"""By the `type` of their documents."""

HISTORY: Final = "history"
"""The `type` of the documents that tell of changes."""
VERSION: Final = "version"
WITHDRAWN: Final = "withdrawn"
"""A document that has this, true, stands for an entry that is no longer there. It stays, so that versions go on from
where they were when the entry comes back."""


def partition(entry: Entry) -> str:
    """Where an entry's document is kept."""
    return SYSTEMS if isinstance(entry, System | RevokedKeys) else entry.orgnr


def entry_of(document: Document | None) -> Entry | None:
    """The entry behind a document; None when there is none, or none any longer. Raises ValueError, KeyError."""
    if document is None or document.get(WITHDRAWN):
        return None
    return READERS[document["type"]](document)


def version_of(document: Document | None) -> int:
    """How often an entry has been written; 0 for none, and for documents from before entries had versions."""
    version = (document or {}).get(VERSION, 0)
    return version if isinstance(version, int) else 0
