"""Four eyes: where a municipality's messages go, and how the hub is let in there, is changed over HTTP by two people.

The first one's change is kept as a proposal. It counts when another person who may change it sends the very same entry,
so that nobody approves what they have not had before their eyes. Applying a reviewed file is a change by itself: its
second pair of eyes is the review.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.messages.documents import Document
from shared.registry.model import Receiver
from shared.registry.shapes import Moment, Name, Orgnr, as_json, closed, kept

LASTING: Final = timedelta(days=7)
"""How long a proposal waits for another person."""


@closed
@dataclass(frozen=True, slots=True)
class Proposal:
    """A receiver as somebody wants it to be."""

    orgnr: Orgnr
    receiver: Receiver
    proposed_by: Name
    """The person's subject."""
    proposed_at: Moment
    """Until a week later (UTC) another person can make it count."""

    def document(self) -> Document:
        """As kept in the register."""
        return {"id": proposal_id(self.receiver.id), "type": "proposal", **as_json(Proposal, self)}


def proposal_id(receiver: str) -> str:
    """The id of the document of what is proposed for this receiver: one at a time, the latest."""
    return f"proposal.{receiver}"


def proposal_from(document: Document) -> Proposal:
    """The proposal behind its document. Raises ValueError for a document that is none."""
    return kept(Proposal, document)


def needs_another(before: Receiver | None, after: Receiver | None) -> bool:
    """Whether this change is one that two must make: a new receiver, another address, another way in. Taking a receiver
    away sends nothing anywhere, and may be urgent."""
    if after is None:
        return False
    return before is None or _leads(before) != _leads(after)


def makes_count(proposal: Proposal | None, wanted: Receiver, who: str, now: datetime) -> bool:
    """Whether the one who wants this is the second who does."""
    if proposal is None or who == proposal.proposed_by or now >= proposal.proposed_at + LASTING:
        return False
    return proposal.receiver == wanted


def _leads(receiver: Receiver) -> tuple[object, ...]:
    return receiver.url, receiver.credentials, receiver.auth, receiver.kind
