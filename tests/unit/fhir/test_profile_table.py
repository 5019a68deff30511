"""The curated facts of the profiles: true to the published ones, and complete but for what is named with a reason."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.fhir.codes import code_lists
from shared.fhir.r4.definitions import resource_types
from shared.fhir.rules import rules
from shared.fhir.vkp import table as profile_table
from shared.fhir.vkp.checks import compile_profile
from shared.fhir.vkp.table import Profile, Row, extensions, kinds, profiles
from tests.unit.fhir.published_profiles import Fact, asked, bound, fixed, published, stated, values

DATA = Path(profile_table.__file__).parents[1] / "data"
NOT_ENFORCED = json.loads((DATA / "profiles_not_enforced.json").read_text(encoding="utf-8"))["notEnforced"]
KNOWN = {
    url: each
    for each in [*profiles().values(), *extensions().values()]
    for url in (each.canonical, *each.also_claimed_as)
}
PUBLISHED = list(published())
UNUSED_PROFILES = {
    "http://ehelse.no/fhir/StructureDefinition/vkp-Address-v090": "VkpAddress",
    "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-additionalLocator": "ADXPAdditionalLocator",
}
LISTS_OF = {
    f"vkp-{name}-v090": {name}
    for name in (
        "alert-code",
        "careplan-category",
        "composition-category",
        "composition-event",
        "encounter-mode",
        "encounter-reason",
        "medicationdispense-events",
        "severity-level",
    )
} | {
    "vkp-emergency-level-v05": {"emergency-level"},
    # Withdrawn without a word about what binds it: the list that took its place is asked.
    "vkp-encounter-type-v090": {"encounter-mode"},
    "vkp-subject-identifiers.valueset": {"subject-identifiers"},
    "vkp-performer-identifiers.valueset": {"performer-identifiers"},
    "NoDomainVitalSignsBloodpressureBodySiteValueSet": {"bloodpressure-body-site"},
    "NoDomainVitalSignsBloodPressureMeasurementMethodValueSet": {"bloodpressure-method"},
}
"""Our lists by the tail of the value set's url."""
MOST_NOT_ENFORCED = 26
"""The list may become shorter, and this number with it."""


def excused(name: str) -> list[tuple[str, str]]:
    return [
        (entry["what"], element) for entry in NOT_ENFORCED if entry["profile"] == name for element in entry["elements"]
    ]


def covers(element: str, fact: Fact) -> bool:
    return fact[1] == element or fact[1].startswith((element + ".", element + ":"))


def rows_of(profile: Profile) -> list[Row]:
    found: list[Row] = []
    waiting = list(profile.rows.values())
    while waiting:
        row = waiting.pop()
        found.append(row)
        waiting += [inner for part in row.slices.values() for inner in part.rows.values()]
    return found


def test_the_table_is_as_its_schema_says() -> None:
    schema = json.loads((DATA / "profiles.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(json.loads((DATA / "profiles.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("profile", [*profiles().values(), *extensions().values()], ids=lambda profile: profile.name)
def test_a_profile_names_only_elements_rules_and_lists_that_exist(profile: Profile) -> None:
    compile_profile(profile, whole=True)
    compile_profile(profile, whole=False)
    for row in rows_of(profile):
        keys = {*row.rules.values(), *(need.rule for need in row.needs), *((row.rule,) if row.rule else ())}
        assert keys <= set(rules())
        assert row.codes is None or row.codes in code_lists()
        assert set(row.targets) <= resource_types()


def test_every_kind_leads_to_a_profile_of_its_type() -> None:
    for kind in kinds():
        assert all(profiles()[name].type_name == kind.type_name for name in kind.profiles)


@pytest.mark.parametrize("definition", PUBLISHED, ids=lambda definition: definition["url"].rpartition("/")[2])
def test_all_that_a_published_profile_states_is_asked_or_named_with_a_reason(definition: dict[str, Any]) -> None:
    profile = KNOWN.get(definition["url"])
    if profile is None:
        assert excused(UNUSED_PROFILES[definition["url"]]) == [("profile", "")]
        return
    left = stated(definition) - set(asked(profile.rows))
    reasons = excused(profile.name)
    assert [fact for fact in left if not any(covers(element, fact) for _, element in reasons)] == []
    assert [element for _, element in reasons if not any(covers(element, fact) for fact in left)] == []


@pytest.mark.parametrize("definition", PUBLISHED, ids=lambda definition: definition["url"].rpartition("/")[2])
def test_fixed_values_and_bound_lists_are_the_published_ones(definition: dict[str, Any]) -> None:
    profile = KNOWN.get(definition["url"])
    published_values, value_sets = fixed(definition), bound(definition)
    for path, due, codes in values(profile.rows) if profile is not None else ():
        if path in published_values and due:
            assert due == (published_values[path],), path
        if codes is not None and path in value_sets:
            assert codes in LISTS_OF[value_sets[path].rpartition("/")[2]], path


def test_the_list_of_what_is_not_enforced_does_not_grow() -> None:
    assert len(NOT_ENFORCED) <= MOST_NOT_ENFORCED
    names = {each.name for each in KNOWN.values()} | set(UNUSED_PROFILES.values())
    assert {entry["profile"] for entry in NOT_ENFORCED} <= names
    assert all(entry["reason"].endswith(".") and len(entry["reason"]) > 20 for entry in NOT_ENFORCED)
    listed = Counter(
        (entry["profile"], element, entry["what"]) for entry in NOT_ENFORCED for element in entry["elements"]
    )
    assert max(listed.values()) == 1


def test_every_profile_that_vkp_has_published_can_be_claimed() -> None:
    resources = {each["url"] for each in PUBLISHED if each["type"] != "Extension"} - set(UNUSED_PROFILES)
    assert resources <= set(KNOWN)


def test_every_rule_of_the_layer_is_used() -> None:
    used = {key for profile in KNOWN.values() for row in rows_of(profile) for key in row.rules.values()}
    used |= {row.rule for profile in KNOWN.values() for row in rows_of(profile) if row.rule}
    used |= {need.rule for profile in KNOWN.values() for row in rows_of(profile) for need in row.needs}
    source = "".join(path.read_text(encoding="utf-8") for path in Path(profile_table.__file__).parent.glob("*.py"))
    for key, rule in rules().items():
        if rule.layer == "profile":
            assert key in used or f'"{key}"' in source, key
