"""The same person or message under the spellings senders use for its identifier."""

from typing import Any

import pytest

from shared.fhir.identifiers import identifier_of, patient_key
from shared.identity.systems import DNR, FHN, FNR, HNR, ORGNR
from tests.unit.fhir.messages import KARI
from tests.unit.identity.numbers import help_number, issued, organisation

UUID = "0a7c1c43-3a0e-4c0e-8e1a-5a9d4bb7a001"
SOLVIK = {"identifier": {"system": ORGNR, "value": organisation("1090000", "3")}}


def local(value: str, assigner: Any = None) -> Any:
    return {"system": HNR, "value": value} | ({"assigner": assigner} if assigner is not None else {})


@pytest.mark.parametrize(
    "written",
    [
        {"system": "http://hl7.no/fhir/NamingSystem/FNR", "value": KARI},
        {"system": "2.16.578.1.12.4.1.4.1", "value": f" {KARI} "},
        {"system": FNR, "value": f"{KARI[:6]} {KARI[6:]}"},
    ],
)
def test_one_person_in_several_spellings_is_one(written: Any) -> None:
    assert identifier_of(written) == (FNR, KARI)


def test_blanks_in_other_numbers_are_part_of_them() -> None:
    assert identifier_of({"system": "https://x.example", "value": "123456 78901"}) == (
        "https://x.example",
        "123456 78901",
    )
    assert identifier_of({"system": FNR, "value": "12 34"}) == (FNR, "12 34")


@pytest.mark.parametrize("written", [UUID, f"urn:uuid:{UUID}", UUID.upper(), f" urn:uuid:{UUID}"])
def test_one_uuid_in_several_spellings_is_one(written: str) -> None:
    assert identifier_of({"system": "urn:ietf:rfc:3986", "value": written}) == ("urn:ietf:rfc:3986", f"urn:uuid:{UUID}")


@pytest.mark.parametrize(("number", "system"), [(KARI, FNR), (issued(45, 83, 44), DNR), (help_number(), FHN)])
@pytest.mark.parametrize("written", [FNR, DNR, FHN])
def test_which_national_number_it_is_the_digits_say(number: str, system: str, written: str) -> None:
    assert patient_key((written, number)).system == system


def test_a_local_help_number_of_two_who_issue_them_is_two_patients() -> None:
    number = issued(5, 43, 44)
    ours, theirs = local(number, SOLVIK), local(number, {"display": "Fjordvik"})
    assert identifier_of(ours) == identifier_of(local(number, SOLVIK))
    keys = {
        identifier_of(each) for each in (ours, theirs, local(number), local(number, {"reference": "Organization/1"}))
    }
    assert len(keys) == 4


@pytest.mark.parametrize("assigner", [{}, {"display": 7}, "x", {"identifier": {"value": ""}}])
def test_an_assigner_that_names_nobody_is_none(assigner: Any) -> None:
    assert identifier_of(local("1", assigner)) == (HNR, "1")


@pytest.mark.parametrize("value", [None, "x", {}, {"value": ""}, {"value": 7}, {"system": FNR}])
def test_what_has_no_value_is_no_identifier(value: Any) -> None:
    assert identifier_of(value) is None
