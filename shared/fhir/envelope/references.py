"""What is in a message and how its parts refer to one another.

How a reference finds its resource inside a Bundle: http://hl7.org/fhir/R4/bundle.html#references. An absolute one, a
`urn:uuid:` among them, is an entry's fullUrl; a relative one (`Device/17`) is resolved against the address that the
fullUrl of its own entry has. Beyond that, and with a warning, an entry is found by the id of its resource: some senders
leave fullUrl out, or write `Device/17` beside a `urn:uuid:` (Evondos' published examples, use case 2b). A UUID is the
same with and without `urn:uuid:` before it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from shared.fhir.findings import Findings
from shared.fhir.values import JsonObject, JsonValue, Path

_URN = "urn:uuid:"
_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_VERSION = re.compile(r"/_history/[^/]*$")
_RELATIVE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")
_ADDRESS = re.compile(r"(https?://\S+/)[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")

type Trail = tuple[Trail, str | int] | None
"""A path from its end: cheap to make on a walk, turned into a Path only for what is told."""


class Way(Enum):
    """How a reference finds its resource."""

    CONTAINED = "contained"
    FULL_URL = "full url"
    BARE_UUID = "bare uuid"
    """By fullUrl, but the reference leaves `urn:uuid:` out."""
    ID = "id"
    """By nothing but the id of the resource."""
    NOWHERE = "nowhere"
    """A `urn:uuid:` that no entry has."""
    OUTSIDE = "outside"
    """An address, or a relative one, that no entry has: the resource is on some server."""


class Found(NamedTuple):
    """A resource somewhere in a message."""

    path: Path
    resource: JsonObject
    contained: Mapping[str, JsonObject]
    """What `#id` references from here may name."""
    entry: int | None
    """The entry of the message it is in, however deep; None outside all entries."""
    base: str = ""
    """What relative references from here are relative to, with a slash at the end; empty when unknown."""

    @property
    def kind(self) -> str:
        """The type of resource it says it is; empty when it says nothing that could be one."""
        claimed = self.resource.get("resourceType")
        return claimed if isinstance(claimed, str) else ""


class Link(NamedTuple):
    """A Reference somewhere in a message: what has a `reference`, or a `type` beside an `identifier`."""

    trail: Trail
    value: JsonObject
    home: Found
    """The resource that refers."""
    way: Way | None
    """None when it has no `reference`."""
    target: JsonObject | None
    """What it leads to, when that is in the message."""

    @property
    def path(self) -> Path:
        return as_path(self.trail)


@dataclass(frozen=True, slots=True)
class Survey:
    """All resources and references of a message, however deep, and what resources may be called."""

    resources: list[Found] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    by_url: dict[str, JsonObject] = field(default_factory=dict)
    """Resources by their entry's fullUrl."""
    by_id: dict[str, JsonObject] = field(default_factory=dict)
    """Resources by their id, as `urn:uuid:id` and `Type/id`."""
    by_kind: dict[str, list[JsonObject]] = field(default_factory=dict)
    """Resources by their type, in the order of the message."""

    def of(self, kind: str) -> list[JsonObject]:
        """The resources of a type, in the order of the message."""
        return self.by_kind.get(kind, [])

    def find(self, reference: str, home: Found) -> tuple[Way, JsonObject | None]:
        """How a reference from `home` finds its resource, and the resource when it is in the message."""
        if reference.startswith("#"):
            return Way.CONTAINED, home.contained.get(reference)
        target = self.by_url.get(reference)
        if target is not None:
            return Way.FULL_URL, target
        normal = normal_reference(reference)
        target = self.by_url.get(normal)
        if target is None and home.base and _RELATIVE.fullmatch(normal):
            target = self.by_url.get(home.base + normal)
        if target is not None:
            bare = normal.startswith(_URN) and reference.strip()[: len(_URN)].lower() != _URN
            return Way.BARE_UUID if bare else Way.FULL_URL, target
        target = self.by_id.get(normal)
        if target is not None:
            return Way.ID, target
        return Way.NOWHERE if normal.startswith(_URN) else Way.OUTSIDE, None

    def target(self, reference: JsonValue, home: Found) -> JsonObject | None:
        """The resource in the message that a reference from `home` means, if it is there."""
        return self.find(reference, home)[1] if isinstance(reference, str) else None


def entries_of(message: JsonObject) -> Iterator[tuple[int, JsonObject]]:
    """The entries of a Bundle with their indices; nothing for another resource."""
    entries = message.get("entry") if message.get("resourceType") == "Bundle" else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield index, entry


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a member, whether it holds one or a list."""
    if isinstance(value, dict):
        return [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def normal_reference(reference: str) -> str:
    """A reference or fullUrl to compare: UUIDs in lower case with `urn:uuid:`, no version, everything else as is."""
    if reference.startswith(_URN) and reference.islower() and not reference[-1].isspace():
        return reference
    reference = reference.strip()
    uuid = _UUID.fullmatch(reference)
    if uuid is not None:
        return _URN + uuid[1].lower()
    if reference[: len(_URN)].lower() == _URN:
        return reference.lower()
    return _VERSION.sub("", reference) if "/_history/" in reference else reference


def as_path(trail: Trail) -> Path:
    """The steps of a trail from the top of the message."""
    steps: list[str | int] = []
    while trail is not None:
        trail, step = trail
        steps.append(step)
    return tuple(reversed(steps))


def survey(message: JsonObject) -> Survey:
    """Walk a message once."""
    walk = _Walk()
    walk.resource(message, None, None, None)
    return walk.resolved()


# Half the objects of a message stand under these names, as a Coding, CodeableConcept, Meta, Narrative, Period or a
# Quantity in every R4 resource that has them: none of those holds a Reference, an Identifier or a resource.
WITHOUT_IDENTITY = frozenset({
    "bodySite", "category", "class", "code", "coding", "interpretation", "meta", "method", "period", "reasonCode",
    "text", "valueCodeableConcept", "valueQuantity",
})  # fmt: skip


class _Walk:
    def __init__(self) -> None:
        self.found = Survey()
        self.links: list[tuple[Trail, JsonObject, Found]] = []

    def resource(self, value: JsonObject, trail: Trail, outer: Found | None, url: JsonValue) -> None:
        """Take in a resource and all below it. `outer` is the resource it is in, `url` the fullUrl of its entry."""
        home = _found(value, as_path(trail), outer, url)
        self.found.resources.append(home)
        self.found.by_kind.setdefault(home.kind, []).append(value)
        if home.kind == "Bundle":
            _name(value, self.found)
        waiting: list[tuple[JsonObject, Trail]] = [(value, trail)]
        for here, at in waiting:  # grows while it is walked
            for name, member in here.items():
                if type(member) is str or name in WITHOUT_IDENTITY:
                    continue
                if type(member) is dict:
                    self.object(member, (at, name), here, home, waiting)
                elif type(member) is list:
                    for index, item in enumerate(member):
                        if type(item) is dict:
                            self.object(item, ((at, name), index), here, home, waiting)

    def object(
        self, value: JsonObject, trail: Trail, outer: JsonObject, home: Found, waiting: list[tuple[JsonObject, Trail]]
    ) -> None:
        if "resourceType" in value:
            self.resource(value, trail, home, outer.get("fullUrl"))
            return
        # DetectedIssue.reference is a plain uri: only in a data type is the member the Reference's own.
        if "reference" in value or ("identifier" in value and type(value.get("type")) is str):
            self.links.append((trail, value, home))
        waiting.append((value, trail))

    def resolved(self) -> Survey:
        """With all references followed: only now is every entry known."""
        for trail, value, home in self.links:
            reference = value.get("reference")
            way, target = self.found.find(reference, home) if isinstance(reference, str) else (None, None)
            self.found.links.append(Link(trail, value, home, way, target))
        return self.found


def _found(value: JsonObject, path: Path, outer: Found | None, url: JsonValue) -> Found:
    contained = outer.contained if outer is not None else {}
    inside = value.get("contained")
    if isinstance(inside, list):
        contained = {f"#{each.get('id')}": each for each in inside if isinstance(each, dict)}
    entry = path[1] if len(path) > 1 and path[0] == "entry" and isinstance(path[1], int) else None
    base = outer.base if outer is not None else ""
    if isinstance(url, str) and not url.startswith(_URN) and (address := _ADDRESS.fullmatch(normal_reference(url))):
        base = address[1]
    return Found(path, value, contained, entry, base)


def _name(resource: JsonObject, found: Survey) -> None:
    for _, entry in entries_of(resource):
        inner, url = entry.get("resource"), entry.get("fullUrl")
        if not isinstance(inner, dict):
            continue
        if isinstance(url, str):
            found.by_url.setdefault(normal_reference(url), inner)
        own = inner.get("id")
        if isinstance(own, str):
            found.by_id.setdefault(_URN + own.lower(), inner)
            found.by_id.setdefault(f"{inner.get('resourceType')}/{own}", inner)


_TOLD = {
    Way.BARE_UUID: "envelope-reference-bare-uuid",
    Way.ID: "envelope-reference-by-id",
    Way.NOWHERE: "envelope-reference-dangling",
}
_TOLD_SEALED = _TOLD | {Way.NOWHERE: "envelope-reference-unresolved", Way.OUTSIDE: "envelope-reference-outside"}


def check_references(surveyed: Survey, findings: Findings, *, sealed: bool) -> None:
    """Note each reference that leads nowhere, or that R4 alone would not follow.

    `sealed` says that the message must hold all it refers to, as documents and messages do.
    """
    told = _TOLD_SEALED if sealed else _TOLD
    for link in surveyed.links:
        rule = told.get(link.way) if link.way is not None else None
        if rule is not None:
            findings.add(rule, (*link.path, "reference"))


# What R4 lets a document hold though its Composition does not lead to it (http://hl7.org/fhir/R4/documents.html#bundle).
_LOOSE = frozenset({"Provenance", "Binary"})


def unreachable(message: JsonObject, surveyed: Survey) -> Iterator[int]:
    """The entries of a Bundle that no chain of references from the first entry leads to."""
    entries = {index: entry["resource"] for index, entry in entries_of(message) if "resource" in entry}
    number = {id(resource): index for index, resource in entries.items()}
    leads: dict[int | None, set[int]] = {}
    for link in surveyed.links:
        if link.target is not None and id(link.target) in number:
            leads.setdefault(link.home.entry, set()).add(number[id(link.target)])
    reached: set[int] = set()
    waiting = [min(entries, default=0)]
    while waiting:
        index = waiting.pop()
        if index not in reached:
            reached.add(index)
            waiting.extend(leads.get(index, ()))
    for index, resource in entries.items():
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if index not in reached and not (isinstance(kind, str) and kind in _LOOSE):
            yield index
