"""The addresses of the registry's HTTP API: what is where, and how an entry looks there.

An entry is shown as it may be sent back: without what its address says already and without what is the hub's own (its
version), so that neither can be sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from shared.messages.documents import Document
from shared.registry.entries import Entry
from shared.registry.model import (
    MUNICIPALITY_DOCUMENT,
    SYSTEMS,
    Grant,
    Municipality,
    Receiver,
    System,
    grant_id,
    system_id,
)
from shared.registry.partner import PARTNER_DOCUMENT, PartnerProfile
from shared.registry.people import Access, access_id
from shared.registry.proposals import Proposal, proposal_id
from shared.registry.revoked import REVOKED_DOCUMENT, RevokedKeys
from shared.registry.roles import Thing
from shared.registry.shapes import Fault, Invalid, as_json, written
from shared.registry.traffic import OPEN, Traffic

FORMS: Final[Mapping[Thing, tuple[type[Any], frozenset[str]]]] = MappingProxyType({
    Thing.MUNICIPALITY: (Municipality, frozenset({"orgnr", "receivers", "traffic"})),
    Thing.RECEIVERS: (Receiver, frozenset({"id"})),
    Thing.GRANTS: (Grant, frozenset({"orgnr", "vkpId"})),
    Thing.PARTNER_PROFILE: (PartnerProfile, frozenset({"orgnr"})),
    Thing.TRAFFIC: (Traffic, frozenset()),
    Thing.PEOPLE: (Access, frozenset({"orgnr", "subject"})),
    Thing.SYSTEMS: (System, frozenset({"vkpId"})),
    Thing.REVOKED_KEYS: (RevokedKeys, frozenset()),
})  # fmt: skip
"""The form of each thing that can be changed, and the fields of it that are not in bodies."""
SEEN: Final[Mapping[Thing, tuple[type[Any], frozenset[str]]]] = MappingProxyType({
    **FORMS, Thing.PROPOSALS: (Proposal, frozenset({"orgnr"})),
})  # fmt: skip
"""The same, with what can only be seen."""

KINDS: Final[Mapping[Thing, str]] = MappingProxyType({
    Thing.GRANTS: "grant", Thing.PEOPLE: "person", Thing.SYSTEMS: "system", Thing.PROPOSALS: "proposal",
})  # fmt: skip
"""The `type` of the documents of each list that has documents of its own."""
ALONE: Final = frozenset({Thing.MUNICIPALITY, Thing.PARTNER_PROFILE, Thing.TRAFFIC, Thing.REVOKED_KEYS})
"""Of these a municipality, or the hub, has one."""
HISTORIES: Final = frozenset({Thing.HISTORY, Thing.SYSTEM_HISTORY})
"""What was changed: lists whose entries have no addresses."""
EVERYWHERE: Final = frozenset({Thing.MUNICIPALITIES, Thing.SYSTEMS, Thing.SYSTEM_HISTORY, Thing.REVOKED_KEYS})
"""What is no municipality's."""
LISTED: Final = frozenset({Thing.RECEIVERS, Thing.GRANTS, Thing.PEOPLE, Thing.SYSTEMS})
"""Lists whose entries have addresses of their own."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address."""

    thing: Thing
    orgnr: str = ""
    """The municipality; empty for what is not one's."""
    id: str | None = None
    """The entry within its list; None: the list, or the one there is."""

    @property
    def is_list(self) -> bool:
        """Whether a list is there, not an entry."""
        return self.thing in HISTORIES or (self.thing not in ALONE and self.id is None)

    @property
    def changeable(self) -> bool:
        """Whether what is there can be changed."""
        return self.thing in FORMS and not self.is_list

    @property
    def document(self) -> tuple[str, str]:
        """Partition and id of the document that the entry is in."""
        match self.thing:
            case Thing.GRANTS:
                return self.orgnr, grant_id(self.id or "")
            case Thing.PEOPLE:
                return self.orgnr, access_id(self.id or "")
            case Thing.PARTNER_PROFILE:
                return self.orgnr, PARTNER_DOCUMENT
            case Thing.PROPOSALS:
                return self.orgnr, proposal_id(self.id or "")
            case Thing.SYSTEMS | Thing.SYSTEM_HISTORY:
                return SYSTEMS, system_id(self.id or "")
            case Thing.REVOKED_KEYS:
                return SYSTEMS, REVOKED_DOCUMENT
            case _:
                return self.orgnr, MUNICIPALITY_DOCUMENT


def shown(place: Place, entry: Entry | None) -> Document | None:
    """The entry at a place as its address shows it; None when it is not there."""
    match entry:
        case None:
            return None
        case Municipality() if place.thing is Thing.RECEIVERS:
            receiver = entry.receiver(place.id or "")
            return None if receiver is None else _bare(place.thing, receiver)
        case Municipality() if place.thing is Thing.TRAFFIC:
            return _bare(place.thing, entry.traffic)
        case _:
            return _bare(place.thing, entry)


def name_of(thing: Thing, entry: Entry) -> str:
    """The last part of an entry's address."""
    match entry:
        case Grant() | System():
            return entry.vkp_id
        case Access():
            return entry.subject
        case RevokedKeys():
            return REVOKED_DOCUMENT
        case Proposal():
            return entry.receiver.id
        case _:
            return entry.orgnr


def wanted(place: Place, fields: dict[str, Any] | None, current: Entry | None) -> Entry | None:
    """The entry that is to be kept when these fields are sent to this place (None: the place is to be empty).

    `current` is what is kept there now. Raises Invalid for what has another form, and for fields that are not the
    sender's to send.
    """
    form, theirs = FORMS[place.thing]
    for name in sorted((fields or {}).keys() & theirs):
        raise Invalid((Fault(name, "cannot be sent here"),))
    municipality = current if isinstance(current, Municipality) else None
    match place.thing:
        case Thing.RECEIVERS if municipality is not None:
            made = None if fields is None else written(form, {**fields, "id": place.id})
            traffic = municipality.traffic if made is not None else municipality.traffic.without(place.id or "")
            return replace(municipality, receivers=_with(municipality.receivers, place.id, made), traffic=traffic)
        case Thing.TRAFFIC if municipality is not None:
            return replace(municipality, traffic=OPEN if fields is None else written(Traffic, fields))
        case _ if fields is None:
            return None
        case Thing.MUNICIPALITY:
            read = written(Municipality, {**fields, "orgnr": place.orgnr, "receivers": []})
            if municipality is None:
                return read
            return replace(read, receivers=municipality.receivers, traffic=municipality.traffic)
        case _:
            made_entry: Entry = written(form, {**fields, **_said(place)})
            return made_entry


def _said(place: Place) -> dict[str, Any]:
    """The fields that the address says."""
    match place.thing:
        case Thing.GRANTS:
            return {"orgnr": place.orgnr, "vkpId": place.id}
        case Thing.PEOPLE:
            return {"orgnr": place.orgnr, "subject": place.id}
        case Thing.SYSTEMS:
            return {"vkpId": place.id}
        case Thing.REVOKED_KEYS:
            return {}
        case _:
            return {"orgnr": place.orgnr}


def _with(receivers: tuple[Receiver, ...], id: str | None, made: Receiver | None) -> tuple[Receiver, ...]:
    if made is None:
        return tuple(each for each in receivers if each.id != id)
    if any(each.id == id for each in receivers):
        return tuple(made if each.id == id else each for each in receivers)
    return (*receivers, made)


def _bare(thing: Thing, entry: Any) -> Document:
    form, theirs = SEEN[thing]
    return {name: value for name, value in as_json(form, entry).items() if name not in theirs}
