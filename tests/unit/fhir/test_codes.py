"""The code lists: their data, their editions, and words that contradict the code beside them."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.fhir import codes
from shared.fhir.codes import Otherwise, Spelling, code_list, code_lists, lookup, said_otherwise, spelling
from shared.fhir.outcome import vkp_codes
from tests.data import SHARED
from tests.unit.fhir.strategies import fhir_like

FOLDER = Path(codes.__file__).parent / "data" / "codes"
FILES = sorted(path for path in FOLDER.glob("*.json") if not path.name.endswith(".schema.json"))
SCHEMA = json.loads((FOLDER / "code-list.schema.json").read_text(encoding="utf-8"))
VKP = "http://ehelse.no/fhir/CodeSystem/vkp-{}-v090"
DISPENSE = VKP.format("medicationdispense-events")
ALERT = VKP.format("alert-code")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_list_is_as_its_schema_says(path: Path) -> None:
    row = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator(SCHEMA).validate(row)
    assert row["name"] == path.stem


def test_the_meanings_of_a_code_are_in_order_and_do_not_overlap() -> None:
    for each in code_lists().values():
        for code in each.codes.values():
            spans = [(meaning.since or "", meaning.until or "9999") for meaning in code.earlier]
            assert spans == sorted(spans), (each.name, code.code)
            for (_, until), (since, _) in pairwise(spans):
                assert until <= since, (each.name, code.code)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("alert-code", 65),
        ("careplan-category", 4),
        ("composition-category", 2),
        ("composition-event", 10),
        ("composition-section", 5),
        ("encounter-class", 5),
        ("encounter-mode", 5),
        ("encounter-reason", 2),
        ("medicationdispense-events", 8),
        ("message-event", 4),
        ("operation-outcome", 13),
        ("severity-level", 5),
        ("triage", 7),
        ("flag-code", 32),
        ("medicationdispense-events-v06", 28),
    ],
)
def test_a_list_has_as_many_codes_in_use_as_the_published_one(name: str, size: int) -> None:
    assert sum(code.current is not None for code in code_list(name).codes.values()) == size


PUBLISHED = [
    json.loads(path.read_text(encoding="utf-8"))
    for folder in ("vkp-r4", "vkp-r4-removed", "vkpobservation-0.5.2")
    for path in sorted((SHARED / "fhir" / folder).glob("CodeSystem-*.json"))
]


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published["url"].rpartition("/")[2])
def test_a_list_in_use_is_the_published_one_code_by_code(published: dict[str, Any]) -> None:
    known = next(each for each in code_lists().values() if each.system == published["url"])
    in_use = {code: each.current.display for code, each in known.codes.items() if each.current is not None}
    assert in_use == {concept["code"]: concept.get("display") for concept in published["concept"]}


def test_the_codes_of_outcomes_have_one_home() -> None:
    system, displays = vkp_codes()
    known = code_list("operation-outcome")
    assert known.system == system
    assert {code: each.current.display for code, each in known.codes.items() if each.current} == displays


def test_dispense_code_2_is_known_with_the_opposite_it_once_meant() -> None:
    found = lookup(DISPENSE, "2")
    assert found is not None
    assert found.current is not None
    assert found.current.display == "medisin utlevert reise"
    assert [(meaning.display, meaning.until) for meaning in found.earlier] == [("medisin_ikke_utlevert", "2021-11-02")]
    assert found.ambiguous


def test_another_wording_of_the_same_is_not_another_meaning() -> None:
    found = lookup(ALERT, "4.25")
    assert found is not None
    assert found.earlier
    assert not found.ambiguous


def test_a_withdrawn_code_is_known_without_a_current_meaning() -> None:
    found = lookup(DISPENSE, "4")
    assert found is not None
    assert found.current is None


def test_a_code_that_no_edition_has_is_unknown() -> None:
    assert lookup(VKP.format("composition-event"), "2") is None
    assert lookup(ALERT, "4.99") is None
    assert lookup("https://vendor.example/codes", "1") is None


@pytest.mark.parametrize(
    ("system", "how"),
    [
        (ALERT, Spelling.CANONICAL),
        (ALERT + "|0.9.0", Spelling.CANONICAL),
        (ALERT + "/", Spelling.CANONICAL),
        ("https://ehelse.no/fhir/CodeSystem/vkp-alert-code-v090", Spelling.VALUE_SET),
        ("http://ehelse.no/fhir/ValueSet/vkp-alert-code-v090", Spelling.VALUE_SET),
        ("http://ehelse.no/fhir/CodeSystem/vkp-alert-code-v06", Spelling.OLDER),
        ("http://ehelse.no/fhir/ValueSet/vkp-message-event-v05", Spelling.OLDER),
        ("http://ehelse.no/fhir/CodeSystem/vkp-medicationdispense-events-v06", Spelling.OLDER),
        ("http://ehelse.no/fhir/ValueSet/vkp-medicationdispense-events-v05", Spelling.OLDER),
        ("http://ehelse.no/fhir/CodeSystem/vkp-flag-code-v090", Spelling.OLDER),
        ("Skyresponse:productId", None),
        ("", None),
    ],
)
def test_a_system_is_known_in_every_accepted_spelling(system: str, how: Spelling | None) -> None:
    assert spelling(system) is how


def test_edition_v06_of_the_dispense_events_is_a_list_of_its_own() -> None:
    found = lookup("http://ehelse.no/fhir/ValueSet/vkp-medicationdispense-events-v06", "2")
    assert found is not None
    assert found.list_name == "medicationdispense-events-v06"
    assert found.current is not None
    assert found.current.display == "medisin_ikke_utlevert"


@pytest.mark.parametrize(
    ("system", "code", "wording", "how"),
    [
        (DISPENSE, "2", "medisin_ikke_utlevert", Otherwise.EARLIER),
        (DISPENSE, "2", "Medisin IKKE utlevert", Otherwise.EARLIER),
        (DISPENSE, "1", "Medisinen er ikke utlevert", Otherwise.NEGATED),
        (DISPENSE, "1", "Ikkje utlevert", Otherwise.NEGATED),
        (DISPENSE, "3", "medisin mangler bekreftelse", Otherwise.EARLIER),
        (DISPENSE, "1", "medisin utlevert reise", Otherwise.OTHER),
        (ALERT, "7", "300 - Trygghetsalarm", Otherwise.OTHER),
        (ALERT, "1.7", "Medisin ikke utlevert", Otherwise.EARLIER),
        (ALERT, "2", "Inaktiv pasient", Otherwise.EARLIER),
        ("http://loinc.org", "8867-4", "Body temperature", Otherwise.OTHER),
    ],
)
def test_words_that_say_something_else_are_noticed(system: str, code: str, wording: str, how: Otherwise) -> None:
    for coding, text in (({"display": wording}, None), ({}, wording)):
        found = said_otherwise({"system": system, "code": code, **coding}, text)
        assert found is not None
        assert found.how is how


@pytest.mark.parametrize(
    ("system", "code", "wording"),
    [
        (DISPENSE, "2", "medisin utlevert reise"),
        (DISPENSE, "2", "Medisin_utlevert_reise"),
        (DISPENSE, "1.1", "medisin utlevert"),
        (DISPENSE, "1", "medisin utlevert assistert"),
        (DISPENSE, "1.1", "Medisin utlevert, ikke assistert"),
        (DISPENSE, "1", "Utlevert kl. 08"),
        (ALERT, "3", "Fall i stua, bruker ligger på gulvet"),
        (ALERT, "4.25", "Kamera"),
        (ALERT, "4.15", "dor aapnet"),
        (ALERT, "1", "Ikke utlevert"),
        (ALERT, "3", "   "),
        (ALERT, "4.99", "Trygghetsalarm"),
        ("urn:vendor", "3", "Fall"),
    ],
)
def test_free_wording_and_narrower_or_wider_codes_contradict_nothing(system: str, code: str, wording: str) -> None:
    assert said_otherwise({"system": system, "code": code, "display": wording}, wording) is None


def test_every_code_agrees_with_its_own_display() -> None:
    for each in code_lists().values():
        for code in each.codes.values():
            if code.current is not None:
                assert (
                    said_otherwise({"system": each.system, "code": code.code, "display": code.current.display}) is None
                )
                text = (code.current.display or "").upper()
                assert said_otherwise({"system": each.system, "code": code.code}, text) is None


@settings(max_examples=40)
@given(fhir_like(), fhir_like())
def test_no_shape_of_coding_or_text_raises(coding: Any, text: Any) -> None:
    assert said_otherwise(coding, text) is None
    assert said_otherwise({"system": coding, "code": text, "display": coding}, text) is None
    assert said_otherwise({"system": DISPENSE, "code": "2", "display": coding}, text) is None


@given(st.sampled_from(["2", "1"]), st.text())
def test_no_wording_raises(code: str, wording: str) -> None:
    said_otherwise({"system": DISPENSE, "code": code, "display": wording})
