"""What a receiver gets: the bytes as they were received, a journal note made of them, or both in one document.

The note is made at delivery, of the stored bytes and what the register says, and so that the same message gives the
same bytes at every try. A message that no note may be made of without a person's eye is not handed over at all.
"""

from dataclasses import dataclass, field
from typing import Final

from shared.fhir.envelope.references import objects, survey
from shared.fhir.identifiers import identifier_of
from shared.fhir.reading import Judging, judge
from shared.fhir.values import JsonObject
from shared.journal.document_reference import Filing, document_reference, to_bytes
from shared.journal.model import Earlier, Held, NoteContext
from shared.journal.render import render
from shared.messages import lanes
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


@dataclass(frozen=True, slots=True)
class Before:
    """What the same sender sent before about the same event."""

    event: Event
    body: bytes = field(repr=False)


def opened(body: bytes, system: System) -> JsonObject:
    """A message that the hub accepted, as its checks read it."""
    return judge(body, judging=Judging(stu3=system.stu3)).message


def refers_to(message: JsonObject, event: Event) -> tuple[str, ...]:
    """The names of what this message may correct or withdraw, the likeliest first."""
    targets = (
        identifier_of(relation.get("targetIdentifier"))
        for note in survey(message).of("Composition")
        for relation in objects(note.get("relatesTo"))
    )
    keys = (lanes.business_key(event.sender, event.orgnr, target) for target in targets if target is not None)
    return tuple(dict.fromkeys((*keys, *event.names)))


def written(
    body: bytes,
    message: JsonObject,
    event: Event,
    municipality: Municipality,
    receiver: Receiver,
    system: System,
    before: Before | None,
) -> HandedOver | KeptBack:
    """The document with the note for this receiver. `body` is what the hub accepted, `message` what it says."""
    earlier = None
    if before is not None:
        was = opened(before.body, system)
        earlier = Earlier(before.event.occurred_at, before.event.id[-_REFERENCE:], was)
    context = NoteContext(
        sender_system=system.name or system.vkp_id,
        received_at=event.received_at,
        reference=event.id[-_REFERENCE:],
        corrects=earlier,
    )
    choices = municipality.note_choices(receiver)
    note = render(message, context, choices)
    if isinstance(note, Held):
        return KeptBack("HUB_NOTE_" + note.reason.name)
    filing = Filing(
        event.id,
        message,
        context,
        original=body if receiver.content is Content.BOTH else None,
        custodian=municipality.name,
        corrects_event=before.event.id if before is not None else None,
    )
    return HandedOver(to_bytes(document_reference(note, choices, filing)))
