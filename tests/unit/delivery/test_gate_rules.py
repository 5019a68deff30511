"""The numbers behind the gate are data, and malformed data is not taken."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.delivery import rules

DATA = Path(rules.__file__).parent / "data"
FILE: dict[str, Any] = json.loads((DATA / "gate.json").read_text(encoding="utf-8"))


def test_the_numbers_are_those_that_were_designed() -> None:
    breaker = rules.load().breaker
    assert (breaker.straight, breaker.ratio, breaker.window_seconds, breaker.probe_every_seconds) == (5, 0.5, 60, 15)


def test_the_schema_beside_the_data_is_that_of_the_code_and_the_data_meets_it() -> None:
    schema = json.loads((DATA / "gate.schema.json").read_text(encoding="utf-8"))
    assert schema == rules.schema()
    Draft202012Validator(schema).validate(FILE)


@pytest.mark.parametrize(
    "changed",
    [
        {"breaker": {**FILE["breaker"], "straight": 0}},
        {"breaker": {**FILE["breaker"], "ratio": 1.5}},
        {"breaker": {**FILE["breaker"], "probeEverySecond": 15}},
        {"breaker": {**FILE["breaker"], "probeEverySeconds": 0}},
        {"waking": {name: value for name, value in FILE["waking"].items() if name != "lanesPerSecond"}},
        {"more": {}},
    ],
)
def test_numbers_that_make_no_sense_are_not_taken(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        rules.load(lambda: json.dumps({**FILE, **changed}))


def test_a_look_is_over_before_the_next_and_the_last_look_comes_after_all_trust_has_ended() -> None:
    numbers = rules.load()
    assert numbers.waking.seconds_per_look < 5
    assert numbers.waking.settle_seconds > 2 * numbers.standing.trusted_seconds
    assert numbers.waking.lanes_at_once <= numbers.waking.lanes_per_second * numbers.waking.seconds_per_look
