"""Whether a message is R4 of the kind its address takes.

The judge of types and formats is `fhir.resources.R4B`, the nearest to R4 there is (engineering/fhir.md 1.1), on the
repaired copy and behind our own structure check. Its models are thrown away: they lose decimals and fractions.

What neither checks yet: required code bindings, invariants, profiles.
"""

from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from shared.errors import UnknownAddress
from shared.fhir.definitions import shape_of
from shared.fhir.findings import Findings
from shared.fhir.structure import REQUIRED, check_structure
from shared.fhir.values import JsonObject, Path

ADDRESSES = {
    "bundle": "Bundle",
    "composition": "Composition",
    "medicationdispense": "MedicationDispense",
    "encounter": "Encounter",
    "communication": "Communication",
    "observation": "Observation",
}
"""The resource type that each address under /epj/r4/{orgnr}/ takes."""

_USUAL_TYPES = (*ADDRESSES.values(), "DetectedIssue", "Device", "MessageHeader", "Patient", "QuestionnaireResponse")

# R4 allows UUIDs of other versions than 4. Unknown elements are found by our own structure check, which also knows the
# few that R4 has and R4B has not (Extension.valueMeta); so are choices of one type or none.
_R4B_ALONE = frozenset({"uuid_version", "extra_forbidden"})
_CHOICES = ("Value error, Expect any of field", "Value error, Any of one field value")

_FORMATS = ("string_pattern_mismatch", "value_error", "date_", "datetime_", "time_", "url_", "uuid_", "decimal_")
_RANGES = ("greater_than", "less_than", "int_", "string_too_", "too_")


def resource_type_at(resource: str) -> str:
    """The resource type taken at `/epj/r4/{orgnr}/{resource}`, in any letter case. Raises UnknownAddress."""
    taken = ADDRESSES.get(resource.lower())
    if taken is None:
        raise UnknownAddress
    return taken


def preload() -> None:
    """Load the types that messages usually hold, so that the first message does not wait 0.2 s for them."""
    for name in _USUAL_TYPES:
        get_fhir_model_class(name)
        shape_of(name)


def check_resource(message: JsonObject, findings: Findings) -> None:
    """Check a repaired copy against R4."""
    check_structure(message, findings)
    if not findings.any_error:
        _check_model(message, findings)


def _check_model(message: JsonObject, findings: Findings) -> None:
    resource_type = str(message["resourceType"])
    try:
        get_fhir_model_class(resource_type).model_validate(message)
    except ValidationError as error:
        refused = error.errors(include_url=False, include_input=False, include_context=False)
    else:
        return
    for each in refused:
        kind = each["type"]
        if kind in _R4B_ALONE or each["msg"].startswith(_CHOICES):
            continue
        findings.add(_meaning(kind), _path(each["loc"]), element="this element")


def _path(loc: tuple[Any, ...]) -> Path:
    """Pydantic's location without the pseudo element `root`; its names are JSON names already."""
    return tuple(step for step in loc if step not in ("root", "resource_type"))


def _meaning(kind: str) -> str:
    """The rule behind a kind of refusal."""
    if kind in ("missing", "model_field_validation.missing"):
        return REQUIRED
    if kind.startswith(_FORMATS):
        return "fhir-format"
    return "fhir-range" if kind.startswith(_RANGES) else "fhir-structure"
