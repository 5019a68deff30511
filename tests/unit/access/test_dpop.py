"""A proof is for one call, with one token, made with the key that the token is bound to."""

import json
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.access.dpop import Call, Proof, ProofRules, check_proof, thumbprint, used_once
from shared.access.jwks import ASYMMETRIC
from shared.access.refusals import (
    ProofExpired,
    ProofMalformed,
    ProofMismatch,
    ProofRefused,
    ProofReplayed,
    WrongProofKey,
)
from shared.errors import NotAuthenticated
from tests.unit.access import forge
from tests.unit.access.forge import AT, NOW, URL, bound_token, jkt, proof_claims, proof_header, proof_jwk, signed_proof

TOKEN = bound_token()
RULES = ProofRules()


def call(**changed: Any) -> Call:
    return Call(**({"method": "POST", "target": URL, "token": TOKEN, "thumbprint": jkt()} | changed))


def check(text: str, after: float = 0.0, **changed: Any) -> Proof:
    return check_proof(text, call(**changed), RULES, NOW + timedelta(seconds=after))


def good(**changed: Any) -> str:
    return signed_proof(proof_claims(TOKEN, **changed))


def refused(text: str, kind: type[NotAuthenticated], after: float = 0.0, **changed: Any) -> None:
    with pytest.raises(kind) as caught:
        check(text, after, **changed)
    assert type(caught.value) is kind


def test_good_proof_holds_until_it_is_too_old() -> None:
    assert check(good()).until == NOW + timedelta(seconds=15)


@pytest.mark.parametrize("typ", ["dpop+jwt", "DPoP+JWT"])
def test_type_is_taken_in_any_letter_case(typ: str) -> None:
    assert check(signed_proof(proof_claims(TOKEN), proof_header(typ=typ)))


@pytest.mark.parametrize("extra", [{"kid": "x"}, {"jku": "https://evil.test"}, {"x5u": "https://evil.test"}])
def test_other_header_members_have_no_say(extra: dict[str, Any]) -> None:
    assert check(signed_proof(proof_claims(TOKEN), proof_header() | extra))


def test_nonce_is_not_asked_for_and_does_not_matter() -> None:
    for nonce in ("", "any"):
        assert check(good(nonce=nonce))


@pytest.mark.parametrize("more", [{"alg": "ES256"}, {"use": "sig"}, {"kid": "x", "ext": True, "key_ops": ["verify"]}])
def test_thumbprint_is_over_the_required_members_only(more: dict[str, Any]) -> None:
    assert check(signed_proof(proof_claims(TOKEN), proof_header(jwk=proof_jwk() | more)))


def test_thumbprint_is_that_of_rfc_7638() -> None:
    # RFC 7638, 3.1: the example's own key and result.
    key = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
        "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0"
        "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF"
        "Cur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29",
    }
    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("alg", sorted(ASYMMETRIC))
def test_each_of_the_nine_algorithms_is_taken(alg: str) -> None:
    head, text = _of_kind(alg)
    assert check(text, thumbprint=jkt(head["jwk"]))


def _of_kind(alg: str) -> tuple[dict[str, Any], str]:
    algorithm = jwt.get_algorithm_by_name(alg)
    if alg.startswith("ES"):
        curve = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "512": ec.SECP521R1()}[alg[2:]]
        key: Any = ec.generate_private_key(curve)
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        key = forge.rsa_key()
        jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    head = proof_header(alg=alg, jwk=jwk)
    first = f"{forge.b64(json.dumps(head).encode())}.{forge.b64(json.dumps(proof_claims(TOKEN)).encode())}"
    return head, f"{first}.{forge.b64(algorithm.sign(first.encode(), key))}"


@pytest.mark.parametrize(
    "changed",
    [
        {"typ": None},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"typ": 7},
        {"alg": None},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "EdDSA"},
        {"alg": "ES384"},
        {"alg": "RS256"},
        {"alg": ["ES256"]},
        {"jwk": None},
        {"jwk": "x"},
        {"jwk": []},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
        {"crit": ["b64"]},
        {"b64": True},
    ],
)
def test_header_that_is_no_proofs_is_malformed(changed: dict[str, Any]) -> None:
    refused(signed_proof(proof_claims(TOKEN), proof_header(**changed)), ProofMalformed)


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_key_that_gives_its_private_part_away_is_refused(member: str) -> None:
    refused(signed_proof(proof_claims(TOKEN), proof_header(jwk=proof_jwk() | {member: "AAAA"})), ProofMalformed)


@pytest.mark.parametrize("changed", [{"x": "AAAA"}, {"crv": "P-384"}, {"crv": ["P-256"]}, {"y": 7}, {"x": "æ"}])
def test_key_that_is_no_point_of_its_curve_is_malformed(changed: dict[str, Any]) -> None:
    refused(signed_proof(proof_claims(TOKEN), proof_header(jwk=proof_jwk() | changed)), ProofMalformed)


def test_weak_and_costly_keys_are_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505 - what is tested
    strong = RSAAlgorithm.to_jwk(forge.rsa_key().public_key(), as_dict=True)
    for jwk in (
        RSAAlgorithm.to_jwk(weak, as_dict=True),
        strong | {"n": forge.b64(b"\xff" * 1100)},
        strong | {"e": forge.b64(b"\x01" + b"\x00" * 200 + b"\x01")},
    ):
        refused(signed_proof(proof_claims(TOKEN), proof_header(alg="RS256", jwk=jwk)), ProofMalformed)


def test_proof_by_another_key_is_refused_however_well_it_is_signed() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    head = proof_header(jwk=ECAlgorithm.to_jwk(other.public_key(), as_dict=True))
    refused(signed_proof(proof_claims(TOKEN), head, other), WrongProofKey)
    refused(good(), WrongProofKey, thumbprint="A" * 43)


def test_proof_that_names_the_right_key_but_is_signed_by_another_is_malformed() -> None:
    refused(signed_proof(proof_claims(TOKEN), key=ec.generate_private_key(ec.SECP256R1())), ProofMalformed)


@pytest.mark.parametrize("name", ["jti", "htm", "htu", "iat", "ath"])
@pytest.mark.parametrize("value", [None, 7.5, True, ["x"], {}, ""])
def test_every_claim_must_be_there_and_what_it_should_be(name: str, value: object) -> None:
    with pytest.raises(ProofRefused):
        check(good(**{name: value}))


def test_time_must_be_a_number_and_id_bounded() -> None:
    for value in (True, "1898856000", [AT], 10**400):
        refused(good(iat=value), ProofMalformed)
    refused(good(jti="x" * 257), ProofMalformed)
    assert check(good(jti="x" * 256, iat=AT + 0.5))


@pytest.mark.parametrize("method", ["GET", "post", "POST ", "PUT"])
def test_method_is_compared_letter_for_letter(method: str) -> None:
    refused(good(htm=method), ProofMismatch)


@pytest.mark.parametrize(
    "target",
    [
        f"{URL}/",
        f"{URL}x",
        URL.replace("https", "http"),
        URL.replace("hub.", "hub2."),
        "https://hub.example:8443" + URL[19:],
    ],
)
def test_address_must_be_the_calls(target: str) -> None:
    refused(good(htu=target), ProofMismatch)


@pytest.mark.parametrize(
    "same", [f"{URL}?a=b", f"{URL}#x", URL.replace("hub", "HUB"), URL.replace(".example", ".example:443")]
)
def test_other_spellings_of_the_address_are_the_calls(same: str) -> None:
    assert check(good(htu=same))


def test_proof_for_another_token_is_refused() -> None:
    refused(good(), ProofMismatch, token=bound_token(jti="another"))
    refused(good(ath="æ" * 43), ProofMismatch)
    refused(good(ath=proof_claims(TOKEN)["ath"] + "="), ProofMismatch)


@pytest.mark.parametrize(
    ("after", "taken"), [(-5.1, False), (-5, True), (0, True), (15, True), (15.1, False), (3600, False)]
)
def test_window_of_a_proof_is_fifteen_seconds_and_five_ahead(after: float, taken: bool) -> None:
    if taken:
        assert check(good(), after)
    else:
        refused(good(), ProofExpired, after)


def test_same_id_by_the_same_key_is_remembered_as_one_and_by_others_as_others() -> None:
    first, again = check(good()), check(good(iat=AT + 1))
    assert first.key == again.key != check(good(jti="another")).key
    assert "a proof's own id" not in first.key
    head, text = _of_kind("ES256")
    assert check(text, thumbprint=jkt(head["jwk"])).key != first.key


class Memory:
    def __init__(self) -> None:
        self.kept: dict[str, datetime] = {}

    async def remember(self, key: str, until: datetime) -> bool:
        return self.kept.setdefault(key, until) is until


async def test_proof_is_used_once() -> None:
    memory = Memory()
    await used_once(Proof("a", NOW), memory)
    await used_once(Proof("b", datetime(2031, 1, 1, tzinfo=UTC)), memory)
    with pytest.raises(ProofReplayed):
        await used_once(Proof("a", NOW + timedelta(seconds=1)), memory)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_rules_that_make_no_sense_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="some time"):
        ProofRules(past=timedelta(seconds=seconds))


@pytest.mark.parametrize("text", ["", "a.b.c", "a.b", "e30.e30.e30", TOKEN, good() + "=", good() + ".", "x" * 9000])
def test_text_that_is_no_proof_is_malformed(text: str) -> None:
    refused(text, ProofMalformed)


def test_proof_above_the_size_cap_and_duplicate_names_are_malformed() -> None:
    refused(good(padding="x" * 8000), ProofMalformed)
    body = json.dumps(proof_claims(TOKEN))
    refused(signed_proof(f'{body[:-1]}, "htm": "POST"}}'.encode()), ProofMalformed)


@given(st.text(max_size=200))
def test_arbitrary_text_is_never_anything_but_malformed(text: str) -> None:
    refused(text, ProofMalformed)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce"]), value=_json)
def test_any_value_of_any_claim_is_accepted_or_refused_never_an_accident(name: str, value: Any) -> None:
    try:
        check(signed_proof(proof_claims(TOKEN) | {name: value}))
    except ProofRefused:
        return


@given(name=st.sampled_from(["typ", "alg", "jwk", "kid", "crit"]), value=_json)
def test_any_value_in_the_header_is_accepted_or_refused_never_an_accident(name: str, value: Any) -> None:
    try:
        check(signed_proof(proof_claims(TOKEN), proof_header() | {name: value}))
    except NotAuthenticated:
        return


@given(name=st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d"]), value=_json)
def test_any_value_in_the_key_is_accepted_or_refused_never_an_accident(name: str, value: Any) -> None:
    try:
        check(signed_proof(proof_claims(TOKEN), proof_header(jwk=proof_jwk() | {name: value})))
    except NotAuthenticated:
        return


@given(position=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=5))
def test_no_single_changed_character_gives_another_accepted_proof(position: int, bit: int) -> None:
    text = good()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = position % len(text)
    changed = "A" if text[at] == "." else alphabet[alphabet.index(text[at]) ^ (1 << bit)]
    with pytest.raises(NotAuthenticated):
        check(f"{text[:at]}{changed}{text[at + 1 :]}")


def test_nothing_of_a_proof_shows_in_a_refusal() -> None:
    for text in (good(htm="CANARY"), good(jti=["CANARY"]), good(iat="CANARY"), good(htu="https://CANARY/")):
        with pytest.raises(ProofRefused) as caught:
            check(text)
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.args)
        assert "CANARY" not in shown.replace("test_dpop", "")
        assert text not in shown
        assert caught.value.findings == ()
