"""Each repair does one named thing to a copy, says where the sender wrote it, and says nothing new."""

import copy
from typing import Any

from hypothesis import given, settings

from shared.errors import Finding
from shared.fhir.findings import Findings
from shared.fhir.repair import Repaired, repair
from shared.fhir.values import JsonValue
from tests.unit.fhir.strategies import fhir_like


def mended(message: Any) -> tuple[Repaired, tuple[Finding, ...]]:
    findings = Findings()
    repaired = repair(message, findings)
    return repaired, findings.rendered(message)


def mend(message: Any) -> tuple[Any, list[tuple[str, str]]]:
    repaired, found = mended(message)
    assert all(each.severity == "warning" for each in found)
    return repaired.message, [(each.rule, each.expression) for each in found]


def patient(**elements: Any) -> Any:
    return {"resourceType": "Patient", **elements}


def test_an_empty_string_goes_and_so_does_what_it_leaves_empty() -> None:
    assert mend(patient(id="a", name=[{"family": ""}])) == (
        patient(id="a"),
        [("repair-empty-string", "Patient.name[0].family")],
    )


def test_empty_arrays_and_objects_go() -> None:
    assert mend(patient(name=[], maritalStatus={}, contact=[{}])) == (
        patient(),
        [
            ("repair-empty-array", "Patient.name"),
            ("repair-empty-object", "Patient.maritalStatus"),
            ("repair-empty-object", "Patient.contact[0]"),
        ],
    )


def test_null_goes() -> None:
    assert mend(patient(gender=None)) == (patient(), [("repair-null", "Patient.gender")])


def test_identifier_values_and_systems_and_codes_are_trimmed_and_texts_are_not() -> None:
    message = patient(
        identifier=[{"system": " a ", "value": "\t1\n"}],
        gender=" male",
        maritalStatus={"coding": [{"system": "s ", "code": " M ", "display": " d "}]},
    )
    copied, found = mend(message)
    assert copied == patient(
        identifier=[{"system": "a", "value": "1"}],
        gender="male",
        maritalStatus={"coding": [{"system": "s", "code": "M", "display": " d "}]},
    )
    assert [rule for rule, _ in found] == ["repair-trimmed"] * 5


def test_a_code_of_blanks_is_an_empty_string() -> None:
    assert mend(patient(gender="  ")) == (patient(), [("repair-empty-string", "Patient.gender")])


def test_a_single_object_becomes_an_array_where_r4_says_array() -> None:
    assert mend(patient(name={"given": "Kari"})) == (
        patient(name=[{"given": ["Kari"]}]),
        [("repair-wrapped", "Patient.name.given"), ("repair-wrapped", "Patient.name")],
    )


def test_an_array_of_one_becomes_one_where_r4_says_one() -> None:
    assert mend(patient(gender=["male"], maritalStatus=[{"text": "x"}])) == (
        patient(gender="male", maritalStatus={"text": "x"}),
        [("repair-unwrapped", "Patient.gender"), ("repair-unwrapped", "Patient.maritalStatus")],
    )


def test_an_array_of_two_is_left_for_the_checks_to_refuse() -> None:
    assert mend(patient(gender=["male", "female"])) == (patient(gender=["male", "female"]), [])


def test_an_array_within_an_array_is_left_for_the_checks_to_refuse() -> None:
    message = patient(maritalStatus=[[{"text": "x"}]], name=[[{"text": "x"}]])
    assert mend(message) == (message, [])


def test_a_value_and_its_extension_stay_at_one_index() -> None:
    message = patient(name=[{"given": ["", "A", ""], "_given": [{"id": "x"}, None, None]}])
    assert mend(message) == (
        patient(name=[{"given": [None, "A"], "_given": [{"id": "x"}, None]}]),
        [
            ("repair-empty-string", "Patient.name[0].given[0]"),
            ("repair-empty-string", "Patient.name[0].given[2]"),
        ],
    )


def test_where_either_of_value_and_extension_is_there_its_place_is_kept() -> None:
    sent = patient(name=[{"_given": [None, {"id": "x"}], "given": ["", ""]}])
    assert mend(sent)[0] == patient(name=[{"_given": [{"id": "x"}], "given": [None]}])
    assert mend(patient(name=[{"_given": [{}, {}], "given": [None, "B"]}]))[0] == patient(
        name=[{"given": ["B"], "_given": [None]}]
    )


def test_placeholders_as_fhir_has_them_need_no_repair() -> None:
    message = patient(name=[{"given": [None, "B", "C"], "_given": [{"id": "x"}, None]}])
    assert mend(message) == (message, [])


def test_findings_after_a_dropped_item_still_point_into_the_message_as_sent() -> None:
    message = patient(name=["", {"given": ["", "A", "", "B"]}, {}, {"family": "C"}])
    repaired, _ = mended(message)
    assert repaired.message == patient(name=[{"given": ["A", "B"]}, {"family": "C"}])
    assert repaired.as_sent(("name", 0, "given", 1)) == ("name", 1, "given", 3)
    assert repaired.as_sent(("name", 1, "family")) == ("name", 3, "family")
    assert repaired.as_sent(("photo", 4)) == ("photo", 4)


def test_findings_inside_an_unwrapped_array_still_point_into_the_message_as_sent() -> None:
    repaired, _ = mended(patient(maritalStatus=["", {"coding": ["", {"code": "M"}, {}, {"code": "S"}]}]))
    assert repaired.message == patient(maritalStatus={"coding": [{"code": "M"}, {"code": "S"}]})
    assert repaired.as_sent(("maritalStatus", "coding", 1)) == ("maritalStatus", "coding", 3)


def test_the_same_repair_everywhere_is_listed_fifty_times_and_done_every_time() -> None:
    copied, found = mend(patient(id="a", name=[{"family": ""}] * 5000))
    assert copied == patient(id="a")
    assert len(found) == 51
    assert found[-1][0] == "more-findings"


def empties(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return not value or any(empties(each) for each in value.values())
    if isinstance(value, list):
        return not value or any(empties(each) for each in value)
    return value == ""


def same_words(repaired: Repaired, message: Any) -> bool:
    return set(words(repaired.message)) <= {each.strip() for each in words(message)} | set(words(message))


def words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [word for each in value.values() for word in words(each)]
    if isinstance(value, list):
        return [word for each in value for word in words(each)]
    return [str(value)]


@settings(deadline=None)
@given(fhir_like())
def test_repairing_twice_is_repairing_once(message: Any) -> None:
    once, _ = mended(message)
    twice, found = mended(once.message)
    assert twice.message == once.message
    assert found == ()


@settings(deadline=None)
@given(fhir_like())
def test_the_message_itself_is_never_touched(message: Any) -> None:
    before = copy.deepcopy(message)
    mended(message)
    assert message == before


@settings(deadline=None)
@given(fhir_like())
def test_nothing_empty_is_left_and_no_word_is_new(message: Any) -> None:
    repaired, _ = mended(message)
    assert not any(empties(each) for each in repaired.message.values())
    assert same_words(repaired, message)


@settings(deadline=None)
@given(fhir_like())
def test_no_repair_is_silent(message: Any) -> None:
    repaired, found = mended(message)
    assert repaired.message == message or found
