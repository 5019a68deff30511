"""The rules as data: well formed, complete, and what a registration can and cannot say about them."""

import json
import string
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.fhir import rules
from shared.fhir.outcome import vkp_codes
from shared.fhir.rules import DEFAULT, LAYERS, STRICT, Policy, Severity

FOLDER = Path(rules.__file__).parent / "data" / "rules"
ORDER = {Severity.OFF: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layers_file_keeps_to_the_schema(layer: str) -> None:
    file = read(f"{layer}.json")
    jsonschema.validate(file, read("rule.schema.json"))
    assert file["layer"] == layer


def test_every_file_of_rules_is_a_layers() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*LAYERS, "rule.schema"}


@pytest.mark.parametrize("key", rules.rules())
def test_a_rule_is_never_milder_under_strict_checking(key: str) -> None:
    rule = rules.rule(key)
    assert ORDER[rule.strict] >= ORDER[rule.severity]


@pytest.mark.parametrize("key", rules.rules())
def test_a_rule_has_a_vkp_code_that_is_published_and_texts_whose_placeholders_have_names(key: str) -> None:
    rule = rules.rule(key)
    assert rule.vkp_code in vkp_codes()[1]
    for text in (rule.text, rule.mend):
        assert all(name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(text))
    assert "{" not in rule.why + rule.source


def test_a_registration_makes_a_rule_graver_or_milder() -> None:
    rule = rules.rule("repair-empty-string")
    assert DEFAULT.severity(rule) is Severity.WARNING
    assert Policy(overrides=rules.overrides({rule.key: "error"})).severity(rule) is Severity.ERROR
    assert Policy(overrides=rules.overrides({rule.key: "off"})).severity(rule) is Severity.OFF


def test_strict_checking_is_not_made_milder_by_a_registration() -> None:
    rule = rules.rule("repair-empty-string")
    assert STRICT.severity(rule) is Severity.ERROR
    assert Policy(strict=True, overrides=rules.overrides({rule.key: "off"})).severity(rule) is Severity.ERROR


@pytest.mark.parametrize(
    "settings",
    [{"envelope-patient-mixed": "warning"}, {"json-duplicate-key": "off"}, {"no-such-rule": "off"},
     {"repair-null": "fatal"}],
)  # fmt: skip
def test_a_registration_cannot_change_a_fixed_rule_nor_speak_of_an_unknown_one(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - three messages, one promise
        rules.overrides(settings)


def test_a_patient_mix_up_is_an_error_for_everybody() -> None:
    rule = rules.rule("envelope-patient-mixed")
    assert rule.fixed
    assert rule.severity is Severity.ERROR
