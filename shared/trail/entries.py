"""From what the hub keeps anyway to entries of the audit trail.

A message's stations are written in the same transactional batch as the change of state they tell of, so they are the
outbox of the log: nothing can happen to a message that is not to be found there. The same holds for refusals and for
the history of the register. Each station makes the same entries whenever it is read, under the same source.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from shared import clock
from shared.messages.documents import Document
from shared.messages.lifecycle import State
from shared.messages.model import Event, Station, event_from, stations_from
from shared.registry.model import is_orgnr
from shared.trail import facts as telling
from shared.trail.entry import Entry, Kind, Outcome, Person

Reading = Callable[[Document], Iterator[Entry]]
"""Makes the entries of a document; none of one that tells of nothing."""

_KINDS: Final = {
    State.RECEIVED: Kind.ACCEPTED,
    State.ROUTED: Kind.ROUTED,
    State.WAITING: Kind.ATTEMPT,
    State.DELIVERED: Kind.DELIVERED,
    State.JOURNALED: Kind.JOURNALED,
    State.REJECTED: Kind.REFUSED,
    State.QUARANTINED: Kind.QUARANTINED,
    State.WITHDRAWN: Kind.WITHDRAWN,
    State.EXPIRED: Kind.EXPIRED,
}
_OUTCOMES: Final = {Kind.REFUSED: Outcome.MINOR_FAILURE, Kind.QUARANTINED: Outcome.MINOR_FAILURE}
_TRIED: Final = (State.WAITING, State.DELIVERED)
_HUB: Final = "knutepunkt"
_LONGEST_MS: Final = 9
_CHANGES: Final = 200
"""Changed fields that are told one by one; what is more is in the register's own history."""

_BEFORE_THE_ADDRESS: Final = frozenset({"SEND_SCOPE_MISSING", "SEND_ADDRESS_UNKNOWN", "SEND_ORGNR_UNKNOWN"})
"""Refusals given before the address was known to be a municipality's."""


def of_message(document: Document) -> Iterator[Entry]:
    """The entries of whatever stands in the container `messages`."""
    yield from of_event(document)
    yield from of_delivery(document)


def of_event(document: Document) -> Iterator[Entry]:
    """The entries of an event's document: accepted, routed, quarantined, …"""
    if document.get("type") != "event":
        return
    event = event_from(document)
    receivers = ",".join(each["receiver"] for each in document["receivers"])
    for number, station in enumerate(stations_from(document)):
        facts = {"resource": event.resource, "resourceType": event.resource_type, "kind": event.kind}
        if station.state is State.ROUTED:
            facts |= {"receivers": receivers.replace(",", "|"), "count": str(len(document["receivers"]))}
        # It is received once; to be received again is to be put back into line.
        again = number > 0 and station.state is State.RECEIVED
        kind = Kind.REPLAYED if again else _KINDS[station.state]
        yield _entry(event, station, kind, f"event/{event.id}/{number}", facts)


def of_delivery(document: Document) -> Iterator[Entry]:
    """The entries of a delivery's document: each try, delivered, journaled, quarantined, replayed, …"""
    if document.get("type") != "delivery":
        return
    event = event_from(document)
    tries = 0
    for number, station in enumerate(stations_from(document)):
        source = f"delivery/{document['id']}/{number}"
        tried = station.state in _TRIED or telling.HOST in station.facts
        tries += tried
        facts = {"delivery": document["id"], "resource": event.resource, "attempt": str(tries) if tries else ""}
        if station.state is State.ROUTED:
            # The first one is the event's own routing again.
            if number > 0:
                yield _entry(event, station, Kind.REPLAYED, source, facts, document["receiver"])
            continue
        if tried and station.state is not State.WAITING:
            yield _entry(event, station, Kind.ATTEMPT, f"{source}/try", facts, document["receiver"])
        yield _entry(event, station, _KINDS[station.state], source, facts, document["receiver"])


def _entry(
    event: Event, station: Station, kind: Kind, source: str, facts: Mapping[str, str], receiver: str = ""
) -> Entry:
    told = _known(station.facts)
    began, ended = station.at, None
    if kind is Kind.ATTEMPT:
        began, ended = _lasted(station.at, told.get(telling.DURATION_MS, ""))
    else:
        told = {name: value for name, value in told.items() if name not in telling.OF_A_TRY}
    return Entry(
        kind=kind,
        outcome=_outcome(kind, station.state),
        occurred=began,
        ended=ended,
        source=source,
        orgnr=event.orgnr,
        reason=station.detail,
        system=event.sender if kind is Kind.ACCEPTED else _HUB,
        message=event.id,
        patient=event.patient,
        sender=event.sender,
        receiver=receiver or event.orgnr,
        trace=event.traceparent,
        correlation=event.correlation_id,
        details={**facts, **told, "sha256": event.sha256, "size": str(event.size)},
    )


def _known(told: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in told.items() if name in telling.NAMES}


def _outcome(kind: Kind, state: State) -> Outcome:
    if kind is Kind.ATTEMPT and state is not State.DELIVERED:
        # Refused for good it is the message's fault, as the receiver sees it; else it is the receiver's.
        return Outcome.MINOR_FAILURE if state is State.QUARANTINED else Outcome.SERIOUS_FAILURE
    return _OUTCOMES.get(kind, Outcome.SUCCESS)


def _lasted(end: datetime, duration_ms: str) -> tuple[datetime, datetime | None]:
    """When a try began and ended. Stored when it had ended."""
    # More digits would be no duration, and might be no time any more either.
    if not duration_ms.isdecimal() or not duration_ms.isascii() or len(duration_ms) > _LONGEST_MS:
        return end, None
    return end - timedelta(milliseconds=int(duration_ms)), end


def of_refusal(document: Document) -> Iterator[Entry]:
    """The entry of a refused call.

    It stands in the municipality's chain when a caller whose token held had got as far as that municipality; else in
    the hub's own, so that a stranger cannot write into anybody's log, nor open chains by asking for made-up addresses.
    """
    if document.get("type") != "refusal":
        return
    orgnr: str = document["orgnr"] or ""
    code: str = document["code"]
    theirs = document["authenticated"] and is_orgnr(orgnr) and code not in _BEFORE_THE_ADDRESS
    yield Entry(
        kind=Kind.REFUSED,
        outcome=Outcome.SERIOUS_FAILURE if document["status"] >= 500 else Outcome.MINOR_FAILURE,
        occurred=clock.read(document["at"]),
        source=f"refusal/{document['id']}",
        orgnr=orgnr if theirs else "",
        reason=code,
        system=document["vkpId"] or "",
        sender=document["vkpId"] or "",
        receiver=orgnr,
        correlation=document["correlationId"],
        details={
            "resource": document["resource"],
            "httpStatus": str(document["status"]),
            "rules": "|".join(document["rules"])[:160],
            "authenticated": "yes" if document["authenticated"] else "no",
            "sha256": document["sha256"] or "",
            "size": str(document["size"] or ""),
            **_known(document.get("facts", {})),
        },
    )


def of_history(document: Document) -> Iterator[Entry]:
    """The entry of a change of the register: which fields, from what to what, by whom and why.

    Values are told where they are codes, numbers or addresses; words (a name) are withheld, and are in the register's
    own history.
    """
    if document.get("type") != "history":
        return
    orgnr: str = document["orgnr"]
    changes = document["changes"]
    yield Entry(
        kind=Kind.REGISTRY_CHANGE,
        outcome=Outcome.SUCCESS,
        occurred=clock.read(document["at"]),
        source=f"history/{orgnr}/{document['id']}",
        orgnr=orgnr if is_orgnr(orgnr) else "",
        system=_HUB,
        person=Person(document["who"], "", "", ""),
        why=document["why"],
        details={"object": document["of"], "objectKind": document["kind"], "version": str(document["version"])},
        changes=tuple((each["field"], _told(each["before"]), _told(each["after"])) for each in changes[:_CHANGES]),
    )


def _told(value: object) -> str:
    match value:
        case None:
            return ""
        case list():
            return "|".join(map(str, value))
        case _:
            return str(value)
