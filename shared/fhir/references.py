"""What is in a message and how its parts refer to one another.

A `urn:uuid:` names an entry of the same Bundle by its fullUrl (http://hl7.org/fhir/R4/bundle.html#references). Some
senders leave fullUrl out and mean the resource's id (domain/leniency.md 1, Evondos 2b); that is taken, with a warning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.fhir.findings import Findings
from shared.fhir.values import JsonObject, Path

_URN = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Found:
    """A resource somewhere in a message."""

    path: Path
    resource: JsonObject
    contained: Mapping[str, JsonObject]
    """What `#id` references from here may name."""


@dataclass(frozen=True, slots=True)
class Survey:
    """All resources of a message, however deep, and what they may be called."""

    resources: list[Found] = field(default_factory=list)
    internal: list[tuple[Path, str]] = field(default_factory=list)
    """Each `urn:uuid:` reference, with its path."""
    by_url: dict[str, JsonObject] = field(default_factory=dict)
    """Resources by their entry's fullUrl."""
    by_id: dict[str, JsonObject] = field(default_factory=dict)
    """Resources by their id, as `urn:uuid:id` and `Type/id`."""

    def target(self, reference: str, found: Found) -> JsonObject | None:
        """The resource in the message that a reference from `found` means, if it is there."""
        if reference.startswith("#"):
            return found.contained.get(reference)
        reference = normal_reference(reference)
        return self.by_url.get(reference) or self.by_id.get(reference)


def entries_of(message: JsonObject) -> Iterator[tuple[int, JsonObject]]:
    """The entries of a Bundle with their indices; nothing for another resource."""
    entries = message.get("entry") if message.get("resourceType") == "Bundle" else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield index, entry


def normal_reference(reference: str) -> str:
    """UUIDs are compared without regard to case; everything else as written."""
    reference = reference.strip()
    return reference.lower() if reference[: len(_URN)].lower() == _URN else reference


def survey(message: JsonObject) -> Survey:
    """Walk a message once."""
    found = Survey()
    _walk(message, (), {}, found)
    return found


def _walk(value: JsonObject, path: Path, contained: Mapping[str, JsonObject], found: Survey) -> None:
    if "resourceType" in value:
        inside = value.get("contained")
        if isinstance(inside, list):
            contained = {f"#{each.get('id')}": each for each in inside if isinstance(each, dict)}
        found.resources.append(Found(path, value, contained))
        _name(value, found)
    else:
        # DetectedIssue.reference is a plain uri: only in a data type is the member the Reference's own.
        reference = value.get("reference")
        if isinstance(reference, str) and (normal := normal_reference(reference)).startswith(_URN):
            found.internal.append(((*path, "reference"), normal))
    for name, member in value.items():
        if isinstance(member, dict):
            _walk(member, (*path, name), contained, found)
        elif isinstance(member, list):
            for index, item in enumerate(member):
                if isinstance(item, dict):
                    _walk(item, (*path, name, index), contained, found)


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


def check_references(surveyed: Survey, findings: Findings, *, sealed: bool) -> None:
    """Note each `urn:uuid:` reference that leads nowhere, or only by a resource's id.

    `sealed` says that the message must hold all it refers to, as documents and messages do.
    """
    nowhere = "envelope-reference-unresolved" if sealed else "envelope-reference-dangling"
    for path, reference in surveyed.internal:
        if reference not in surveyed.by_url:
            findings.add("envelope-reference-by-id" if reference in surveyed.by_id else nowhere, path)
