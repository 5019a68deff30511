"""Where references lead, as far as the message itself tells: to a type of resource that R4 allows there?

R4: http://hl7.org/fhir/R4/references.html. What a reference out of the message leads to, nobody here can know.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.fhir.definitions import Element, resource_types
from shared.fhir.invariants.facts import inside, objects, referred_type
from shared.fhir.references import normal_reference
from shared.fhir.values import JsonObject
from shared.fhir.visit import Visit

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


def check_targets(message: JsonObject, visit: Visit) -> None:
    """Judge every reference the visit has met."""
    entries = _entries(message)
    for reference, element, root in visit.references:
        written = reference.get("reference")
        if isinstance(written, str):
            _check_literal(reference, written, element, root, entries, visit)
        told = reference.get("type")
        if isinstance(told, str):
            _check_type(told.removeprefix(_STRUCTURE), TYPE, reference, "type", element, visit)


def _check_literal(
    reference: JsonObject,
    written: str,
    element: Element,
    root: JsonObject,
    entries: Mapping[str, list[JsonObject]],
    visit: Visit,
) -> None:
    if written.startswith("#"):
        found = [each for each in objects(root.get("contained")) if each.get("id") == written[1:]]
        if not found and written != "#":
            visit.note(DANGLING, reference, "reference")
    else:
        found = entries.get(normal_reference(written), [])
        if len(found) > 1:
            visit.note(AMBIGUOUS, reference, "reference")
    kind = found[0].get("resourceType") if found else referred_type(reference)
    if isinstance(kind, str):
        _check_type(kind, TARGET, reference, "reference", element, visit)


def _check_type(kind: str, rule: str, reference: JsonObject, member: str, element: Element, visit: Visit) -> None:
    if not element.targets or kind in element.targets or kind not in resource_types():
        return
    broken = BY_VKP if kind in VKP_TARGETS.get(element.path, ()) else rule
    visit.note(broken, reference, member, allowed=_listed(element.targets))


def _entries(message: JsonObject) -> dict[str, list[JsonObject]]:
    """The resources of a Bundle by fullUrl."""
    found: dict[str, list[JsonObject]] = {}
    if message.get("resourceType") == "Bundle":
        for entry in objects(message.get("entry")):
            url = entry.get("fullUrl")
            if isinstance(url, str):
                found.setdefault(normal_reference(url), []).append(inside(entry, "resource"))
    return found


def _listed(types: tuple[str, ...]) -> str:
    return types[0] if len(types) == 1 else ", ".join(types[:-1]) + " or " + types[-1]
