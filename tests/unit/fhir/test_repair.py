"""Each repair does one named thing to a copy, says where the sender wrote it, and says nothing new."""

import copy
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings

from shared.errors import Finding, NotJson
from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.reading import judge
from shared.fhir.repairing.repair import Repaired, repair
from shared.fhir.values import JsonValue, Path
from tests.unit.fhir.messages import body
from tests.unit.fhir.strategies import fhir_like, mutated_examples


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
    assert repaired.as_sent(("maritalStatus", "coding", 1)) == ("maritalStatus", 1, "coding", 3)


def test_the_same_repair_everywhere_is_listed_fifty_times_and_done_every_time() -> None:
    copied, found = mend(patient(id="a", name=[{"family": ""}] * 5000))
    assert copied == patient(id="a")
    assert len(found) == 51
    assert found[-1][0] == "more-findings"


def test_what_needs_no_mending_is_the_very_same_object() -> None:
    message = patient(name=[{"given": ["A"]}], contact=[{"name": {"family": ""}}])
    repaired, _ = mended(message)
    assert repaired.message["name"] is message["name"]
    clean = patient(name=[{"given": ["A"]}], gender="male")
    assert mended(clean)[0].message is clean


def test_a_path_through_an_array_made_around_one_value_is_sent_without_index() -> None:
    repaired, _ = mended(patient(contact={"name": {"given": "A"}, "telecom": ["", {"rank": 1}]}))
    assert repaired.as_sent(("contact", 0, "name", "given", 0)) == ("contact", "name", "given")
    assert repaired.as_sent(("contact", 0, "telecom", 0, "rank")) == ("contact", "telecom", 1, "rank")
    assert repaired.as_sent(("contact", 0, "telecom", 0, "use")) == ("contact", "telecom", 1, "use")


def message_bundle(header: Any, **members: Any) -> Any:
    return {"resourceType": "Bundle", "type": "message", **members, "entry": [{}, {"resource": header}]}


def test_a_receiver_by_its_older_name_becomes_a_destination_whose_address_is_unknown() -> None:
    receiver = {"identifier": {"system": "her", "value": " 1 "}}
    message = message_bundle({"resourceType": "MessageHeader", "receiver": receiver})
    repaired, found = mended(message)
    header = ("entry", 0, "resource")
    absent = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    assert repaired.message["entry"] == [
        {
            "resource": {
                "resourceType": "MessageHeader",
                "destination": [
                    {"receiver": {"identifier": {"system": "her", "value": "1"}}, "_endpoint": {"extension": [absent]}}
                ],
            }
        }
    ]
    assert [(each.rule, each.expression) for each in found] == [
        ("repair-empty-object", "Bundle.entry[0]"),
        ("repair-trimmed", "Bundle.entry[1].resource.receiver.identifier.value"),
        ("repair-receiver", "Bundle.entry[1].resource.receiver"),
    ]
    sent = ("entry", 1, "resource", "receiver")
    assert repaired.as_sent((*header, "destination", 0, "receiver", "identifier", "use")) == (
        *sent,
        "identifier",
        "use",
    )
    assert repaired.as_sent((*header, "destination", 0)) == sent


def test_a_receiver_by_its_older_name_goes_to_the_only_destination() -> None:
    header = {
        "resourceType": "MessageHeader",
        "receiver": {"display": "r"},
        "destination": ["", {"endpoint": "http://a"}],
    }
    repaired, _ = mended(header)
    assert repaired.message["destination"] == [{"endpoint": "http://a", "receiver": {"display": "r"}}]
    assert repaired.as_sent(("destination", 0, "endpoint")) == ("destination", 1, "endpoint")
    assert repaired.as_sent(("destination", 0, "receiver", "display")) == ("receiver", "display")


@pytest.mark.parametrize("destination", [[{"name": "a"}, {"name": "b"}], [{"receiver": {"display": "x"}}], ["a"]])
def test_a_receiver_that_could_be_anybodys_stays_for_the_checks_to_refuse(destination: Any) -> None:
    header = {"resourceType": "MessageHeader", "receiver": {"display": "r"}, "destination": destination}
    assert mend(header) == (header, [])


def test_an_event_without_type_becomes_a_coding() -> None:
    header = {"resourceType": "MessageHeader", "event": [{"code": "a "}]}
    repaired, found = mended(header)
    assert repaired.message == {"resourceType": "MessageHeader", "eventCoding": {"code": "a"}}
    assert [(each.rule, each.expression) for each in found] == [
        ("repair-trimmed", "MessageHeader.event[0].code"),
        ("repair-unwrapped", "MessageHeader.event"),
        ("repair-event", "MessageHeader.event[0]"),
    ]
    assert repaired.as_sent(("eventCoding", "code")) == ("event", 0, "code")
    for other in ({"event": "a"}, {"event": {"code": "a"}, "eventUri": "b"}):
        assert mend({"resourceType": "MessageHeader", **other}) == ({"resourceType": "MessageHeader", **other}, [])


def test_a_time_of_sending_in_the_header_becomes_the_bundles() -> None:
    header = {"resourceType": "MessageHeader", "timestamp": "2026-01-15T08:00:00Z", "id": "a"}
    repaired, found = mended(message_bundle(header))
    assert repaired.message == {
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": "2026-01-15T08:00:00Z",
        "entry": [{"resource": {"resourceType": "MessageHeader", "id": "a"}}],
    }
    where = "Bundle.entry[1].resource.timestamp"
    assert [(each.rule, each.expression) for each in found][1:] == [("repair-timestamp", where)]
    assert repaired.as_sent(("timestamp",)) == ("entry", 1, "resource", "timestamp")
    assert repaired.as_sent(("entry", 0, "resource", "id")) == ("entry", 1, "resource", "id")


def test_a_time_of_sending_is_left_where_the_bundle_has_one() -> None:
    header = {"resourceType": "MessageHeader", "timestamp": "2026-01-15T08:00:00Z"}
    message = message_bundle(header, timestamp="2026-01-15T09:00:00Z")
    del message["entry"][0]
    assert mend(message) == (message, [])


def empties(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return not value or any(empties(each) for each in value.values())
    if isinstance(value, list):
        return not value or any(empties(each) for each in value)
    return value == ""


def same_words(repaired: Repaired, message: Any) -> bool:
    ours = {"http://hl7.org/fhir/StructureDefinition/data-absent-reason", "unknown"}
    return set(words(repaired.message)) <= {each.strip() for each in words(message)} | set(words(message)) | ours


def words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [word for each in value.values() for word in words(each)]
    if isinstance(value, list):
        return [word for each in value for word in words(each)]
    return [str(value)]


@settings(deadline=None, max_examples=50)
@given(fhir_like() | mutated_examples())
def test_repairing_twice_is_repairing_once(message: Any) -> None:
    once, _ = mended(message)
    twice, found = mended(once.message)
    assert twice.message == once.message
    assert found == ()


@settings(deadline=None, max_examples=50)
@given(fhir_like() | mutated_examples())
def test_the_message_itself_is_never_touched(message: Any) -> None:
    before = copy.deepcopy(message)
    mended(message)
    assert repr(message) == repr(before)


@settings(deadline=None, max_examples=50)
@given(mutated_examples())
def test_the_checks_never_touch_the_copy(message: Any) -> None:
    sent = body(message)
    with suppress(NotJson):
        copied = repair(parse(sent, Findings()), Findings()).message
        assert repr(judge(sent).message) == repr(copied)


def at(message: Any, path: Path) -> Any:
    for step in path:
        message = message[step]
    return message


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict | list):
        for step, inside in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inside, (*path, step))
    else:
        yield path, value


@settings(deadline=None, max_examples=50)
@given(fhir_like() | mutated_examples())
def test_every_value_of_the_copy_is_found_where_it_was_sent(message: Any) -> None:
    repaired, _ = mended(message)
    for path, value in leaves(repaired.message):
        if value is not None and "_endpoint" not in path:
            sent = at(message, repaired.as_sent(path))
            assert sent == value or (isinstance(sent, str) and sent.strip() == value)


@settings(deadline=None, max_examples=50)
@given(fhir_like())
def test_nothing_empty_is_left_and_no_word_is_new(message: Any) -> None:
    repaired, _ = mended(message)
    assert not any(empties(each) for each in repaired.message.values())
    assert same_words(repaired, message)


@settings(deadline=None, max_examples=50)
@given(fhir_like())
def test_no_repair_is_silent(message: Any) -> None:
    repaired, found = mended(message)
    assert repaired.message == message or found
