"""Reading the log, without HTTP: a verified person asks; the reading itself is logged before anything is shown.

A municipality sees its own log and nothing of whether there are others: what is not theirs is answered as what is not
there. A patient's number comes in the body of a POST only, is turned into pseudonyms at once and is never kept.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

from shared.clock import Clock
from shared.errors import NotAvailable
from shared.messages.documents import Unreachable
from shared.registry.model import SYSTEMS, is_orgnr
from shared.registry.people import Access, Person, Role
from shared.registry.refusals import SecurityLevel
from shared.registry.roles import app_roles
from shared.trail import entry as trail_entry
from shared.trail.auditevent import place_of
from shared.trail.bundles import FHIR, Shape
from shared.trail.chain import HUB, document_id, intact, is_chain, owner_of
from shared.trail.entry import Entry, Kind, Outcome
from shared.trail.ports import AppendOnly
from shared.trail.refused import SearchMalformed, TrailUnknown
from shared.trail.searching import MOST, PAGE, Cursor, NotACursor, Wanted, cursor_from, search
from shared.trail.views import View, view_of
from shared.trail.writing import TrailWriter

MAX_BODY: Final = 8 * 1024
LONGEST: Final = 200
"""Characters of a parameter's value."""
_PARAMETERS: Final = frozenset({
    "message-id", "patient", "agent", "date", "subtype", "municipality", "_count", "page",
})  # fmt: skip
OFTEN: Final[Mapping[str, int]] = MappingProxyType({"date": 2, "subtype": len(Kind)})
"""Parameters that may come more than once, and how often."""

FindAccess = Callable[[str, str], Awaitable[Access | None]]
"""A person's access in a municipality (or in SYSTEMS, for operators), by subject. May raise Unreachable."""
Pseudonyms = Callable[[str, str], Sequence[str]]
"""A patient's pseudonyms, by system and value, under every version of the key."""


@dataclass(frozen=True, slots=True)
class _Reader:
    person: Person
    view: View
    role: Role
    orgnr: str
    """The municipality whose log is read, or `hub`."""


class TrailDesk:
    """Answers questions about the log."""

    def __init__(
        self,
        *,
        trail: AppendOnly,
        writer: TrailWriter,
        access: FindAccess,
        pseudonyms: Pseudonyms,
        clock: Clock,
        public_url: str,
    ) -> None:
        self._base = public_url.rstrip("/")
        self._trail = trail
        self._writer = writer
        self._access = access
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def search(self, person: Person, form: bytes, shape: Shape = FHIR) -> dict[str, Any]:
        """A page of entries, newest first. Raises HubError."""
        asked = _form(form)
        try:
            reader = await self._reader(person, asked.one("municipality"))
            wanted, after = self._wanted(asked, reader)
            found = await search(self._trail, wanted, after)
            about = wanted.patients[0] if wanted.patients else ""
            await self._told(reader, sorted(asked.names), len(found.documents), patient=about)
        except NotACursor:
            raise SearchMalformed from None
        except Unreachable:
            raise NotAvailable from None
        return shape.page(found, reader.view.shown, self._base)

    async def read(self, person: Person, id: str, shape: Shape = FHIR) -> dict[str, Any]:
        """One entry. Raises HubError."""
        place = place_of(id)
        if place is None or not is_chain(place[0]):
            raise TrailUnknown
        chain, seq = place
        try:
            reader = await self._reader(person, owner_of(chain))
            found = await self._trail.query(
                "SELECT * FROM c WHERE c.chain = @chain AND c.id = @id",
                {"@chain": chain, "@id": document_id(chain, seq)}, 1,
            )  # fmt: skip
            if not found or found[0]["kind"] not in reader.view.kinds or not intact(found[0]):
                raise TrailUnknown
            await self._told(reader, ["_id"], 1, id)
        except Unreachable:
            raise NotAvailable from None
        return shape.one(found[0], reader.view.shown)

    async def _reader(self, person: Person, wanted: str) -> _Reader:
        if not person.is_surely_known:
            raise SecurityLevel
        owner = wanted or person.orgnr or ""
        if owner != HUB and not is_orgnr(owner):
            raise TrailUnknown
        now = self._clock()
        roles: frozenset[Role] = frozenset()
        # A person's roles count in the municipality they are logged in for, and in no other.
        if owner == person.orgnr:
            roles = _roles(await self._access(owner, person.subject), now) - {Role.OPERATOR}
        if not roles:
            roles = app_roles(person.roles) or _roles(await self._access(SYSTEMS, person.subject), now)
            roles &= {Role.OPERATOR}
        view = view_of(roles)
        if view is None:
            raise TrailUnknown
        return _Reader(person, view, sorted(roles)[0], owner)

    def _wanted(self, asked: "_Asked", reader: _Reader) -> tuple[Wanted, Cursor | None]:
        patient = asked.one("patient")
        patients: tuple[str, ...] | None = None
        if patient:
            system, bar, value = patient.rpartition("|")
            if not reader.view.patients or not bar or not value.strip():
                raise SearchMalformed
            patients = tuple(self._pseudonyms(system, value))
        since, until = _period(asked.all("date"))
        kinds = frozenset(_kind(each) for each in asked.all("subtype")) or frozenset(Kind)
        page = asked.one("page")
        wanted = Wanted(
            owner=reader.orgnr,
            message=asked.one("message-id"),
            patients=patients,
            caller=asked.one("agent"),
            kinds=kinds & reader.view.kinds,
            since=since,
            until=until,
            count=_count(asked.one("_count")),
        )
        return wanted, cursor_from(page) if page else None

    async def _told(
        self, reader: _Reader, names: Sequence[str], count: int, entry: str = "", patient: str = ""
    ) -> None:
        subject = reader.person.subject
        await self._writer.append(
            [
                Entry(
                    kind=Kind.LOG_READ,
                    outcome=Outcome.SUCCESS,
                    occurred=self._clock(),
                    source=f"read/{uuid.uuid4()}",
                    orgnr="" if reader.orgnr == HUB else reader.orgnr,
                    system="knutepunkt",
                    person=trail_entry.Person(subject, "", reader.role.value, reader.person.orgnr or ""),
                    original=entry,
                    patient=patient,
                    details={"by": "|".join(names), "count": str(count)},
                )
            ]
        )


def _roles(access: Access | None, now: datetime) -> frozenset[Role]:
    return frozenset() if access is None else access.roles_at(now)


@dataclass(frozen=True, slots=True)
class _Asked:
    values: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.values)

    def one(self, name: str) -> str:
        found = self.values.get(name, ())
        return found[0] if found else ""

    def all(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())


def _form(body: bytes) -> _Asked:
    if len(body) > MAX_BODY:
        raise SearchMalformed
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=40)
    except (UnicodeDecodeError, ValueError):
        if body:
            raise SearchMalformed from None
        pairs = []
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        many = len(values.get(name, ())) >= OFTEN.get(name, 1)
        if name not in _PARAMETERS or not 0 < len(value) <= LONGEST or not value.isprintable() or many:
            raise SearchMalformed
        values[name] = (*values.get(name, ()), value)
    return _Asked(values)


def _kind(text: str) -> Kind:
    try:
        return Kind(text.rpartition("|")[2])
    except ValueError:
        raise SearchMalformed from None


def _count(text: str) -> int:
    if not text:
        return PAGE
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text) <= MOST:
        raise SearchMalformed
    return int(text)


def _period(dates: Sequence[str]) -> tuple[datetime | None, datetime | None]:
    """FHIR's `date` with the prefixes ge, gt, lt and le (http://hl7.org/fhir/R4/search.html#prefix)."""
    since: datetime | None = None
    until: datetime | None = None
    for text in dates:
        prefix, moment, length = text[:2], *_moment(text[2:])
        match prefix:
            case "ge":
                since = moment
            case "gt":
                since = moment + length
            case "lt":
                until = moment
            case "le":
                until = moment + length
            case _:
                raise SearchMalformed
    return since, until


def _moment(text: str) -> tuple[datetime, timedelta]:
    """A date (a day in UTC) or a dateTime with its zone; and how long it lasts."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SearchMalformed from None
    if "T" not in text:
        return moment.replace(tzinfo=UTC), timedelta(days=1)
    if moment.tzinfo is None:
        raise SearchMalformed
    return moment.astimezone(UTC), timedelta(microseconds=1)
