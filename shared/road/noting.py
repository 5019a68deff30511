"""What a receiver gets: the bytes as they were received, a journal note made of them, or both in one document.

The note is made at delivery, of the stored bytes and what the register says, and so that the same message gives the
same bytes at every try. A message that no note may be made of without a person's eye is not handed over at all.
"""

from dataclasses import dataclass, field
from typing import Final

from shared.fhir.reading import Judging, judge
from shared.journal.document_reference import Filing, document_reference, to_bytes
from shared.journal.model import Held, NoteContext
from shared.journal.render import render
from shared.messages.model import Event
from shared.registry.model import Content, Municipality, Receiver, System

_REFERENCE: Final = 8
"""Characters of an event's id that a note shows: enough to find it with the day and the patient."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What is posted to the receiver."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Why no note may be made: `HUB_NOTE_…`, see shared/journal/model.py HeldReason."""

    code: str


def handed_over(
    body: bytes, event: Event, municipality: Municipality, receiver: Receiver, system: System
) -> HandedOver | KeptBack:
    """What this receiver gets of a message. `body` is what the hub accepted."""
    if receiver.content is Content.ORIGINAL:
        return HandedOver(body)
    # What was accepted is judged again only for the repaired copy; by now no finding of it matters.
    message = judge(body, judging=Judging(stu3=system.stu3)).message
    context = NoteContext(
        sender_system=system.name or system.vkp_id,
        received_at=event.received_at,
        reference=event.id[-_REFERENCE:],
    )
    choices = municipality.note_choices(receiver)
    note = render(message, context, choices)
    if isinstance(note, Held):
        return KeptBack("HUB_NOTE_" + note.reason.name)
    original = body if receiver.content is Content.BOTH else None
    filing = Filing(event.id, message, context, original=original, custodian=municipality.name)
    return HandedOver(to_bytes(document_reference(note, choices, filing)))
