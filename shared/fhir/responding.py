"""The answer to `$process-message`: a message in return, as R4 messaging has it.

R4 http://hl7.org/fhir/R4/messaging.html and http://hl7.org/fhir/R4/messageheader.html: the response carries the event
of the request, names it by the id of its MessageHeader, goes to the address the request came from, and holds an
OperationOutcome. VKP's profile of MessageHeader asks for parties by HER-id, which are repeated from the request with
their places exchanged.

Only what a MessageHeader is meant to say is repeated, and only in the form R4 gives it: the answer is valid whatever
the request was.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from shared.errors import HubError
from shared.fhir.envelope.references import entries_of, objects
from shared.fhir.outcome import Outcome
from shared.fhir.values import JsonObject, JsonValue

PROFILE = "http://ehelse.no/fhir/StructureDefinition/vkp-MessageHeader-v090"

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_URI = re.compile(r"\S{1,2000}")
_CODE = re.compile(r"[^\s]+(?:\s[^\s]+)*")
_TEXT = re.compile(r"(?=.*\S)[^\x00-\x08\x0b\x0c\x0e-\x1f]{1,500}", re.DOTALL)
_URN = "urn:uuid:"
_INTERNAL_ERROR = 500


class Code(StrEnum):
    """R4's response codes (http://hl7.org/fhir/response-code)."""

    OK = "ok"
    TRANSIENT_ERROR = "transient-error"
    """Send the same again later."""
    FATAL_ERROR = "fatal-error"
    """Sending the same again gives the same answer."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who sends or receives: an address, and who is there."""

    endpoint: str | None = None
    name: str | None = None
    who: dict[str, Any] | None = field(default=None, repr=False)
    """A Reference by identifier."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an answer repeats of the message it answers."""

    identifier: str
    """The id of its MessageHeader."""
    event: dict[str, Any]
    """`eventCoding` or `eventUri`, as a member."""
    sender: Party
    receiver: Party


def request_of(message: JsonObject) -> Request | None:
    """What to repeat of a repaired message of any shape.

    None when it has no MessageHeader with an id (or fullUrl with a UUID) and an event: nobody could match an answer to
    it, so an OperationOutcome alone is the answer.
    """
    _, entry = next(entries_of(message), (0, {}))
    header = entry.get("resource")
    if message.get("type") != "message" or not isinstance(header, dict):
        return None
    identifier = _matching(header.get("id"), _ID) or _uuid(entry.get("fullUrl"))
    event = _event(header)
    if header.get("resourceType") != "MessageHeader" or identifier is None or event is None:
        return None
    source = next(iter(objects(header.get("source"))), {})
    destination = next(iter(objects(header.get("destination"))), {})
    return Request(
        identifier,
        event,
        sender=_party(source, header.get("sender")),
        receiver=_party(destination, destination.get("receiver")),
    )


def code_of(error: HubError | None) -> Code:
    """The response code for a refusal, or for none."""
    if error is None:
        return Code.OK
    return Code.TRANSIENT_ERROR if error.status >= _INTERNAL_ERROR else Code.FATAL_ERROR


def response_bundle(
    request: Request, outcome: Outcome, code: Code, *, identifier: UUID, at: datetime, endpoint: str, name: str
) -> dict[str, Any]:
    """The answer as a Bundle of type message: a MessageHeader and the OperationOutcome it refers to.

    `identifier` becomes the id of the answer, `at` (zone-aware) its time; `endpoint` and `name` are the hub's own, used
    where the request names no address it was sent to. Same arguments, same answer.
    """
    details = f"{_URN}{uuid5(identifier, 'OperationOutcome')}"
    header: dict[str, Any] = {
        "resourceType": "MessageHeader",
        "id": str(identifier),
        "meta": {"profile": [PROFILE]},
        **request.event,
    }
    if request.sender.endpoint is not None:
        header["destination"] = [_without_nothing(
            {"name": request.sender.name, "endpoint": request.sender.endpoint, "receiver": request.sender.who}
        )]  # fmt: skip
    header |= _without_nothing(
        {
            "sender": request.receiver.who,
            "source": {"name": request.receiver.name or name, "endpoint": request.receiver.endpoint or endpoint},
            "response": {"identifier": request.identifier, "code": code.value, "details": {"reference": details}},
        }
    )
    return {
        "resourceType": "Bundle",
        "id": str(uuid5(identifier, "Bundle")),
        "type": "message",
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "entry": [
            {"fullUrl": f"{_URN}{identifier}", "resource": header},
            {"fullUrl": details, "resource": outcome},
        ],
    }


def _event(header: JsonObject) -> dict[str, Any] | None:
    coding = header.get("eventCoding")
    if isinstance(coding, dict):
        code = _matching(coding.get("code"), _CODE)
        system = _matching(coding.get("system"), _URI)
        if code is not None:
            display = _matching(coding.get("display"), _TEXT)
            return {"eventCoding": _without_nothing({"system": system, "code": code, "display": display})}
    uri = _matching(header.get("eventUri"), _URI)
    return {"eventUri": uri} if uri is not None else None


def _party(place: JsonObject, who: JsonValue) -> Party:
    return Party(_matching(place.get("endpoint"), _URI), _matching(place.get("name"), _TEXT), _who(who))


def _who(reference: JsonValue) -> dict[str, Any] | None:
    """A Reference by identifier; a literal one would lead nowhere from the answer."""
    identifier = reference.get("identifier") if isinstance(reference, dict) else None
    if not isinstance(reference, dict) or not isinstance(identifier, dict):
        return None
    system, value = _matching(identifier.get("system"), _URI), _matching(identifier.get("value"), _TEXT)
    if value is None:
        return None
    display = _matching(reference.get("display"), _TEXT)
    return _without_nothing({"identifier": _without_nothing({"system": system, "value": value}), "display": display})


def _uuid(full_url: JsonValue) -> str | None:
    if not isinstance(full_url, str) or not full_url.startswith(_URN):
        return None
    return _matching(full_url.removeprefix(_URN), _ID)


def _matching(value: JsonValue, form: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and form.fullmatch(value) else None


def _without_nothing(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
