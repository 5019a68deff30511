"""One token and with DPoP one proof, or a refusal that says which kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.credentials import Credentials, Presented, Scheme, presented, tried
from shared.access.refusals import CredentialsDoubtful, ProofMalformed, ProofMissing
from shared.errors import HubError, NotAuthenticated


def read(value: str | list[str] | None, proof: str | list[str] | None = None, url: str = "/") -> Presented:
    return presented(Credentials(value, proof, "POST", url))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_scheme_is_taken_in_any_letter_case(scheme: str) -> None:
    assert read(f"{scheme} a.b.c") == Presented(Scheme.BEARER, "a.b.c")


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_dpop_is_taken_in_any_letter_case_with_its_proof(scheme: str) -> None:
    assert read(f"{scheme} a.b.c", " d.e.f ") == Presented(Scheme.DPOP, "a.b.c", "d.e.f")


def test_one_value_in_a_list_is_one_value() -> None:
    assert read(["DPoP a.b.c"], ["d.e.f"]) == Presented(Scheme.DPOP, "a.b.c", "d.e.f")


def test_proof_beside_a_bearer_token_is_not_looked_at() -> None:
    assert read("Bearer a.b.c", ["x", "y"]).proof is None


@pytest.mark.parametrize("value", [None, [], "", " ", "Bearer", "Bearer ", "DPoP", "Basic dTpw", "a.b.c", "Bearera.b"])
def test_no_token_is_not_authenticated(value: str | list[str] | None) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        read(value, "d.e.f")
    assert type(caught.value) is NotAuthenticated


@pytest.mark.parametrize(
    "value",
    [
        ["Bearer a", "Bearer a"],
        ["Bearer a", "DPoP a"],
        ["", "Bearer a"],
        "Bearer a, Bearer a",
        "Bearer a,b",
        "Basic dTpw, Bearer a",
        ", Bearer a",
        "Bearer a,",
    ],
)
def test_what_may_be_two_credentials_is_doubtful(value: str | list[str]) -> None:
    with pytest.raises(CredentialsDoubtful):
        read(value, "d.e.f")


@pytest.mark.parametrize("url", ["/?access_token=a", "/x?b=c&ACCESS_TOKEN=a", "https://h.example/x?a;access_token="])
def test_token_in_the_address_is_doubtful(url: str) -> None:
    with pytest.raises(CredentialsDoubtful):
        read("Bearer a", url=url)


@pytest.mark.parametrize("value", [None, [], "", " ", [""]])
def test_dpop_without_a_proof_is_told_so(value: str | list[str] | None) -> None:
    with pytest.raises(ProofMissing):
        read("DPoP a", value)


@pytest.mark.parametrize("value", [["a.b.c", "a.b.c"], ["", "a.b.c"], "a.b.c, a.b.c", "a.b.c,"])
def test_more_than_one_proof_is_malformed(value: str | list[str]) -> None:
    with pytest.raises(ProofMalformed):
        read("DPoP a", value)


@given(st.text(max_size=60), st.none() | st.text(max_size=20) | st.lists(st.text(max_size=20), max_size=2))
def test_any_header_gives_a_token_or_a_refusal(value: str, proof: str | list[str] | None) -> None:
    for scheme in ("Bearer", "DPoP"):
        try:
            found = read(f"{scheme} {value}", proof)
        except HubError:
            continue
        assert found.token == value.rstrip(" \t").strip(" ")
        assert (found.proof is None) == (found.scheme is Scheme.BEARER)


def test_credentials_never_show_themselves() -> None:
    credentials = Credentials("Bearer CANARY", "CANARY", "POST", "/CANARY")
    assert "CANARY" not in repr(credentials) + repr(presented(Credentials("DPoP CANARY", "CANARY")))


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        ("bearer x", Scheme.BEARER),
        ("DPOP", Scheme.DPOP),
        (["DPoP a", "Bearer b"], Scheme.DPOP),
        ("Basic x", None),
        ("", None),
        (None, None),
    ],
)
def test_scheme_that_was_tried_is_known_even_of_bad_credentials(
    value: str | list[str] | None, scheme: Scheme | None
) -> None:
    assert tried(value) is scheme
