"""R4's definitions as records, beside the nearest independent reading of them."""

import json
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from shared.fhir.r4 import definitions as module
from shared.fhir.r4.coverage import in_use, left_out, reasons
from shared.fhir.r4.definitions import (
    Element,
    definitions,
    resource_shape,
    resource_types,
    shape_for,
    shape_of,
    value_set,
)

FILE = Path(module.__file__).parents[1] / "data" / "r4.json"


def elements(type_name: str) -> dict[str, Element]:
    return dict(shape_of(type_name).elements)


def test_the_file_says_what_it_was_built_from() -> None:
    about = definitions()["about"]
    assert [(each["package"], each["version"], each["licence"]) for each in about["from"]] == [
        ("hl7.fhir.r4.examples", "4.0.1", "CC0-1.0"),
        ("hl7.fhir.r4.expansions", "4.0.1", "CC0-1.0"),
    ]
    assert all(len(each["sha256"]) == 64 and each["integrity"].startswith("sha512-") for each in about["from"])
    assert "tools.build_definitions" in about["built_by"]


def test_the_file_is_compact_and_has_one_type_on_each_line() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert len(text) < 900_000
    for name in ("Observation", "Bundle.entry", "HumanName"):
        (line,) = [each for each in text.splitlines() if each.startswith(f'"{name}":')]
        assert json.loads("{" + line.rstrip(",") + "}")[name]["elements"]


def test_all_of_r4_is_there() -> None:
    assert len(resource_types()) == 146
    for name in definitions()["types"]:
        for element in shape_of(name).elements.values():
            assert element.kind != "complex" or element.type_name in definitions()["types"]
            assert set(element.targets) <= resource_types()
            assert (
                element.codes is None
                or value_set(element.codes)
                or element.codes in definitions()["value_sets_not_listed"]
            )


def test_an_element_says_all_that_r4_says_of_it() -> None:
    status = elements("Observation")["status"]
    assert (status.kind, status.type_name, status.repeats, status.path) == (
        "primitive",
        "code",
        False,
        "Observation.status",
    )
    codes = value_set(status.codes or "")
    assert codes is not None
    assert "final" in codes.codes
    assert ("http://hl7.org/fhir/observation-status", "final") in codes.concepts
    value = elements("Observation")["valueQuantity"]
    assert (value.expression, value.choice) == ("value.ofType(Quantity)", "value")
    assert elements("Observation")["_valueString"].expression == "value.ofType(string)"
    assert elements("Observation")["_valueString"].choice is None
    assert elements("Observation")["subject"].targets == ("Device", "Group", "Location", "Patient")
    assert elements("Observation")["component"].type_name == "Observation.component"
    assert elements("Bundle.entry")["link"].type_name == "Bundle.link"
    assert elements("Range")["low"].rules == ("sqty-1",)
    assert elements("Organization")["address"].rules == ("org-2",)
    assert elements("Patient")["id"].type_name == "id"
    assert elements("HumanName")["id"].type_name == "string"
    assert elements("DetectedIssue")["contained"].kind == "resource"
    assert "_id" not in elements("Patient")
    assert "_url" not in elements("Extension")


def test_what_is_required_may_be_written_in_more_ways_than_one() -> None:
    assert shape_of("Observation").required["status"] == ("status", "_status")
    assert set(shape_of("MessageHeader").required["event"]) == {"eventCoding", "eventUri", "_eventUri"}


def test_inv_1_of_three_types_are_three_rules() -> None:
    assert shape_of("Task").rules[-1] == "inv-1-task"
    assert shape_of("Parameters.parameter").rules[-1] == "inv-1-parameters"


@pytest.mark.parametrize("claimed", ["Foo", "HumanName", "Resource", "DomainResource", "Bundle.entry", 5, None, []])
def test_no_shape_is_known_of_what_no_resource_can_be(claimed: object) -> None:
    assert resource_shape({"resourceType": claimed}) is None  # type: ignore[dict-item]  # the point of the test


def test_the_shape_of_a_value_is_that_of_its_element_or_of_what_it_says_it_is() -> None:
    assert shape_for(elements("Observation")["code"], {}) is shape_of("CodeableConcept")
    assert shape_for(elements("Bundle.entry")["resource"], {"resourceType": "Basic"}) is shape_of("Basic")
    assert shape_for(elements("Observation")["status"], "final") is None


def test_an_unknown_type_is_an_error() -> None:
    with pytest.raises(ValueError, match="no type"):
        shape_of("Foo")


# R4B differs from R4 in these: http://hl7.org/fhir/R4B/diff.html
R4B_ONLY = {"Extension": {"valueCodeableReference", "valueRatioRange"}}
R4_ONLY = {"Extension": {"valueMeta"}}
DATATYPES = ("Extension", "Identifier", "CodeableConcept", "Quantity", "Period", "Timing", "Attachment", "Dosage")


@pytest.mark.parametrize("name", sorted({*in_use(), *DATATYPES} - {"DocumentReference"}))
def test_elements_are_those_that_fhir_resources_knows_of_r4b(name: str) -> None:
    fields = get_fhir_model_class(name).model_fields.values()
    theirs = {str(each.alias): "List[" in str(each.annotation) for each in fields if each.alias != "fhir_comments"}
    # It takes extensions on what XML has as attributes, and none on an extension's own value.
    twins = {each for each in (*theirs, *shape_of(name).elements) if each[0] == "_"} if name == "Extension" else {"_id"}
    ours = {each.name: each.repeats for each in shape_of(name).elements.values()}
    assert set(theirs) - R4B_ONLY.get(name, set()) - twins == set(ours) - R4_ONLY.get(name, set()) - twins
    assert all(ours[each] == repeats for each, repeats in theirs.items() if each in ours)


def test_what_is_left_out_is_told_with_a_reason_and_nothing_else_is() -> None:
    out = left_out()
    assert out.rules == set(reasons()["rules"])
    assert out.bindings == set(reasons()["bindings"])
    assert {name: list(missing) for name, missing in out.other_resources.items()} == reasons()["other_resources"]


def test_no_error_of_the_resources_in_use_is_left_out() -> None:
    assert all(definitions()["rules"][key]["severity"] == "warning" for key in left_out().rules)
    assert in_use() <= resource_types()


def test_every_reason_is_a_sentence() -> None:
    texts = [*reasons()["rules"].values(), *reasons()["bindings"].values(), *reasons()["prose"].values()]
    assert all(len(each) > 20 and each.endswith(".") for each in texts)
