"""Lanes and ids: what keeps messages about one patient in order, and gives the same message the same name.

On the way in a lane is one municipality and one patient, on the way out one receiver and one patient. Both are derived
from the patient's keyed pseudonym (`shared.access.pseudonym`), so a lane tells nothing about who it is (P6).
An event's id begins with its lane, and so does the lane of each of its receivers: whoever has one of them can read the
document with one point read, and all of it is in one partition.
"""

import base64
import hashlib
import re
from typing import Final, NewType

Lane = NewType("Lane", str)

_LANE_LENGTH: Final = 20
_CONTENT_LENGTH: Final = 26
_EVENT_ID = re.compile(rf"([a-z2-7]{{{_LANE_LENGTH}}})\.[a-z2-7]{{{_CONTENT_LENGTH}}}")


def inbound(orgnr: str, pseudonym: str) -> Lane:
    """The lane of one municipality's messages about one patient."""
    return Lane(_digest("in", orgnr, pseudonym, length=_LANE_LENGTH))


def outbound(orgnr: str, receiver: str, pseudonym: str) -> Lane:
    """The lane of one receiver's messages about one patient. A receiver is known by its municipality and its id."""
    return toward(inbound(orgnr, pseudonym), receiver)


def toward(lane: Lane, receiver: str) -> Lane:
    """The lane of what came in by `lane`, on its way to one receiver."""
    return Lane(f"{lane}.{receiver}")


def partition_of(lane: Lane | str) -> str:
    """Where all documents of a lane are kept: those of one municipality and one patient are together."""
    return lane.partition(".")[0]


def line_id(lane: Lane | str) -> str:
    """The id of the document that is the lane's line of work: `lane`, or `lane.<receiver>` on the way out."""
    return f"lane{lane[len(partition_of(lane)) :]}"


def event_id(
    lane: Lane, *, sender: str, orgnr: str, resource: str, business_identifier: tuple[str, str] | None, sha256: str
) -> str:
    """The event's id: the same sender, identifier and content to the same address give the same id (P3).

    An identifier that comes back with other content is another event: a correction must not be swallowed.
    """
    system, value = business_identifier or ("", "")
    return f"{lane}.{_digest(sender, orgnr, resource, system, value, sha256, length=_CONTENT_LENGTH)}"


def business_key(sender: str, orgnr: str, identifier: tuple[str, str]) -> str:
    """A name that a sender has for an event, as a digest, for finding what it sent before."""
    return _digest("business", sender, orgnr, *identifier, length=_CONTENT_LENGTH)


def lane_of(event: str) -> Lane | None:
    """The lane an event id begins with; None when the text is no event id."""
    match = _EVENT_ID.fullmatch(event)
    return Lane(match[1]) if match else None


def event_of(delivery: str) -> str:
    """The event that a delivery's id begins with."""
    return delivery.rpartition(".")[0]


def delivery_id(event: str, receiver: str) -> str:
    """The delivery's id, which is also the idempotency key its receiver gets with every try."""
    return f"{event}.{receiver}"


def _digest(*parts: str, length: int) -> str:
    # The lengths go in too: otherwise ("ab", "c") and ("a", "bc") would share a digest.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    whole = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(whole).decode("ascii").lower().rstrip("=")[:length]
