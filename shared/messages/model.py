"""An event, a delivery and the stations they pass: frozen, typed, and how they are written as documents."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared import clock
from shared.messages.documents import Document
from shared.messages.lanes import Lane
from shared.messages.lifecycle import State
from shared.messages.urgency import Urgency


@dataclass(frozen=True, slots=True)
class Station:
    """One place on a message's road and when it was there. `detail` is a code, never a word of the message."""

    at: datetime
    state: State
    detail: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else the audit log is to know of it: codes, versions, numbers. No personal data."""

    def document(self) -> Document:
        """As kept in the event's or the delivery's `stations`."""
        written = {"at": clock.written(self.at), "state": self.state.value, "detail": self.detail}
        return {**written, "facts": dict(self.facts)} if self.facts else written


@dataclass(frozen=True, slots=True)
class Event:
    """A message as accepted: everything about it but its bytes, which are a document of their own."""

    id: str
    lane: Lane
    patient: str
    """Keyed pseudonym."""
    orgnr: str
    resource: str
    """The address it was posted to, lower case: `bundle`, `observation`, …"""
    resource_type: str
    sender: str
    """vkp-id."""
    sha256: str
    size: int
    """Bytes."""
    content_type: str
    correlation_id: str
    traceparent: str
    received_at: datetime
    occurred_at: datetime | None = None
    kind: str = ""
    """What sort of event it tells of: a code of shared/fhir/kinds.py."""
    severity: str = ""
    """How grave its sender says it is, with the scale: `vkp:30`, `r4:high`; empty when nothing is said."""
    names: tuple[str, ...] = ()
    """Keys of what its sender may call it by in a later message (`lanes.business_key`); its own identifier first."""
    urgency: Urgency = Urgency.ROUTINE

    def facts(self) -> Document:
        """What routing and delivering need to know, as kept in work lists and deliveries."""
        return {
            "event": self.id,
            "eventLane": self.lane,
            "patient": self.patient,
            "orgnr": self.orgnr,
            "resource": self.resource,
            "resourceType": self.resource_type,
            "sender": self.sender,
            "sha256": self.sha256,
            "size": self.size,
            "contentType": self.content_type,
            "correlationId": self.correlation_id,
            "traceparent": self.traceparent,
            "receivedAt": clock.written(self.received_at),
            "occurredAt": clock.written(self.occurred_at) if self.occurred_at else None,
            "kind": self.kind,
            "severity": self.severity,
            "names": list(self.names),
            "urgency": self.urgency.value,
        }

    def document(self, stations: Sequence[Station], receivers: Sequence[Document] = ()) -> Document:
        """The event's own document, as it is created: with the stations it has passed and where it goes."""
        return {
            **self.facts(),
            "id": self.id,
            "lane": self.lane,
            "type": "event",
            "state": stations[-1].state.value,
            "stations": [each.document() for each in stations],
            "receivers": list(receivers),
        }


def event_from(facts: Mapping[str, Any]) -> Event:
    """The event behind its facts. Raises KeyError or ValueError for a document that is none."""
    occurred = facts["occurredAt"]
    return Event(
        id=facts["event"],
        lane=Lane(facts["eventLane"]),
        patient=facts["patient"],
        orgnr=facts["orgnr"],
        resource=facts["resource"],
        resource_type=facts["resourceType"],
        sender=facts["sender"],
        sha256=facts["sha256"],
        size=facts["size"],
        content_type=facts["contentType"],
        correlation_id=facts["correlationId"],
        traceparent=facts["traceparent"],
        received_at=clock.read(facts["receivedAt"]),
        occurred_at=clock.read(occurred) if occurred else None,
        kind=facts.get("kind", ""),
        severity=facts.get("severity", ""),
        names=tuple(facts.get("names", ())),
        urgency=Urgency(facts.get("urgency", Urgency.ROUTINE)),
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one receiver. Its id is the idempotency key."""

    id: str
    lane: Lane
    receiver: str
    attempts: int
    """Tries begun."""
    routed_at: datetime
    event: Event
    place: int = 0
    """Its place in the order of acceptance in its lane: what is replayed goes by it. 0: it had no receiver then."""
    tried: int = 0
    """Tries begun before it was put into its line this time: a replay goes on counting where the first round ended."""
    returned_at: datetime | None = None
    """When it was last put back into its line, after it had been set aside or withdrawn."""
    kept: bool = False
    """Whether it has a document of its own: it gets one when there is more to tell than that it stands in line."""

    @property
    def tried_since(self) -> datetime:
        """From when on the time counts that it is tried for: a replay days later is no last try."""
        return self.returned_at or self.event.received_at

    @property
    def key(self) -> str:
        """Its receiver, told from those of other municipalities that have the same id."""
        return receiver_key(self.event.orgnr, self.receiver)

    def work(self) -> Document:
        """Its place in its lane's line. All else is in its event's document: lines are often written."""
        work: Document = {
            "id": self.id,
            "receivedAt": clock.written(self.event.received_at),
            "urgency": self.event.urgency.value,
            "size": self.event.size,
            "tried": self.tried,
        }
        if self.returned_at:
            work["returnedAt"] = clock.written(self.returned_at)
        # Where it has a document it may have been routed later, and its trace goes on from there.
        return {**work, "kept": True, "traceparent": self.event.traceparent} if self.kept else work

    def placed(self) -> Document:
        """The same of one that comes into the line with a place of its own, not with the next that is given."""
        return {**self.work(), "place": self.place}

    def document(self, *after: Station) -> Document:
        """The delivery's own document: routed, and where it has been since."""
        stations = (Station(self.routed_at, State.ROUTED), *after)
        return {
            **self.event.facts(),
            "id": self.id,
            "lane": self.lane,
            "type": "delivery",
            "receiver": self.receiver,
            "place": self.place,
            "routedAt": clock.written(self.routed_at),
            "state": stations[-1].state.value,
            "attempts": self.attempts,
            "due": clock.written(self.routed_at),
            "stations": [each.document() for each in stations],
        }


def delivery_from(work: Mapping[str, Any], line: Mapping[str, Any], event: Event, tries: int, place: int) -> Delivery:
    """The delivery behind its place in line, where it was tried so often. Raises KeyError or ValueError for work that
    is none."""
    tried, returned = work["tried"], work.get("returnedAt")
    return Delivery(
        id=work["id"],
        lane=Lane(line["lane"]),
        receiver=line["receiver"],
        attempts=tried + tries,
        # Where that is another time it has a document already, which tells of it.
        routed_at=event.received_at,
        event=replace(event, traceparent=work.get("traceparent", event.traceparent)),
        place=place,
        tried=tried,
        returned_at=clock.read(returned) if returned else None,
        kept=work.get("kept", False),
    )


def delivery_of(document: Mapping[str, Any], returned_at: datetime | None = None) -> Delivery:
    """The delivery that its document tells of, to be put into its line once more. Raises KeyError or ValueError."""
    return Delivery(
        id=document["id"],
        lane=Lane(document["lane"]),
        receiver=document["receiver"],
        attempts=document["attempts"],
        routed_at=clock.read(document["routedAt"]),
        event=event_from(document),
        place=document.get("place", 0),
        tried=document["attempts"],
        returned_at=returned_at,
        kept=document["type"] == "delivery",
    )


def receiver_key(orgnr: str, receiver: str) -> str:
    """A receiver's name everywhere: its municipality and its id there."""
    return f"{orgnr}/{receiver}"


def stations_from(document: Mapping[str, Any]) -> tuple[Station, ...]:
    """The stations kept in an event's or a delivery's document."""
    entries: Sequence[Mapping[str, Any]] = document["stations"]
    return tuple(
        Station(clock.read(entry["at"]), State(entry["state"]), entry["detail"], entry.get("facts", {}))
        for entry in entries
    )


def payload_document(event: Event, body: bytes, kept_for: timedelta | None = None) -> Document:
    """The received bytes as a document: exact (P5), and small, since a write is paid for by its size.

    The database deletes it by itself when it has been `kept_for` so long (Cosmos DB's time to live, whole seconds).
    """
    document: Document = {
        "id": payload_id(event.id),
        "lane": event.lane,
        "type": "payload",
        "encoding": "zlib+base64",
        "data": base64.b64encode(zlib.compress(body)).decode("ascii"),
    }
    return document if kept_for is None else {**document, "ttl": max(1, int(kept_for.total_seconds()))}


def aside_document(at: datetime, cause: str, key: str, orgnr: str, status: int = 0) -> Document:
    """Why a message is set aside, as its document says it for as long as it is: what replay looks for it by."""
    return {"at": clock.written(at), "cause": cause, "key": key, "orgnr": orgnr, "status": status}


def payload_id(event: str) -> str:
    """The id of the document that holds an event's bytes."""
    return f"{event}.payload"


def payload_from(document: Mapping[str, Any]) -> bytes:
    """The received bytes again. Raises ValueError or zlib.error when the document does not hold them."""
    if document["encoding"] != "zlib+base64":
        raise ValueError("a payload in an encoding that is not known here")
    return zlib.decompress(base64.b64decode(document["data"], validate=True))
