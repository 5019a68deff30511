"""A note as a FHIR R4 DocumentReference (http://hl7.org/fhir/R4/documentreference.html), for receivers that take FHIR.

The first content is the note as plain text in the receiver's character set; the second, when asked for, is the message
exactly as it was received, for the archive. The same input gives the same bytes: ids are made of the event's id, and
times are those of the message. A correction is a document of its own that appends to the one it corrects, which stays.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from shared import clock
from shared.fhir.envelope.references import survey
from shared.fhir.identifiers import UUID_SYSTEM, identifier_of
from shared.fhir.values import JsonObject, JsonValue
from shared.journal.charset import codec, fit
from shared.journal.model import Note, NoteChoices, NoteContext
from shared.journal.subject import subject_of
from shared.journal.text import as_text
from shared.journal.xhtml import language_tag

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://knutepunkt.no/fhir/journal-note")
_TYPE: Final = "Journalnotat"
_CATEGORY: Final = "Velferdsteknologi"


@dataclass(frozen=True, slots=True)
class Filing:
    """What a DocumentReference says beside the note."""

    event_id: str
    """The hub's id of the event; for a file that is no event yet, anything that stays the same."""
    message: JsonObject = field(repr=False)
    """The repaired message that the note is of."""
    context: NoteContext
    original: bytes | None = field(default=None, repr=False)
    """The message as received, byte for byte, when the receiver wants it too."""
    original_type: str = "application/fhir+json"
    custodian: str = ""
    """Who keeps the journal, by name; the hub when nobody is named."""
    corrects_event: str | None = None
    """The id of the event whose note this one corrects or withdraws."""


def document_reference(note: Note, choices: NoteChoices, filing: Filing) -> JsonObject:
    """The resource. Its text is whole, however long: a field's limit is for `shared.journal.length`."""
    context = filing.context
    identifier = _identifier(filing.event_id)
    text = fit(as_text(note, choices.layout), choices.charset, note.language).text
    encoding = codec(choices.charset)
    written = clock.written(context.received_at)
    contents = [_content(text.encode(encoding), f"text/plain;charset={encoding}", note.heading, written)]
    contents[0]["language"] = language_tag(note.language)
    if filing.original is not None:
        contents.append(_content(filing.original, filing.original_type, "", written))
    resource: JsonObject = {
        "resourceType": "DocumentReference",
        "masterIdentifier": identifier,
        "identifier": [identifier],
        "status": "current",
        "docStatus": "preliminary" if _is_preliminary(filing.message) else "final",
        "type": {"text": _TYPE},
        "category": [{"text": _CATEGORY}],
    }
    if (subject := subject_of(filing.message)) is not None:
        resource["subject"] = subject
    resource["date"] = written
    resource["author"] = [{"type": "Device", "display": context.sender_system or context.hub}]
    resource["custodian"] = {"type": "Organization", "display": filing.custodian or context.hub}
    if filing.corrects_event is not None:
        target: JsonObject = {"identifier": _identifier(filing.corrects_event)}
        resource["relatesTo"] = [{"code": "appends", "target": target}]
    resource["description"] = note.heading
    resource["content"] = [{"attachment": attachment} for attachment in contents]
    if about := _about(note, filing):
        resource["context"] = about
    return resource


def to_bytes(resource: JsonObject) -> bytes:
    """The resource as JSON in UTF-8, to be sent as application/fhir+json."""
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


def note_uuid(event_id: str) -> str:
    """`urn:uuid:…`, the same for the same event."""
    return uuid5(_NAMESPACE, event_id).urn


def _identifier(event_id: str) -> JsonObject:
    return {"system": UUID_SYSTEM, "value": note_uuid(event_id)}


def _content(data: bytes, content_type: str, title: str, written: str) -> JsonObject:
    # R4's Attachment.hash is a SHA-1: it finds broken transfers, it protects nothing.
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    attachment: JsonObject = {
        "contentType": content_type,
        "data": base64.b64encode(data).decode("ascii"),
        "size": len(data),
        "hash": base64.b64encode(digest).decode("ascii"),
        "creation": written,
    }
    return attachment | {"title": title} if title else attachment


def _about(note: Note, filing: Filing) -> JsonObject:
    about: JsonObject = {}
    if note.occurred_at is not None:
        about["period"] = {"start": clock.written(note.occurred_at)}
    if (sent := _business_identifier(filing.message)) is not None:
        about["related"] = [{"identifier": sent}]
    return about


def _business_identifier(message: JsonObject) -> JsonObject | None:
    """The message's own identifier as sent: a Bundle has one, other resources have lists."""
    written = message.get("identifier")
    candidates: list[JsonValue] = written if isinstance(written, list) else [written]
    for each in candidates:
        if isinstance(each, dict) and identifier_of(each) is not None:
            return {name: each[name] for name in ("system", "value") if name in each}
    return None


def _is_preliminary(message: JsonObject) -> bool:
    found = [each.resource for each in survey(message).resources]
    return any(each.get("resourceType") == "Composition" and each.get("status") == "preliminary" for each in found)
