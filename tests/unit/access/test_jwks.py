"""Only keys fit for checking signatures are taken up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from shared.access.jwks import ASYMMETRIC, JwksError, read_jwks, read_key
from tests.unit.access import forge
from tests.unit.access.forge import ec_jwk, rsa_jwk


def test_nine_algorithms_and_none_of_them_symmetric() -> None:
    assert len(ASYMMETRIC) == 9
    assert not any(name.startswith("HS") or name == "none" for name in ASYMMETRIC)


def test_key_is_kept_to_the_algorithm_it_states() -> None:
    key = read_key(rsa_jwk(alg="RS256"))
    assert key is not None
    assert key.algorithms == {"RS256"}


def test_key_without_an_algorithm_is_kept_to_its_kind() -> None:
    own, curve = read_key(rsa_jwk()), read_key(ec_jwk())
    assert own is not None
    assert curve is not None
    assert curve.algorithms == {"ES256"}
    assert own.algorithms == ASYMMETRIC - {"ES256", "ES384", "ES512"}


@pytest.mark.parametrize(
    "entry",
    [
        rsa_jwk(use="enc"),
        rsa_jwk(alg="HS256"),
        rsa_jwk(alg="ES256"),
        rsa_jwk(kid=""),
        {name: value for name, value in rsa_jwk().items() if name != "kid"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "HS256"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "x"},
        ec_jwk(crv="secp256k1"),
        ec_jwk(x="AAAA"),
        {**RSAAlgorithm.to_jwk(forge.rsa_key(), as_dict=True), "kid": "private"},
        rsa_jwk(n=forge.b64(b"\xff" * 128)),
    ],
)
def test_key_that_is_not_for_this_is_left_out(entry: dict[str, Any]) -> None:
    assert read_key(entry) is None
    assert set(read_jwks({"keys": [entry, rsa_jwk(kid="good")]}).keys) == {"good"}


def test_two_different_keys_under_one_id_are_both_left_out() -> None:
    with pytest.raises(JwksError):
        read_jwks({"keys": [rsa_jwk(), rsa_jwk("stranger")]})


def test_the_same_key_twice_is_one_key() -> None:
    assert set(read_jwks({"keys": [rsa_jwk(), rsa_jwk()]}).keys) == {forge.KID}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["keys", "kty", "kid", "n", "e", "x", "y", "crv", "use"]), inner)
        ),
    )
)
def test_any_other_document_is_refused_never_an_accident(document: Any) -> None:
    with pytest.raises(JwksError):
        read_jwks(document)
