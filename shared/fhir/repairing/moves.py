"""Members that a message has by an older or another name, and where R4 has them.

| sent                      | in the copy                          | whose name it is |
|---------------------------|--------------------------------------|------------------|
| `MessageHeader.receiver`  | `MessageHeader.destination.receiver` | STU3's, and still in VKP's vkp-MessageHeader-v090 |
| `MessageHeader.event`     | `MessageHeader.eventCoding`          | STU3's; R4 put the value's type into it |
| `MessageHeader.timestamp` | `Bundle.timestamp`                   | STU3's; R4 has the time of sending in the Bundle |

A member is moved only where nothing is in its way: where R4's element is there as well, or could be meant for one of
several destinations, it stays and the checks refuse it as unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.fhir.repairing.origins import Origins
from shared.fhir.values import JsonObject, JsonValue, Path

# R4 wants an address for each destination. The sender gave none, and R4 has a way to say so.
_UNKNOWN: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


@dataclass(frozen=True, slots=True)
class Move:
    """One member that is moved within its own object."""

    name: str
    """What it was sent as."""
    type_name: str
    rule: str
    place: Callable[[JsonObject, JsonValue, Origins, Path], JsonObject | None]
    """Given the object without the member, the member's value and its path as sent: the object with the value in its
    R4 place; None when it cannot be placed."""


def _receiver(header: JsonObject, value: JsonValue, origins: Origins, sent: Path) -> JsonObject | None:
    there = header.get("destination")
    if there is None:
        absent: JsonValue = {"extension": [{"url": _UNKNOWN, "valueCode": "unknown"}]}
        made: JsonObject = {"_endpoint": absent, "receiver": value}
        origins.placed(made, "receiver", sent)
        destinations: list[JsonValue] = [made]
        origins.wrapped(destinations)
        with_one: JsonObject = {**header, "destination": destinations}
        origins.placed(origins.inherit(with_one, header), "destination", sent)
        return with_one
    if not isinstance(there, list) or len(there) != 1 or not isinstance(there[0], dict) or "receiver" in there[0]:
        return None
    only: JsonObject = {**there[0], "receiver": value}
    origins.placed(origins.inherit(only, there[0]), "receiver", sent)
    alone: list[JsonValue] = [only]
    beside: JsonObject = {**header, "destination": origins.inherit(alone, there)}
    return origins.inherit(beside, header)


def _event(header: JsonObject, value: JsonValue, origins: Origins, sent: Path) -> JsonObject | None:
    if not isinstance(value, dict) or "eventCoding" in header or "eventUri" in header:
        return None
    copy = origins.inherit({**header, "eventCoding": value}, header)
    origins.placed(copy, "eventCoding", sent)
    return copy


MOVES: Final[Mapping[str, tuple[Move, ...]]] = MappingProxyType({
    "MessageHeader": (
        Move("receiver", "Reference", "repair-receiver", _receiver),
        Move("event", "Coding", "repair-event", _event),
    ),
})  # fmt: skip
"""By the type of the object that holds the member."""

TIMESTAMP_RULE: Final = "repair-timestamp"


def known_elsewhere(type_name: str) -> Mapping[str, str]:
    """The members that R4 does not have in this type and that may be moved: the names they are sent with, and types."""
    names = {move.name: move.type_name for move in MOVES.get(type_name, ())}
    return {**names, "timestamp": "instant"} if type_name == "MessageHeader" else names


def with_timestamp(bundle: JsonObject, origins: Origins, top: Path) -> tuple[JsonObject, Path] | None:
    """The Bundle, sent at `top`, with the time of sending that its MessageHeader holds, and where that was sent.

    None when there is none, or when the Bundle has a time of its own.
    """
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries or "timestamp" in bundle or "_timestamp" in bundle:
        return None
    first = entries[0]
    header = first.get("resource") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(header, dict) or header.get("resourceType") != "MessageHeader":
        return None
    time = header.get("timestamp")
    if not isinstance(time, str):
        return None
    sent = origins.as_sent(bundle, ("entry", 0, "resource", "timestamp"), top)
    rest: JsonObject = {name: member for name, member in header.items() if name != "timestamp"}
    entry: JsonObject = origins.inherit({**first, "resource": origins.inherit(rest, header)}, first)
    copies = origins.inherit([entry, *entries[1:]], entries)
    copy = origins.inherit({**bundle, "timestamp": time, "entry": copies}, bundle)
    origins.placed(copy, "timestamp", sent)
    return copy, sent
