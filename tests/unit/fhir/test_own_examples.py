"""The examples vendors start from are right: a strict reader has nothing to say about them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from sandbox import examples
from shared.fhir.identifiers import FNR
from shared.fhir.reading import Judging, judge
from shared.fhir.rules import STRICT
from shared.identity.person import Series, person_number

CODES = "http://ehelse.no/fhir/CodeSystem/"

NAMES = sorted(examples.names())


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a message."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from inside(each)


def codes(system: str, name: str) -> set[str]:
    found = inside(json.loads(examples.body(name)))
    return {each["code"] for each in found if each.get("system") == CODES + system}


def test_every_file_says_what_it_shows_and_every_name_has_a_file() -> None:
    assert sorted(path.stem for path in examples.FOLDER.iterdir()) == NAMES
    with pytest.raises(KeyError):
        examples.body("../examples")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_accepted_without_a_word_also_by_a_strict_reader(name: str) -> None:
    judged = judge(examples.body(name), judging=Judging(STRICT))
    assert [(each.rule, each.expression) for each in judged.findings] == []
    assert judged.refusal is None


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_read_by_another_library_too(name: str) -> None:
    body = examples.body(name)
    get_fhir_model_class(json.loads(body)["resourceType"]).model_validate_json(body)


@pytest.mark.parametrize("name", NAMES)
def test_persons_in_examples_are_synthetic_and_have_numbers_that_hold(name: str) -> None:
    found = inside(json.loads(examples.body(name)))
    numbers = {each["value"] for each in found if each.get("system") == FNR}
    assert numbers
    for number in numbers:
        person = person_number(number)
        assert person.valid
        assert person.series is Series.PLUS_80


def test_every_step_of_a_treatment_log_is_shown() -> None:
    steps = codes("vkp-composition-event-v090", "safety-alarm")
    assert steps == {"0", "1", "3", "4", "5", "6", "7", "8", "9", "10"}


def test_every_dispense_event_is_shown() -> None:
    shown = set[str]().union(*(codes("vkp-medicationdispense-events-v090", name) for name in NAMES))
    assert shown == {"1", "1.1", "1.2", "1.3", "2", "2.1", "2.2", "3"}


def test_no_uuid_is_in_two_examples_unless_it_is_the_same_event() -> None:
    owners: dict[str, str] = {}
    for name in NAMES:
        for each in inside(json.loads(examples.body(name))):
            url = each.get("fullUrl")
            if url is not None:
                family = "safety-alarm" if name == "message-safety-alarm" else name
                assert owners.setdefault(url, family) == family
