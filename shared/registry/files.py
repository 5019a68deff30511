"""The register as code: a JSON file that says how municipalities and systems are to be, and what has to change for it.

JSON and not YAML: a municipality number that begins with 0, and a name that is the word no, are in every reader what
they look like; and an entry looks the same in a file as in a body of the HTTP API.

What a file lists is complete where it lists anything: a municipality's `grants` are all of its grants. What it leaves
out (a list, a partner profile, `traffic`, a whole municipality, a system) stays as it is. Applying a file twice changes
nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.messages.documents import Document
from shared.registry import gatekeepers
from shared.registry.changes import Change, change
from shared.registry.entries import READERS, WITHDRAWN, Entry, entry_of, partition
from shared.registry.model import SYSTEMS, Grant, Municipality, System, system_id
from shared.registry.partner import PartnerProfile
from shared.registry.people import Access, access_from
from shared.registry.revoked import RevokedKeys
from shared.registry.rules import House, faults
from shared.registry.shapes import Fault, Invalid, as_json, written
from shared.registry.traffic import ALL, OPEN

type Documents = Mapping[tuple[str, str], Document]
"""Stored documents by partition and id."""

LISTS: Final[Mapping[str, type[Grant] | type[Access]]] = {"grants": Grant, "people": Access}
PARTNER: Final = "partnerProfile"
_KINDS: Final = {"grants": "grant", "people": "person"}
_NOBODY: Final = "000000000"
_TOP: Final = frozenset({"$schema", "systems", "operators", "revokedKeys", "municipalities"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file says."""

    entries: tuple[tuple[str, Entry], ...]
    """Each with its place in the file."""
    complete: frozenset[tuple[str, str]]
    """Partition and kind of document of each list that is all there is to be."""
    untouched_traffic: frozenset[str]
    """Municipalities of whose traffic the file says nothing."""

    def partitions(self) -> tuple[str, ...]:
        """What must be read to tell what has to change."""
        return tuple(sorted({SYSTEMS, *(partition(each) for _, each in self.entries)}))


def read(file: dict[str, Any]) -> Wanted:
    """What a file says. Raises Invalid with everything that is wrong with its form."""
    found = _Reading()
    for name in sorted(file.keys() - _TOP):
        found.faults.append(Fault(name, "there is no such field"))
    for place, fields in found.listed(file, "systems", ""):
        found.entry(System, place, fields)
    for place, fields in found.listed(file, "operators", ""):
        found.entry(Access, place, fields, orgnr=SYSTEMS)
    if "operators" in file:
        found.complete.add((SYSTEMS, "person"))
    if "revokedKeys" in file:
        found.entry(RevokedKeys, "revokedKeys", {"kids": file["revokedKeys"]})
    for place, fields in found.listed(file, "municipalities", ""):
        _municipality(found, place, fields)
    _twice(found)
    if found.faults:
        raise Invalid(tuple(found.faults))
    return Wanted(tuple(found.entries), frozenset(found.complete), frozenset(found.untouched))


def plan(wanted: Wanted, kept: Documents, house: House, who: str, why: str) -> tuple[Change, ...]:
    """What has to be written, systems first and then one municipality after the other, each before its grants.

    `kept` are all documents of `wanted.partitions()`. Raises Invalid with everything that is wrong with what would
    change; then nothing of it may be written.
    """
    found: list[Fault] = []
    changes: list[Change] = []
    listed = set[tuple[str, str]]()
    for place, given in wanted.entries:
        entry = _with_its_traffic(given, wanted, kept)
        key = (partition(entry), entry.document()["id"])
        listed.add(key)
        made = change(kept.get(key), entry, who, why, house.now)
        if made is None:
            continue
        changes.append(made)
        found += [Fault(f"{place}.{each.field}".rstrip("."), each.text) for each in faults(entry, house)]
        if isinstance(entry, Grant) and not _known(entry.vkp_id, wanted, kept):
            found.append(Fault(f"{place}.vkpId", "there is no such system, in this file or in the register"))
    for key, document in kept.items():
        if (key[0], document["type"]) in wanted.complete and key not in listed:
            made = change(document, None, who, why, house.now)
            changes += [made] if made else []
    found += _gatekeepers(wanted, kept, changes, house)
    if found:
        raise Invalid(tuple(found))
    return tuple(changes)


def export(documents: Iterable[Document], *, people: bool = True) -> dict[str, Any]:
    """A file that says what these documents hold; applying it to them changes nothing.

    Traffic is only in it where it is stopped, lest the file opens what somebody stopped after it was written.
    `people`: whether those who have access are in it too.
    """
    systems: list[Document] = []
    operators: list[Document] = []
    revoked: list[str] = []
    municipalities: dict[str, Document] = {}
    belonging: list[Entry] = []
    for document in sorted(documents, key=lambda each: (each["orgnr"], each["id"])):
        entry = entry_of(document) if document["type"] in READERS else None
        match entry:
            case System():
                systems.append(as_json(System, entry))
            case Access() if not people:
                pass
            case Access(orgnr=orgnr) if orgnr == SYSTEMS:
                operators.append(_without_orgnr(as_json(Access, entry)))
            case Municipality():
                municipalities[entry.orgnr] = _home(entry, people=people)
            case RevokedKeys():
                revoked = sorted(entry.kids)
            case None:
                pass
            case _:
                belonging.append(entry)
    for each in belonging:
        _add(municipalities, each)
    file: dict[str, Any] = {"systems": systems, "municipalities": list(municipalities.values())}
    if revoked:
        file["revokedKeys"] = revoked
    return {**file, "operators": operators} if operators else file


class _Reading:
    """What has been read of a file so far, and what is wrong with it."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, Entry]] = []
        self.faults: list[Fault] = []
        self.complete: set[tuple[str, str]] = set()
        self.untouched: set[str] = set()

    def listed(self, fields: dict[str, Any], name: str, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The objects of a list, each with its place."""
        value = fields.get(name, [])
        if not isinstance(value, list):
            self.faults.append(Fault(f"{where}{name}", "must be a list"))
            return
        for at, each in enumerate(value):
            if isinstance(each, dict):
                yield f"{where}{name}.{at}", each
            else:
                self.faults.append(Fault(f"{where}{name}.{at}", "must be an object"))

    def entry[T: Entry](self, kind: type[T], place: str, fields: dict[str, Any], **known: str) -> T | None:
        """Read one entry; `known` are the fields that its place says."""
        twice = sorted(fields.keys() & known.keys())
        try:
            if twice:
                raise Invalid(tuple(Fault(name, "is said by the entry's place already") for name in twice))
            entry = written(kind, {**fields, **known})
        except Invalid as error:
            self.faults += [Fault(f"{place}.{each.field}".rstrip("."), each.text) for each in error.faults]
            return None
        self.entries.append((place, entry))
        return entry


def _municipality(found: _Reading, place: str, fields: dict[str, Any]) -> None:
    own = {name: value for name, value in fields.items() if name not in LISTS and name != PARTNER}
    municipality = found.entry(Municipality, place, own)
    # What belongs to it is read all the same, so that all faults are told at once.
    orgnr = municipality.orgnr if municipality else _NOBODY
    if "traffic" not in fields:
        found.untouched.add(orgnr)
    for name, kind in LISTS.items():
        for where, each in found.listed(fields, name, f"{place}."):
            found.entry(kind, where, each, orgnr=orgnr)
        if name in fields:
            found.complete.add((orgnr, _KINDS[name]))
    if PARTNER in fields:
        profile = fields[PARTNER]
        if isinstance(profile, dict):
            found.entry(PartnerProfile, f"{place}.{PARTNER}", profile, orgnr=orgnr)
        else:
            found.faults.append(Fault(f"{place}.{PARTNER}", "must be an object"))


def _twice(found: _Reading) -> None:
    seen: dict[tuple[str, str], str] = {}
    for place, entry in found.entries:
        key = (partition(entry), entry.document()["id"])
        if key in seen and partition(entry) != _NOBODY:
            found.faults.append(Fault(place, f"is at {seen[key]} already"))
        seen.setdefault(key, place)


def _with_its_traffic(entry: Entry, wanted: Wanted, kept: Documents) -> Entry:
    if not isinstance(entry, Municipality) or entry.orgnr not in wanted.untouched_traffic:
        return entry
    now = entry_of(kept.get((entry.orgnr, entry.document()["id"])))
    if not isinstance(now, Municipality):
        return entry
    traffic = now.traffic
    for name in traffic.deliveries.keys() - {ALL, *(each.id for each in entry.receivers)}:
        traffic = traffic.without(name)
    return replace(entry, traffic=traffic)


def _gatekeepers(wanted: Wanted, kept: Documents, changes: Iterable[Change], house: House) -> Iterator[Fault]:
    for orgnr in sorted({each.orgnr for each in changes if each.kind == _KINDS["people"]} - {SYSTEMS}):
        before = {
            key: access_from(each)
            for key, each in kept.items()
            if key[0] == orgnr and each["type"] == _KINDS["people"] and not each.get(WITHDRAWN)
        }
        said = {
            (orgnr, each.document()["id"]): each
            for _, each in wanted.entries
            if isinstance(each, Access) and each.orgnr == orgnr
        }
        after = {**({} if (orgnr, _KINDS["people"]) in wanted.complete else before), **said}
        for each in gatekeepers.faults_of(before.values(), after.values(), house.now):
            yield Fault(f"{_place_of(orgnr, wanted)}.people", each.text)


def _place_of(orgnr: str, wanted: Wanted) -> str:
    return next(place for place, each in wanted.entries if isinstance(each, Municipality) and each.orgnr == orgnr)


def _known(vkp_id: str, wanted: Wanted, kept: Documents) -> bool:
    registered = kept.get((SYSTEMS, system_id(vkp_id)))
    if registered is not None and not registered.get(WITHDRAWN):
        return True
    return any(isinstance(each, System) and each.vkp_id == vkp_id for _, each in wanted.entries)


def _add(municipalities: dict[str, Document], entry: Entry) -> None:
    home = municipalities.get(partition(entry))
    # Left behind by a municipality that was withdrawn: nobody can use it.
    if home is None:
        return
    match entry:
        case Grant():
            home["grants"].append(_without_orgnr(as_json(Grant, entry)))
        case Access():
            home["people"].append(_without_orgnr(as_json(Access, entry)))
        case PartnerProfile():
            home[PARTNER] = _without_orgnr(as_json(PartnerProfile, entry))


def _home(entry: Municipality, *, people: bool) -> Document:
    fields = as_json(Municipality, entry)
    if entry.traffic == OPEN:
        del fields["traffic"]
    return {**fields, "grants": [], **({"people": []} if people else {})}


def _without_orgnr(fields: Document) -> Document:
    return {name: value for name, value in fields.items() if name != "orgnr"}
