"""Whether a message is R4 of the kind its address takes.

The judge of types and formats is `fhir.resources.R4B`, the nearest to R4 there is (engineering/fhir.md 1.1), on the
repaired copy and behind our own structure check. Its models are thrown away: they lose decimals and fractions.

What neither checks yet: required code bindings, invariants, profiles.
"""

from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from shared.errors import Finding, NotFhir, UnknownAddress
from shared.fhir.findings import Findings
from shared.fhir.repair import Repaired
from shared.fhir.shapes import shape_of
from shared.fhir.structure import HARMLESS, REQUIRED, check_structure
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


def check_resource(repaired: Repaired, message: JsonObject, resource_type: str) -> None:
    """Check the repaired copy of `message` against R4. Raises NotFhir with every finding, at most 50."""
    claimed = repaired.message.get("resourceType")
    if claimed != resource_type:
        findings = Findings(message)
        text = f"This address takes a {resource_type}: post other types of resource to their own address."
        findings.add("fhir-wrong-resource-type", text, ("resourceType",), issue_type="structure")
        raise NotFhir(findings.found())
    found = check_structure(repaired, message)
    if all(each.rule in HARMLESS for each in found):
        places = {each.expression for each in found}
        found += tuple(each for each in _check_model(repaired, message) if each.expression not in places)
    if found:
        raise NotFhir(found)


def _check_model(repaired: Repaired, message: JsonObject) -> tuple[Finding, ...]:
    resource_type = str(repaired.message["resourceType"])
    try:
        get_fhir_model_class(resource_type).model_validate(repaired.message)
    except ValidationError as error:
        refused = error.errors(include_url=False, include_input=False, include_context=False)
    else:
        return ()
    findings = Findings(message)
    for each in refused:
        kind = each["type"]
        if kind in _R4B_ALONE or each["msg"].startswith(_CHOICES):
            continue
        path = _path(each["loc"])
        rule, issue_type, text = _meaning(kind)
        findings.add(rule, text, repaired.as_sent(path), issue_type=issue_type)
    return findings.found()


def _path(loc: tuple[Any, ...]) -> Path:
    """Pydantic's location without the pseudo element `root`; its names are JSON names already."""
    return tuple(step for step in loc if step not in ("root", "resource_type"))


def _meaning(kind: str) -> tuple[str, str, str]:
    """Rule, FHIR issue type and our own words for a kind of refusal; pydantic's words quote the message."""
    if kind in ("missing", "model_field_validation.missing"):
        return REQUIRED, "required", "R4 requires this element, and it is missing or empty."
    if kind.startswith(_FORMATS):
        return (
            "fhir-format",
            "value",
            "The value does not have the format of its R4 type (dates with time need a zone).",
        )
    if kind.startswith(_RANGES):
        return "fhir-range", "value", "The value is outside what its R4 type allows."
    return "fhir-structure", "structure", "The value does not have the structure of its R4 type."
