"""Where references lead, as far as the message itself tells: to a type of resource that R4 allows there?

R4: http://hl7.org/fhir/R4/references.html. What a reference out of the message leads to, nobody here can know.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.fhir.envelope.references import normal_reference
from shared.fhir.r4.definitions import Element, resource_types
from shared.fhir.r4.invariants.facts import inside, objects, referred_type
from shared.fhir.r4.visit import Visit
from shared.fhir.values import JsonObject

TARGET: Final = "fhir-reference-target"
TYPE: Final = "fhir-reference-type"
BY_VKP: Final = "fhir-reference-target-vkp"
AMBIGUOUS: Final = "fhir-reference-ambiguous"
DANGLING: Final = "ref-1"

VKP_TARGETS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "Encounter.participant.individual": frozenset({"Device"}),
        "MessageHeader.sender": frozenset({"HealthcareService"}),
    }
)
"""What VKP's profiles let references lead to although R4 does not (vkp-Encounter-v090, vkp-MessageHeader-v090)."""

_STRUCTURE: Final = "http://hl7.org/fhir/StructureDefinition/"


class _Resources:
    """The resources of a message, as references name them."""

    def __init__(self, message: JsonObject) -> None:
        self._as_written: dict[str, JsonObject] = {}
        self._normal: dict[str, JsonObject] = {}
        self._contained: dict[int, dict[str, JsonObject]] = {}
        self.ambiguous: set[str] = set()
        entries = message.get("entry") if message.get("resourceType") == "Bundle" else None
        for entry in entries if isinstance(entries, list) else ():
            url = entry.get("fullUrl") if isinstance(entry, dict) else None
            if isinstance(url, str) and isinstance(entry, dict):
                if url in self._as_written:
                    self.ambiguous.add(url)
                self._as_written[url] = entry

    def find(self, reference: str) -> JsonObject | None:
        """The resource of the entry whose fullUrl a reference is, if there is one."""
        entry = self._as_written.get(reference)
        if entry is None and self._as_written:
            if not self._normal:
                self._normal = {normal_reference(url): each for url, each in self._as_written.items()}
            entry = self._normal.get(normal_reference(reference))
        return inside(entry, "resource") if entry is not None else None

    def contained(self, root: JsonObject, reference: str) -> JsonObject | None:
        """The contained resource that a reference from within `root`, such as `#p`, means."""
        inside_root = self._contained.get(id(root))
        if inside_root is None:
            named = ((each.get("id"), each) for each in objects(root.get("contained")))
            inside_root = {f"#{name}": each for name, each in named if isinstance(name, str)}
            self._contained[id(root)] = inside_root
        return inside_root.get(reference)


def check_targets(message: JsonObject, visit: Visit) -> None:
    """Judge every reference the visit has met."""
    if not visit.references:
        return
    known = _Resources(message)
    for reference, element, root in visit.references:
        written = reference.get("reference")
        if isinstance(written, str):
            _check_literal(reference, written, element, root, known, visit)
        told = reference.get("type")
        if element.targets and isinstance(told, str):
            _check_type(told.removeprefix(_STRUCTURE), TYPE, reference, "type", element, visit)


def _check_literal(
    reference: JsonObject, written: str, element: Element, root: JsonObject, known: _Resources, visit: Visit
) -> None:
    if written.startswith("#"):
        found = known.contained(root, written)
        if found is None and written != "#":
            visit.note(DANGLING, reference, "reference")
    else:
        found = known.find(written)
        if written in known.ambiguous:
            visit.note(AMBIGUOUS, reference, "reference")
    if not element.targets:
        return
    kind = found.get("resourceType") if found is not None else referred_type(reference)
    if isinstance(kind, str):
        _check_type(kind, TARGET, reference, "reference", element, visit)


def _check_type(kind: str, rule: str, reference: JsonObject, member: str, element: Element, visit: Visit) -> None:
    if kind in element.targets or kind not in resource_types():
        return
    broken = BY_VKP if kind in VKP_TARGETS.get(element.path, ()) else rule
    visit.note(broken, reference, member, allowed=_listed(element.targets))


def _listed(types: tuple[str, ...]) -> str:
    return types[0] if len(types) == 1 else ", ".join(types[:-1]) + " or " + types[-1]
