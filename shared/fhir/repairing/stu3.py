"""Messages in the shape of FHIR STU3 (3.0): recognised, told once and helpfully, and read as R4 where that is allowed.

A message is recognised by elements that STU3 has and R4 has not. Where R4 has the same thing under another name or in
another form, the copy is made to say it so, whether the sender may send STU3 or not: then the other layers tell only of
what would still be wrong in R4. What R4 has no place for, or only with another meaning, stays and is refused there.
`MessageHeader.receiver`, `event` and `timestamp` are not among these: everybody's are mended (see moves.py).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.fhir.envelope.references import entries_of
from shared.fhir.findings import Findings
from shared.fhir.repairing.origins import Origins
from shared.fhir.repairing.repair import Repaired
from shared.fhir.values import JsonObject, JsonValue, Path

_UNKNOWN: Final[JsonValue] = [
    {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
]
_MARKS_TOLD = 6

type _Reshape = Callable[[JsonValue], JsonValue]
"""The value in R4's form; None when this one has none."""


@dataclass(frozen=True, slots=True)
class _Element:
    """What became of an element of STU3."""

    now: str | None = None
    """R4's name; None when R4 has no place for it, or one with another meaning."""
    reshape: _Reshape | None = None
    """None when only the name has changed."""


def _to_list(value: JsonValue) -> JsonValue:
    return value if isinstance(value, list) else [value]


def _if_encounter(value: JsonValue) -> JsonValue:
    """STU3's context was an Encounter or an EpisodeOfCare; R4's encounter is an Encounter."""
    reference = value.get("reference") if isinstance(value, dict) else None
    return value if isinstance(reference, str) and "Encounter/" in reference else None


def _to_annotation(value: JsonValue) -> JsonValue:
    return [{"text": value}] if isinstance(value, str) else None


_ENCOUNTER = _Element("encounter", _if_encounter)
_ELEMENTS: Final[Mapping[str, Mapping[str, _Element]]] = MappingProxyType({
    "CarePlan": {"context": _ENCOUNTER, "definition": _Element()},
    "Communication": {
        "context": _ENCOUNTER,
        "definition": _Element(),
        "notDone": _Element(),
        "notDoneReason": _Element("statusReason"),
    },
    "Composition": {"class": _Element("category", _to_list)},
    "DetectedIssue": {"category": _Element("code"), "date": _Element("identifiedDateTime")},
    "Device": {"model": _Element("modelNumber"), "udi": _Element()},
    "Encounter": {"reason": _Element("reasonCode", _to_list), "incomingReferral": _Element("basedOn", _to_list)},
    "MedicationDispense": {
        "notDone": _Element(),
        "notDoneReasonCodeableConcept": _Element("statusReasonCodeableConcept"),
        "notDoneReasonReference": _Element("statusReasonReference"),
    },
    "Observation": {"comment": _Element("note", _to_annotation), "context": _ENCOUNTER, "related": _Element()},
    "Patient": {"animal": _Element()},
    "QuestionnaireResponse": {"context": _ENCOUNTER, "parent": _Element("partOf", _to_list)},
})  # fmt: skip
"""The elements that STU3 has and R4 has not, of the types of resource this hub takes."""
_DOSES: Final = ("doseQuantity", "doseRange", "rateQuantity", "rateRange", "rateRatio")
"""In STU3 members of Dosage itself, in R4 of its doseAndRate."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One element that shows a message to be STU3."""

    path: Path
    element: str
    """With the type before it: `Encounter.reason`."""
    now: str | None
    """What R4 calls it."""


def marks(message: JsonObject) -> Iterator[Mark]:
    """The elements of a message that STU3 has and R4 has not. Copes with any shape."""
    for path, resource in _resources(message, ()):
        kind = resource.get("resourceType")
        known = _ELEMENTS.get(kind) if isinstance(kind, str) else None
        if known is None:
            continue
        for name in known:
            if name in resource:
                yield Mark((*path, name), f"{kind}.{name}", _now(known[name], resource, name))
        for index, dosage in _dosages(resource):
            for name in _DOSES:
                if name in dosage and "doseAndRate" not in dosage:
                    yield Mark((*path, "dosageInstruction", index, name), f"Dosage.{name}", "doseAndRate")


def _resources(value: JsonObject, path: Path) -> Iterator[tuple[Path, JsonObject]]:
    """A resource and those in it, where R4 lets resources be: entries and what is contained."""
    yield path, value
    for index, entry in entries_of(value):
        inner = entry.get("resource")
        if isinstance(inner, dict):
            yield from _resources(inner, (*path, "entry", index, "resource"))
    contained = value.get("contained")
    for index, inner in enumerate(contained if isinstance(contained, list) else ()):
        if isinstance(inner, dict):
            yield from _resources(inner, (*path, "contained", index))


def _now(element: _Element, resource: JsonObject, name: str) -> str | None:
    """Where R4 has what this STU3 element says here."""
    if element.now is None or element.now in resource:
        return None
    return element.now if element.reshape is None or element.reshape(resource[name]) is not None else None


def recognised(message: JsonObject) -> bool:
    """Whether a message has the shape of STU3, beyond what is mended for everybody."""
    return next(marks(message), None) is not None


def as_r4(repaired: Repaired, findings: Findings, *, allowed: bool) -> Repaired:
    """The copy with STU3's elements where R4 has them; the very same when there are none.

    Notes one finding for the whole message, or, when its sender's registration allows STU3, one for each element that
    was mapped. Called before `findings` is told that paths are of the copy.
    """
    found = list(marks(repaired.message))
    if not found:
        return repaired
    if allowed:
        for mark in found:
            if mark.now is not None:
                findings.add("stu3-mapped", repaired.as_sent(mark.path), element=mark.element, now=mark.now)
    else:
        findings.add("stu3-shaped", repaired.as_sent(found[0].path), marks=_told(found))
    return Repaired(_Mapping(repaired).resource(repaired.message, ()), repaired.origins)


def mapped(message: JsonObject, findings: Findings) -> JsonObject:
    """A repaired copy with STU3's elements where R4 has them, and a finding for each. `message` stays as it is."""
    return as_r4(Repaired(message, Origins()), findings, allowed=True).message


def _told(found: list[Mark]) -> str:
    words = dict.fromkeys(
        f"{mark.element} is {mark.now} in R4" if mark.now is not None else f"R4 has no {mark.element}" for mark in found
    )
    more = ", and more" if len(words) > _MARKS_TOLD else ""
    return "; ".join(list(words)[:_MARKS_TOLD]) + more


def _dosages(resource: JsonObject) -> Iterator[tuple[int, JsonObject]]:
    members = resource.get("dosageInstruction") if resource.get("resourceType") == "MedicationDispense" else None
    for index, each in enumerate(members if isinstance(members, list) else ()):
        if isinstance(each, dict):
            yield index, each


class _Mapping:
    """Makes the copy of a copy. Each method returns the very value it was given when nothing in it is STU3's."""

    def __init__(self, repaired: Repaired) -> None:
        self.origins = repaired.origins
        self.as_sent = repaired.as_sent

    def resource(self, value: JsonObject, path: Path) -> JsonObject:
        changed: dict[str, JsonValue] = {}
        for name in ("entry", "contained", "dosageInstruction"):
            members = value.get(name)
            if isinstance(members, list):
                made = self.items(members, (*path, name), self.inside(value, name))
                if made is not members:
                    changed[name] = made
        gone, renamed = self.renamed(value, path)
        if not changed and not gone:
            return value
        rest = {name: changed.get(name, member) for name, member in value.items() if name not in gone}
        copy = self.origins.inherit(rest | {now: new for now, (new, _) in renamed.items()}, value)
        for now, (_, was) in renamed.items():
            self.origins.placed(copy, now, self.as_sent((*path, was)))
        return copy

    def inside(self, value: JsonObject, name: str) -> Callable[[JsonObject, Path], JsonObject]:
        """What to do with each object of a member."""
        kind = value.get("resourceType")
        if name == "entry" and kind == "Bundle":
            return self.entry
        if name == "contained":
            return self.resource
        return self.dosage if name == "dosageInstruction" and kind == "MedicationDispense" else _as_it_is

    def items(
        self, members: list[JsonValue], path: Path, one: Callable[[JsonObject, Path], JsonObject]
    ) -> list[JsonValue]:
        made = [one(item, (*path, n)) if isinstance(item, dict) else item for n, item in enumerate(members)]
        if all(new is old for new, old in zip(made, members, strict=True)):
            return members
        return self.origins.inherit(made, members)

    def entry(self, value: JsonObject, path: Path) -> JsonObject:
        inner = value.get("resource")
        if not isinstance(inner, dict) or (made := self.resource(inner, (*path, "resource"))) is inner:
            return value
        return self.origins.inherit({**value, "resource": made}, value)

    def renamed(self, value: JsonObject, path: Path) -> tuple[set[str], dict[str, tuple[JsonValue, str]]]:
        """The members that go, and those that come: the new name, its value, the name it was sent with."""
        kind = value.get("resourceType")
        gone: set[str] = set()
        come: dict[str, tuple[JsonValue, str]] = {}
        for was, element in (_ELEMENTS.get(kind, {}) if isinstance(kind, str) else {}).items():
            now = element.now
            if was not in value or now is None or now in value or now in come:
                continue
            new = element.reshape(value[was]) if element.reshape is not None else value[was]
            if new is not None:
                gone.add(was)
                come[now] = (new, was)
                if isinstance(new, list) and new is not value[was]:
                    self.origins.wrapped(new)
        if kind == "Encounter" and gone and "class" not in value:
            # R4 wants a class, STU3 did not; what it was nobody said.
            come["class"] = ({"extension": _UNKNOWN}, "class")
        return gone, come

    def dosage(self, value: JsonObject, path: Path) -> JsonObject:
        doses: JsonObject = {name: value[name] for name in _DOSES if name in value}
        if not doses or "doseAndRate" in value:
            return value
        for name in doses:
            self.origins.placed(doses, name, self.as_sent((*path, name)))
        rest: JsonObject = {name: member for name, member in value.items() if name not in doses}
        return self.origins.inherit({**rest, "doseAndRate": [doses]}, value)


def _as_it_is(value: JsonObject, path: Path) -> JsonObject:
    return value
