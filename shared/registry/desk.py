"""The registry's HTTP API, without HTTP: a verified person asks to see or to change something.

The questions, in this order: how surely is it known who you are (403), have you anything to do here at all (404, the
same as for what is not there), may your role do this (403), is it there (404), is it as you saw it (412, 428), and may
it be as you want it (422). What a person may do is read from the database each time: an access that is withdrawn or
has lapsed is over at once. Only an operator's app role is the token's, and as old as that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from shared.clock import Clock
from shared.errors import NotAvailable, WrongMethod
from shared.identity.series import Environment
from shared.messages.documents import Document, Unreachable
from shared.registry import gatekeepers
from shared.registry.asking import ENDS_SOON, body_of, check_condition, etag, finding, page_of
from shared.registry.changes import Change, change
from shared.registry.entries import WITHDRAWN, Entry, entry_of, version_of
from shared.registry.gatekeepers import SOON, ends_soon
from shared.registry.keeping import Conflict, Page, Registry
from shared.registry.model import MUNICIPALITY_DOCUMENT, SYSTEMS, Grant, Municipality, is_orgnr, system_id
from shared.registry.people import Access, Person, Role, access_from, access_id
from shared.registry.places import EVERYWHERE, HISTORIES, KINDS, Place, name_of, shown, wanted
from shared.registry.proposals import Proposal, makes_count, needs_another, proposal_id
from shared.registry.refusals import (
    EntryChanged,
    EntryInvalid,
    EntryUnknown,
    PageOutOfBounds,
    RoleMissing,
    SecurityLevel,
)
from shared.registry.register import Register
from shared.registry.roles import OPERATORS_ALONE, Do, Thing, app_roles, may
from shared.registry.rules import House, faults
from shared.registry.shapes import Fault, Invalid

_NO_QUERY: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ask:
    """A call."""

    method: Literal["GET", "PUT"]
    place: Place
    query: Mapping[str, str] = field(default_factory=lambda: _NO_QUERY)
    if_match: str | None = None
    if_none_match: str | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets."""

    body: dict[str, Any]
    etag: str | None = None
    """Of an entry: the version, as If-Match wants it."""
    created: bool = False
    proposed: bool = False
    """Nothing has been changed yet: it waits for another person."""


class Desk:
    """Answers. `register` is this process's own memory of the register, which is told what changed here."""

    def __init__(
        self,
        registry: Registry,
        *,
        environment: Environment,
        resources: frozenset[str],
        clock: Clock,
        register: Register | None = None,
    ) -> None:
        self._registry = registry
        self._environment = environment
        self._resources = resources
        self._clock = clock
        self._register = register

    async def answer(self, person: Person, ask: Ask) -> Answer:
        """Do what is asked. Raises HubError; then nothing has been changed."""
        try:
            return await self._answer(person, ask)
        except Unreachable:
            raise NotAvailable from None
        except Conflict:
            raise EntryChanged from None
        except Invalid as error:
            raise EntryInvalid(tuple(map(finding, error.faults))) from None

    async def _answer(self, person: Person, ask: Ask) -> Answer:
        if not person.is_surely_known:
            raise SecurityLevel
        place = ask.place
        roles = await self._roles(person, place)
        if not roles:
            raise EntryUnknown
        if ask.method == "PUT" and not place.changeable:
            raise WrongMethod
        if not may(roles, Do.CHANGE if ask.method == "PUT" else Do.SEE, place.thing):
            raise RoleMissing
        if place.thing not in EVERYWHERE | {Thing.MUNICIPALITY} and not await self._there(place.orgnr):
            raise EntryUnknown
        if ask.method == "GET":
            return await self._list(place, ask.query) if place.is_list else await self._show(place, ask.query)
        return await self._change(person, roles, ask)

    async def _roles(self, person: Person, place: Place) -> frozenset[Role]:
        """The roles that count at this place; none at a place that is none of the person's business."""
        if place.thing not in EVERYWHERE and not is_orgnr(place.orgnr):
            return frozenset()
        operator = app_roles(person.roles) or await self._roles_in(SYSTEMS, person)
        if Role.OPERATOR in operator:
            return operator
        if not place.orgnr or person.orgnr not in (None, place.orgnr):
            return frozenset()
        # A municipality that has been withdrawn has no people either.
        if not await self._there(place.orgnr):
            return frozenset()
        return await self._roles_in(place.orgnr, person) - {Role.OPERATOR}

    async def _roles_in(self, partition: str, person: Person) -> frozenset[Role]:
        access = await self._entry(partition, access_id(person.subject))
        return access.roles_at(self._clock()) if isinstance(access, Access) else frozenset()

    async def _entry(self, partition: str, id: str) -> Entry | None:
        return entry_of(await self._registry.read(partition, id))

    async def _show(self, place: Place, query: Mapping[str, str]) -> Answer:
        if query:
            raise PageOutOfBounds
        document = await self._registry.read(*place.document)
        return _entry_answer(place, document, shown(place, entry_of(document)))

    async def _list(self, place: Place, query: Mapping[str, str]) -> Answer:
        if place.thing is Thing.PEOPLE:
            return await self._people(place, query)
        after, limit = page_of(query)
        if place.thing is Thing.RECEIVERS:
            return await self._receivers(place, after, limit)
        page = await self._page(place, after, limit)
        entries = [_listed(place.thing, each) for each in page.documents]
        return Answer({"entries": entries, "next": page.next})

    async def _people(self, place: Place, query: Mapping[str, str]) -> Answer:
        after, limit = page_of(query, frozenset({ENDS_SOON}))
        wish, now = query.get(ENDS_SOON, "false"), self._clock()
        if wish not in ("true", "false"):
            raise PageOutOfBounds
        if wish == "true":
            page = await self._registry.ending(place.orgnr, now, now + SOON, after, limit)
        else:
            page = await self._page(place, after, limit)
        entries = [
            {**_listed(place.thing, each), ENDS_SOON: ends_soon(access_from(each), now)} for each in page.documents
        ]
        return Answer({"entries": entries, "next": page.next})

    async def _page(self, place: Place, after: str, limit: int) -> Page:
        match place.thing:
            case Thing.MUNICIPALITIES:
                return await self._registry.municipalities(after, limit)
            case Thing.HISTORY:
                return await self._registry.history(place.orgnr, after, limit)
            case Thing.SYSTEM_HISTORY:
                of = None if place.id is None else place.document[1]
                if of is not None and await self._registry.read(SYSTEMS, of) is None:
                    raise EntryUnknown
                return await self._registry.history(SYSTEMS, after, limit, of)
            case Thing.SYSTEMS:
                return await self._registry.page(SYSTEMS, KINDS[place.thing], after, limit)
            case _:
                return await self._registry.page(place.orgnr, KINDS[place.thing], after, limit)

    async def _receivers(self, place: Place, after: str, limit: int) -> Answer:
        document = await self._registry.read(*place.document)
        municipality = entry_of(document)
        found = municipality.receivers if isinstance(municipality, Municipality) else ()
        ids = sorted(each.id for each in found if each.id > after)
        entries = [
            {"id": id, "version": version_of(document),
             "entry": shown(Place(Thing.RECEIVERS, place.orgnr, id), municipality)}
            for id in ids[:limit]
        ]  # fmt: skip
        return Answer({"entries": entries, "next": ids[limit - 1] if len(ids) > limit else None})

    async def _there(self, orgnr: str) -> bool:
        return isinstance(await self._entry(orgnr, MUNICIPALITY_DOCUMENT), Municipality)

    async def _change(self, person: Person, roles: frozenset[Role], ask: Ask) -> Answer:
        place, now = ask.place, self._clock()
        if place.thing is Thing.PEOPLE and place.id == person.subject:
            # Nobody gives themselves a role, or a longer access.
            raise RoleMissing
        why, fields = body_of(ask.body)
        document = await self._registry.read(*place.document)
        current = entry_of(document)
        before = shown(place, current)
        check_condition(ask.if_match, ask.if_none_match, version_of(document), there=before is not None)
        if fields is None and before is None:
            raise EntryUnknown
        entry = wanted(place, fields, current)
        if place.thing is Thing.MUNICIPALITY and Role.OPERATOR not in roles:
            _check_fields(before, None if entry is None else shown(place, entry))
        made = change(document, entry, person.subject, why, now)
        if made is None:
            return _entry_answer(place, document, before)
        await self._judge(entry, House(self._environment, self._resources, now))
        if place.thing is Thing.PEOPLE:
            await self._judge_people(place.orgnr, made.id, entry, now)
        together: tuple[Change, ...] = ()
        if place.thing is Thing.RECEIVERS:
            counts, proposal = await self._proposal(place, current, entry, (person.subject, why), now)
            if not counts:
                # None: proposed by the same person at this very moment.
                if proposal is not None:
                    await self._registry.write(proposal)
                body = {"id": _id(place), "version": version_of(document), "entry": before}
                return Answer(body, etag(version_of(document)), proposed=True)
            together = () if proposal is None else (proposal,)
        await self._registry.write(made, *together)
        if self._register is not None:
            self._register.forget(made.orgnr, made.id)
        after = shown(place, entry)
        body = {"id": _id(place), "version": made.version, "entry": after}
        return Answer(body, etag(made.version), created=before is None)

    async def _proposal(
        self, place: Place, before: Entry | None, after: Entry | None, who_why: tuple[str, str], now: datetime
    ) -> tuple[bool, Change | None]:
        """Whether a change of a receiver counts now, and what is to be written of its proposal (None: nothing)."""
        id = place.id or ""
        was, wished = (each.receiver(id) if isinstance(each, Municipality) else None for each in (before, after))
        if wished is None or not needs_another(was, wished):
            return True, None
        document = await self._registry.read(place.orgnr, proposal_id(id))
        kept = entry_of(document)
        if makes_count(kept if isinstance(kept, Proposal) else None, wished, who_why[0], now):
            return True, change(document, None, *who_why, now)
        return False, change(document, Proposal(place.orgnr, wished, who_why[0], now), *who_why, now)

    async def _judge_people(self, orgnr: str, id: str, entry: Entry | None, now: datetime) -> None:
        """As the municipality's people would be with this entry in the place of the one with the id. Raises Invalid."""
        before = {each["id"]: access_from(each) for each in await self._registry.people(orgnr)}
        after = {key: each for key, each in before.items() if key != id}
        if isinstance(entry, Access):
            after[id] = entry
        found = gatekeepers.faults_of(before.values(), after.values(), now)
        if found:
            raise Invalid(found)

    async def _judge(self, entry: Entry | None, house: House) -> None:
        if entry is None:
            return
        found = list(faults(entry, house))
        if isinstance(entry, Grant) and await self._entry(SYSTEMS, system_id(entry.vkp_id)) is None:
            found.append(Fault("", "there is no such system in the register"))
        if found:
            raise Invalid(tuple(found))


def _check_fields(before: Document | None, after: Document | None) -> None:
    if before is None or after is None or any(before[name] != after[name] for name in OPERATORS_ALONE):
        raise RoleMissing


def _listed(thing: Thing, document: Document) -> dict[str, Any]:
    if thing in HISTORIES:
        return {name: document[name] for name in ("of", "kind", "version", "at", "who", "why", "changes")}
    entry = entry_of(document)
    if entry is None:
        raise ValueError("not an entry")
    one = Thing.MUNICIPALITY if thing is Thing.MUNICIPALITIES else thing
    name = name_of(one, entry)
    return {"id": name, "version": version_of(document), "entry": shown(Place(one, document["orgnr"], name), entry)}


def _entry_answer(place: Place, document: Document | None, fields: Document | None) -> Answer:
    if document is None or fields is None or document.get(WITHDRAWN):
        raise EntryUnknown
    version = version_of(document)
    return Answer({"id": _id(place), "version": version, "entry": fields}, etag(version))


def _id(place: Place) -> str:
    return place.id or place.orgnr or place.thing.value
