"""A refused caller is told how to call, in the words of RFC 6750 and RFC 9449."""

import re

import pytest

from shared import errors
from shared.access import refusals
from shared.access.challenges import challenge
from shared.access.jwks import ASYMMETRIC
from shared.access.modes import DpopMode
from shared.access.refusals import (
    CredentialsDoubtful,
    DpopNotTaken,
    ProofMissing,
    ProofReplayed,
    ProofRequired,
    TokenBound,
    WrongProofKey,
)
from shared.access.scopes import ScopeNotHeld
from shared.errors import HubError, NotAuthenticated, NotAvailable, NotFhir, NotGranted, ScopeMissing, TokenExpired

ALGS = f'algs="{" ".join(sorted(ASYMMETRIC))}"'
OFF, OPTIONAL, REQUIRED = DpopMode.OFF, DpopMode.OPTIONAL, DpopMode.REQUIRED


def schemes(text: str | None) -> list[str]:
    return re.findall(r"(?:^|, )(Bearer|DPoP)(?= |,|$)", text or "")


@pytest.mark.parametrize(
    ("mode", "expected"), [(OFF, "Bearer"), (OPTIONAL, f"DPoP {ALGS}, Bearer"), (REQUIRED, f"DPoP {ALGS}")]
)
def test_call_without_credentials_is_told_how_to_call_and_of_no_error(mode: DpopMode, expected: str) -> None:
    assert challenge(NotAuthenticated(), None, mode) == expected


def test_error_stands_with_the_scheme_that_was_tried() -> None:
    bearer = challenge(TokenExpired(), "bearer x", OPTIONAL) or ""
    assert re.fullmatch(rf'Bearer error="invalid_token", error_description="[^"]+", DPoP {ALGS}', bearer)
    dpop = challenge(TokenExpired(), "dpop x", OPTIONAL) or ""
    assert re.fullmatch(rf'DPoP error="invalid_token", error_description="[^"]+", {ALGS}, Bearer', dpop)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (TokenExpired(), "invalid_token"),
        (TokenBound(), "invalid_token"),
        (WrongProofKey(), "invalid_token"),
        (ProofRequired(), "invalid_token"),
        (ProofMissing(), "invalid_dpop_proof"),
        (ProofReplayed(), "invalid_dpop_proof"),
        (CredentialsDoubtful(), "invalid_request"),
        (ScopeMissing(), "insufficient_scope"),
    ],
)
def test_error_has_its_name(error: HubError, name: str) -> None:
    for mode in DpopMode:
        for sent in ("DPoP x", "Bearer x"):
            assert (challenge(error, sent, mode) or "").count(f'error="{name}"') == 1


def test_failed_binding_is_described_as_in_the_rfc() -> None:
    assert 'error_description="Invalid DPoP key binding' in (challenge(WrongProofKey(), "DPoP x", OPTIONAL) or "")


def test_missing_scope_is_named() -> None:
    text = challenge(ScopeNotHeld("nhn:vkp/api/user/bundle.write"), "DPoP x", REQUIRED) or ""
    assert 'scope="nhn:vkp/api/user/bundle.write"' in text
    assert schemes(text) == ["DPoP"]


def test_system_that_must_use_dpop_is_offered_nothing_else_and_one_that_must_not_only_bearer() -> None:
    for mode in DpopMode:
        assert schemes(challenge(ProofRequired(), "Bearer x", mode)) == ["DPoP"]
        assert schemes(challenge(DpopNotTaken(), "DPoP x", mode)) == ["Bearer"]


@pytest.mark.parametrize("error", [NotFhir(), NotGranted(), NotAvailable()])
def test_what_is_not_about_who_is_calling_has_no_challenge(error: HubError) -> None:
    assert challenge(error, "DPoP x", OPTIONAL) is None


def all_kinds() -> list[type[HubError]]:
    return [
        kind
        for module in (errors, refusals)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, HubError)
    ]


@pytest.mark.parametrize("kind", all_kinds())
def test_challenge_is_well_formed_for_every_refusal(kind: type[HubError]) -> None:
    parameter = r'[a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"'
    one = rf"(?:Bearer|DPoP)(?: {parameter}(?:, {parameter})*)?"
    for mode in DpopMode:
        text = challenge(kind(), 'Basic "\r\nX: y', mode)
        assert text is None or re.fullmatch(rf"{one}(?:, {one})?", text)
        assert (text is None) == (not issubclass(kind, NotAuthenticated | ScopeMissing | CredentialsDoubtful))
