"""What the survey of a message passes by can hold no reference and no identifier, by R4's own definitions."""

from shared.fhir.envelope.references import WITHOUT_IDENTITY
from shared.fhir.r4.definitions import resource_types, shape_of

TOLD_APART = {"SubstanceSpecification.code"}
"""Holds a Reference to a document about a substance; no message about a person has it."""


def leads_to_a_person(type_name: str, seen: set[str]) -> bool:
    if type_name in ("Reference", "Resource", "Identifier"):
        return True
    if type_name in seen or type_name == "Extension":
        # Extensions may stand anywhere and hold anything; those beside these elements are not followed.
        return False
    seen.add(type_name)
    elements = shape_of(type_name).elements.values()
    return any(each.kind != "primitive" and leads_to_a_person(each.type_name, seen) for each in elements)


def test_no_element_that_is_passed_by_holds_a_reference_or_an_identifier() -> None:
    waiting, seen, found = list(resource_types()), set[str](), set[str]()
    while waiting:
        type_name = waiting.pop()
        if type_name in seen:
            continue
        seen.add(type_name)
        for member, element in shape_of(type_name).elements.items():
            if element.kind == "primitive":
                continue
            if element.kind == "complex":
                waiting.append(element.type_name)
            if member in WITHOUT_IDENTITY and leads_to_a_person(element.type_name, set()):
                found.add(element.path)
    assert found == TOLD_APART
