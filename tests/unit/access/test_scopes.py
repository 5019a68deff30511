"""A scope allows exactly what it names."""

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.caller import Caller
from shared.access.scopes import EVERYTHING, read_scopes, require
from shared.access.tokens import verify
from shared.errors import ScopeMissing, TokenClaims
from tests.unit.access.forge import NOW, POLICY, claims, key_set, token

RESOURCES = ["bundle", "composition", "encounter", "patient", "medicationdispense"]
ACTIONS: list[Literal["read", "write"]] = ["read", "write"]


def caller(*scopes: str) -> Caller:
    return Caller(vkp_id="v", client_id="c", scopes=frozenset(scopes))


@given(
    held=st.tuples(st.sampled_from(RESOURCES), st.sampled_from(["read", "write", "*"])),
    asked=st.tuples(st.sampled_from(RESOURCES), st.sampled_from(ACTIONS)),
)
def test_scope_opens_its_own_resource_and_action_only(
    held: tuple[str, str], asked: tuple[str, Literal["read", "write"]]
) -> None:
    opens = held[0] == asked[0] and held[1] in ("*", asked[1])
    person = caller(f"nhn:vkp/api/user/{held[0]}.{held[1]}")
    if opens:
        require(person, *asked)
    else:
        with pytest.raises(ScopeMissing):
            require(person, *asked)


@pytest.mark.parametrize(
    "scope",
    [
        "nhn:vkp/api/user/bundle.write2",
        "nhn:vkp/api/user/bundle",
        "nhn:vkp/api/user/bundle.",
        "nhn:vkp/api/user/*.*",
        "nhn:vkp/api/user/*.write",
        "nhn:vkp/api/user/bundle.Write",
        "nhn:jft/api",
        "NHN:VKP/api/user/bundle.write",
        "",
    ],
)
def test_scope_that_only_looks_alike_opens_nothing(scope: str) -> None:
    with pytest.raises(ScopeMissing):
        require(caller(scope), "bundle", "write")


def test_resource_is_taken_in_any_letter_case_as_in_the_address() -> None:
    require(caller("nhn:vkp/api/user/medicationdispense.write"), "MedicationDispense", "write")


@pytest.mark.parametrize("resource", ["*", "", "bundle.write", "a" * 65, "bundle/x"])
def test_resource_that_is_no_name_is_never_open(resource: str) -> None:
    with pytest.raises(ScopeMissing):
        require(caller(f"nhn:vkp/api/user/{resource}.write", EVERYTHING), resource, "write")


def test_refusal_names_the_missing_scope() -> None:
    with pytest.raises(ScopeMissing) as caught:
        require(caller(), "Bundle", "write")
    assert "nhn:vkp/api/user/bundle.write" in caught.value.findings[0].text


def test_scope_for_everything_counts_only_in_a_test_environment() -> None:
    text = token(claims(scope=[EVERYTHING]))
    require(verify(text, key_set(), replace(POLICY, test_environment=True), NOW).caller, "bundle", "write")
    with pytest.raises(ScopeMissing):
        require(verify(text, key_set(), POLICY, NOW).caller, "bundle", "write")


@given(st.lists(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12), max_size=6))
def test_array_and_string_form_mean_the_same(names: list[str]) -> None:
    assert read_scopes(names) == read_scopes(" ".join(names)) == frozenset(names)


@pytest.mark.parametrize("claim", [1, True, {}, {"a": 1}, ["a", 1], [["a"]]])
def test_scope_claim_of_another_kind_is_refused(claim: object) -> None:
    with pytest.raises(TokenClaims):
        read_scopes(claim)


def test_token_without_scopes_authenticates_but_opens_nothing() -> None:
    person = verify(token(claims(scope=[])), key_set(), POLICY, NOW).caller
    with pytest.raises(ScopeMissing):
        require(person, "bundle", "write")
