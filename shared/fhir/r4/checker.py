"""Whether a message is base R4: structure, types, cardinality, formats, required codes, invariants, references.

The definitions of a type are compiled into one function when a message first needs it. A check walks the message once
and notes every breach; what the message means, and which profile it claims, other layers ask.
"""

from collections.abc import Mapping
from typing import Final

from shared.fhir.findings import Findings
from shared.fhir.r4.compiled import CHECKS, check_resource
from shared.fhir.r4.definitions import shape_of
from shared.fhir.r4.invariants import HOLDS, PLACES
from shared.fhir.r4.targets import check_targets
from shared.fhir.r4.visit import Enough, Visit
from shared.fhir.values import JsonObject

USUAL_TYPES: Final = (
    "Bundle",
    "Communication",
    "Composition",
    "DetectedIssue",
    "Device",
    "Encounter",
    "MedicationDispense",
    "MessageHeader",
    "Observation",
    "OperationOutcome",
    "Organization",
    "Patient",
    "Practitioner",
    "QuestionnaireResponse",
)
"""The resources that messages usually hold."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "bdl-7": "envelope-full-url-twice",
    "bdl-9": "envelope-document-identifier",
    "bdl-10": "envelope-document-timestamp",
    "bdl-11": "envelope-first-entry",
    "bdl-12": "envelope-first-entry",
}
"""Invariants that the envelope layer enforces under names of its own."""

_STRUCTURAL: Final = frozenset({"ele-1", "ref-1", "txt-1", "txt-2"})
"""Invariants that this module and those it calls enforce without a place in the tables."""


def check_r4(message: JsonObject, findings: Findings) -> None:
    """Note every breach of base R4 in a message, as repaired. Does not change it, and raises nothing."""
    visit = Visit(message, findings)
    try:
        check_resource(message, visit)
        check_targets(message, visit)
        visit.tell()
    except Enough:
        return


def preload() -> None:
    """Compile the usual types, so that the first message does not wait for it."""
    waiting = list(USUAL_TYPES)
    seen = set(waiting)
    while waiting:
        shape = shape_of(waiting.pop())
        CHECKS[shape.name]
        used = {each.type_name for each in shape.elements.values() if each.kind == "complex"} - seen
        if shape.name != "Extension":
            seen |= used
            waiting += used


def enforced(rule: str) -> bool:
    """Whether this layer enforces an invariant of R4."""
    return rule in HOLDS or rule in PLACES or rule in _STRUCTURAL
