"""One bearer token, or a refusal that says which kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.bearer import bearer_token, challenge
from shared.access.tokens import TokenBound
from shared.errors import NotAuthenticated, NotFhir, ScopeMissing, TokenExpired, TokenMalformed


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_scheme_is_taken_in_any_letter_case(scheme: str) -> None:
    assert bearer_token(f"{scheme} a.b.c") == "a.b.c"


def test_one_value_in_a_list_is_one_value() -> None:
    assert bearer_token(["Bearer a.b.c"]) == "a.b.c"


@pytest.mark.parametrize(
    "value", [None, [], "", " ", "Bearer", "Bearer ", "Basic dTpw", "DPoP a.b.c", "a.b.c", "Bearera.b"]
)
def test_no_bearer_token_is_not_authenticated(value: str | list[str] | None) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        bearer_token(value)
    assert type(caught.value) is NotAuthenticated


@pytest.mark.parametrize(
    "value",
    [
        "Bearer a b",
        "Bearer a.b.c, Bearer a.b.c",
        "Bearer a,b",
        "Bearer \ta",
        "Bearer æ",
        "Bearer a\x00",
        ["Bearer a", "Bearer a"],
    ],
)
def test_anything_but_one_token_is_malformed(value: str | list[str]) -> None:
    with pytest.raises(TokenMalformed):
        bearer_token(value)


@given(st.text(max_size=60))
def test_any_header_gives_a_token_or_a_refusal(value: str) -> None:
    try:
        found = bearer_token(f"Bearer {value}")
    except NotAuthenticated:
        return
    assert found == value.strip(" \t")


def test_challenge_says_what_is_wrong_in_the_words_of_rfc_6750() -> None:
    assert challenge(NotAuthenticated()) == "Bearer"
    assert (challenge(TokenExpired()) or "").startswith('Bearer error="invalid_token", error_description="The bearer')
    assert (challenge(ScopeMissing()) or "").startswith('Bearer error="insufficient_scope"')
    assert (challenge(TokenBound()) or "").count('"') == 4
    assert challenge(NotFhir()) is None
