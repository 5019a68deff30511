"""Every way a token can be wrong is refused with its own type, and nothing of it shows."""

import hmac
import itertools
import json
import re
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.access.caller import Caller, Person
from shared.access.tokens import TokenPolicy, UnknownKey, Verified, verify
from shared.errors import (
    HubError,
    NotAuthenticated,
    TokenAudience,
    TokenClaims,
    TokenExpired,
    TokenIssuer,
    TokenMalformed,
    TokenSignature,
)
from tests.unit.access import forge
from tests.unit.access.forge import AT, NOW, POLICY, claims, header, key_set, token


def found(text: str, policy: TokenPolicy = POLICY, after: float = 0.0) -> Verified:
    return verify(text, key_set(), policy, NOW + timedelta(seconds=after))


def check(text: str, policy: TokenPolicy = POLICY, after: float = 0.0) -> Caller:
    return found(text, policy, after).caller


def refused(text: str, kind: type[HubError], policy: TokenPolicy = POLICY, after: float = 0.0) -> None:
    with pytest.raises(kind) as caught:
        check(text, policy, after)
    assert type(caught.value) is kind


def test_good_token_names_its_caller() -> None:
    caller = check(token())
    assert caller == Caller(
        vkp_id="trygghetsvakt-test",
        client_id="5d0d9a52-0000-4000-8000-000000000001",
        scopes=frozenset({"nhn:vkp/api/user/bundle.write"}),
        expires_at=NOW + timedelta(seconds=600),
        token_id=caller.token_id,
    )
    assert not found(token()).is_bound


def test_token_id_tells_tokens_apart_and_shows_nothing_of_them() -> None:
    first, same, other = (check(token(claims(jti=jti))).token_id for jti in ("ONE", "ONE", "TWO"))
    assert first == same != other
    assert re.fullmatch("[a-z2-7]{26}", first)
    without = [check(token(claims(jti=None, client_id=name))).token_id for name in ("a", "b")]
    assert without[0] != without[1]


@pytest.mark.parametrize("jti", [7, True, ["x"], {}])
def test_id_of_a_token_that_is_no_text_is_refused(jti: object) -> None:
    refused(token(claims(jti=jti)), TokenClaims)


def test_supplier_and_tenancy_are_taken_under_both_names() -> None:
    supplier = "helseid://claims/client/claims/orgnr_supplier"
    for name in ("helseid://claims/client/client_tenancy", "helseid://claims/client/claims/client_tenancy"):
        caller = check(token(claims(**{supplier: "313745392", name: "multi-tenant"})))
        assert (caller.orgnr_supplier, caller.tenancy) == ("313745392", "multi-tenant")


def test_tenancy_that_contradicts_itself_is_refused() -> None:
    tenancy = {
        "helseid://claims/client/client_tenancy": "multi-tenant",
        "helseid://claims/client/claims/client_tenancy": "single-tenant",
    }
    refused(token(claims(**tenancy)), TokenClaims)


def test_required_claims_about_the_sender_are_a_setting() -> None:
    vkp_id, parent = "nhn:vkp/client/claims/vkp-id", "helseid://claims/client/claims/orgnr_parent"
    organisation = replace(POLICY, required=frozenset({"orgnr_parent"}))
    assert check(token(claims(**{vkp_id: None, parent: "999977774"})), organisation).vkp_id == ""
    refused(token(claims()), TokenClaims, organisation)
    both = replace(POLICY, required=frozenset({"vkp_id", "orgnr_parent", "orgnr_child"}))
    refused(token(claims(**{parent: "999977774"})), TokenClaims, both)


def test_policy_cannot_leave_the_sender_open() -> None:
    with pytest.raises(ValueError, match="must name"):
        replace(POLICY, required=frozenset({"orgnr_child"}))


LEVEL = "helseid://claims/identity/security_level"
PEOPLE = replace(POLICY, required=frozenset({"person"}))


def test_person_who_is_logged_in_is_known_by_helseids_own_name_for_them() -> None:
    who = {"sub": "pseudonym+/=", LEVEL: "4", "name": "Kari Nordmann", "nhn:vkp/client/claims/vkp-id": None}
    parent = {"helseid://claims/client/claims/orgnr_parent": "999977774"}
    person = check(token(claims(**who, **parent)), PEOPLE).person
    assert person == Person("helseid:pseudonym+/=", "Kari Nordmann", "999977774", "4")
    assert "Kari" not in repr(person)


def test_token_of_a_system_alone_speaks_for_no_person() -> None:
    assert check(token(claims(sub="x", name="Kari Nordmann"))).person is None
    refused(token(claims(sub="x")), TokenClaims, PEOPLE)


@pytest.mark.parametrize("changed", [{"sub": None}, {"sub": "13838099876"}, {LEVEL: 4}, {"sub": 7}, {"name": ["x"]}])
def test_person_that_is_not_surely_one_is_refused(changed: dict[str, Any]) -> None:
    refused(token(claims(**({"sub": "x", LEVEL: "4"} | changed))), TokenClaims)


@pytest.mark.parametrize("name", ["nonce", "at_hash", "c_hash", "s_hash"])
def test_token_with_an_id_tokens_claims_is_refused(name: str) -> None:
    refused(token(claims(**{name: "x"})), TokenClaims)


def test_token_for_several_apis_is_taken_only_where_that_is_set() -> None:
    several = replace(POLICY, single_audience=False)
    assert check(token(claims(aud=["nhn:jft", "nhn:vkp"])), several)
    for audience in (["nhn:jft"], "nhn:vkpx", ["NHN:VKP"], []):
        refused(token(claims(aud=audience)), TokenAudience, several)


def test_organisation_numbers_are_taken_when_there() -> None:
    parent, child = "helseid://claims/client/claims/orgnr_parent", "helseid://claims/client/claims/orgnr_child"
    caller = check(token(claims(**{parent: "999977774", child: "999977776"})))
    assert (caller.orgnr_parent, caller.orgnr_child) == ("999977774", "999977776")


@pytest.mark.parametrize("value", ["99997777", "9999777745", "99997777a", "٩٩٩٩٧٧٧٧٤", 999977774, ["999977774"]])
def test_malformed_organisation_number_is_refused(value: object) -> None:
    refused(token(claims(**{"helseid://claims/client/claims/orgnr_parent": value})), TokenClaims)


@pytest.mark.parametrize("typ", ["at+jwt", "JWT", "AT+JWT", "jwt", "application/at+jwt"])
def test_both_official_types_are_taken_in_any_case(typ: str) -> None:
    assert check(token(head=header(typ=typ)))


@pytest.mark.parametrize("typ", [None, "", "dpop+jwt", "client-authentication+jwt", "id_token", 1, ["JWT"]])
def test_other_types_are_refused(typ: object) -> None:
    refused(token(head=header(typ=typ)), TokenMalformed)


@pytest.mark.parametrize("alg", ["none", "None", "", "HS256", "HS512", "RS512", "PS384", "ES384", "EdDSA", 256, None])
def test_algorithm_outside_the_allow_list_is_refused_before_any_key_is_looked_up(alg: object) -> None:
    refused(token(head=header(alg=alg, kid="not published")), TokenMalformed)


def test_unsigned_token_is_refused() -> None:
    first = f"{forge.b64(json.dumps(header(alg='none')).encode())}.{forge.b64(json.dumps(claims()).encode())}"
    refused(f"{first}.", TokenMalformed)
    refused(first, TokenMalformed)


def test_public_key_used_as_a_shared_secret_is_refused() -> None:
    # Algorithm confusion: the attacker signs with what everybody can read.
    secret = forge.rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    first = token(head=header(alg="HS256")).rpartition(".")[0]
    refused(f"{first}.{forge.b64(hmac.digest(secret, first.encode(), 'sha256'))}", TokenMalformed)


def test_widened_allow_list_still_keeps_each_key_to_its_own_algorithm() -> None:
    wide = replace(POLICY, algorithms=frozenset({"RS256", "RS512", "ES256"}))
    assert check(forge.es256_token(), wide)
    refused(token(head=header(alg="RS512")), TokenSignature, wide)
    refused(token(head=header(alg="ES256")), TokenSignature, wide)


@pytest.mark.parametrize("algorithms", [{"HS256"}, {"none"}, {"RS256", "HS256"}, set[str]()])
def test_policy_cannot_allow_symmetric_or_no_algorithms(algorithms: set[str]) -> None:
    with pytest.raises(ValueError, match="asymmetric"):
        replace(POLICY, algorithms=frozenset(algorithms))


def test_signature_by_another_key_is_refused() -> None:
    refused(token(key="stranger"), TokenSignature)


def test_signature_of_another_token_is_refused() -> None:
    other = token(claims(client_id="somebody else"))
    refused(f"{token().rpartition('.')[0]}.{other.rpartition('.')[2]}", TokenSignature)


def test_signature_of_another_length_is_refused() -> None:
    wide = replace(POLICY, algorithms=frozenset({"RS256", "ES256"}))
    for text in (token(), forge.es256_token()):
        for signature in ("AA", forge.b64(b"x" * 63), forge.b64(b"x" * 1000)):
            refused(f"{text.rpartition('.')[0]}.{signature}", TokenSignature, wide)


def test_unknown_key_id_is_its_own_kind_of_bad_signature() -> None:
    refused(token(head=header(kid="FF" * 20)), UnknownKey)
    assert issubclass(UnknownKey, TokenSignature)
    assert UnknownKey.code == TokenSignature.code


@pytest.mark.parametrize("kid", [None, "", 7, ["x"], "x" * 257])
def test_key_id_must_be_a_name(kid: object) -> None:
    refused(token(head=header(kid=kid)), TokenMalformed)


@pytest.mark.parametrize("extra", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"b64": True}, {"crit": ["b64"]}])
def test_critical_extensions_are_refused(extra: dict[str, Any]) -> None:
    refused(token(head=header() | extra), TokenMalformed)


def test_keys_carried_in_the_token_are_not_trusted() -> None:
    head = header(
        kid="mine", jwk=forge.rsa_jwk("stranger", "mine"), jku="https://evil.test/jwks", x5u="https://evil.test"
    )
    refused(token(head=head, key="stranger"), UnknownKey)


@pytest.mark.parametrize(
    "issuer", [f"{forge.ISSUER}/", forge.ISSUER.upper(), "https://helseid-sts.test", "", None, [forge.ISSUER]]
)
def test_issuer_must_be_exact(issuer: object) -> None:
    refused(token(claims(iss=issuer)), TokenIssuer)


@pytest.mark.parametrize(
    "audience",
    ["nhn:jft", "nhn:vkp/", "NHN:VKP", "", None, [], ["nhn:vkp", "nhn:jft"], ["nhn:vkp", "nhn:vkp"], {"nhn:vkp": 1}],
)
def test_audience_must_be_this_api_and_no_other(audience: object) -> None:
    refused(token(claims(aud=audience)), TokenAudience)


def test_audience_may_be_an_array_of_this_one() -> None:
    assert check(token(claims(aud=["nhn:vkp"])))


def test_token_lives_until_its_end_and_five_seconds_of_skew() -> None:
    text = token()
    assert check(text, after=604.9)
    refused(text, TokenExpired, after=605)
    assert check(text, after=-5)
    refused(text, TokenExpired, after=-5.1)


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_token_from_the_future_is_refused(name: str) -> None:
    refused(token(claims(**{name: AT + 60})), TokenExpired)
    assert check(token(claims(**{name: AT + 5})))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [None, True, False, "1898856000", [1], {}, 10**400])
def test_times_must_be_there_and_numbers(name: str, value: object) -> None:
    text = token(claims(**{name: value}))
    with pytest.raises(TokenClaims):
        check(text)


def test_time_that_is_not_finite_is_refused() -> None:
    for name, literal in itertools.product(("exp", "nbf", "iat"), (b"1e999", b"-1e999")):
        refused(token(json.dumps(claims(**{name: 111})).encode().replace(b"111", literal)), TokenClaims)


def test_number_that_json_does_not_have_is_refused_wherever_it_stands() -> None:
    for literal in (b"NaN", b"Infinity", b"-Infinity"):
        refused(token(json.dumps(claims(padding=111)).encode().replace(b"111", literal)), TokenMalformed)


def test_fractional_times_are_taken() -> None:
    assert check(token(claims(exp=AT + 0.5, nbf=AT - 0.5)))


@pytest.mark.parametrize(
    "confirmation",
    [
        {},
        "x",
        [1],
        [{"jkt": "A" * 43}],
        {"jkt": "A" * 42},
        {"jkt": "A" * 42 + "="},
        {"jkt": 7},
        {"jkt": ["A" * 43]},
        {"JKT": "A" * 43},
        {"jkt": "A" * 43, "x5t#S256": "A" * 43},
        None,
    ],
)
def test_binding_that_is_not_understood_is_a_binding_to_nothing_that_could_be_proven(confirmation: object) -> None:
    verified = found(token(json.dumps({**claims(), "cnf": confirmation}).encode()))
    assert verified.is_bound
    assert verified.thumbprint is None


def test_key_that_a_token_is_bound_to_is_read() -> None:
    verified = found(token(claims(cnf={"jkt": "A" * 43})))
    assert verified.is_bound
    assert verified.thumbprint == "A" * 43


@pytest.mark.parametrize("value", [None, "client_secret", "PRIVATE_KEY_JWT", ["private_key_jwt"], True])
def test_client_must_have_authenticated_with_its_own_key(value: object) -> None:
    refused(token(claims(client_amr=value)), TokenClaims)


@pytest.mark.parametrize("name", ["client_id", "nhn:vkp/client/claims/vkp-id", "scope"])
@pytest.mark.parametrize("value", [None])
def test_claims_that_must_be_there(name: str, value: object) -> None:
    refused(token(claims(**{name: value})), TokenClaims)


@pytest.mark.parametrize("name", ["client_id", "nhn:vkp/client/claims/vkp-id"])
@pytest.mark.parametrize("value", ["", " a", "a ", "a\nb", "a\u0000", "a\u202eb", "a\ud800", "x" * 129, 7, ["a"]])
def test_names_must_be_fit_for_keys_and_logs(name: str, value: object) -> None:
    refused(token(claims(**{name: value})), TokenClaims)


@pytest.mark.parametrize("value", ["Leverandør_System_Ås", "leverandør-test", "a", "x" * 128])
def test_vkp_id_is_opaque(value: str) -> None:
    assert check(token(claims(**{"nhn:vkp/client/claims/vkp-id": value}))).vkp_id == value


def test_duplicate_names_are_refused_at_any_depth() -> None:
    good = json.dumps(claims())
    for body in (f'{good[:-1]}, "aud": "nhn:vkp"}}', f'{good[:-1]}, "x": {{"a": 1, "a": 1}}}}'):
        refused(token(body.encode()), TokenMalformed)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + "=",
        lambda text: text + ".",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text.replace(".", "..", 1),
        lambda text: text.rpartition(".")[0],
        lambda text: text.rpartition(".")[0] + ".",
        lambda text: "." + text,
        lambda text: "",
        lambda text: "e30.e30.e30",
        lambda text: "W10.e30.e30",
        lambda text: text[:-1] + ("-" if text[-1] != "-" else "_"),
    ],
)
def test_text_that_is_not_one_exact_token_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(NotAuthenticated):
        check(spoil(token()))


def test_payload_that_is_not_an_object_is_refused() -> None:
    for body in (b"[]", b"null", b'"x"', b"", b"{", b"\xff{}", b"{}{}", b'{"exp": ' + b"9" * 5000 + b"}"):
        with pytest.raises(NotAuthenticated):
            check(token(body))


def test_token_above_the_size_cap_is_refused() -> None:
    refused(token(claims(padding="x" * 20_000)), TokenMalformed)


def test_deeply_nested_token_is_refused_without_exhausting_the_stack() -> None:
    refused(token(b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"), TokenMalformed)


@given(st.text(max_size=400))
def test_arbitrary_text_is_never_anything_but_refused(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        check(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted({*claims(), "cnf"})), value=_json)
def test_any_value_of_any_claim_is_accepted_or_refused_never_an_accident(name: str, value: Any) -> None:
    try:
        caller = check(token(claims() | {name: value}))
    except NotAuthenticated:
        return
    assert isinstance(caller, Caller)


@given(name=st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"]), value=_json)
def test_any_value_in_the_header_is_accepted_or_refused_never_an_accident(name: str, value: Any) -> None:
    try:
        check(token(head=header() | {name: value}))
    except NotAuthenticated:
        return


def test_second_spelling_of_the_same_signature_is_refused() -> None:
    # 256 bytes leave four bits over in the last character, which a careless decoder throws away.
    text = token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    refused(text[:-1] + alphabet[alphabet.index(text[-1]) + 1], TokenMalformed)


@given(position=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=5))
def test_no_single_changed_character_gives_another_accepted_token(position: int, bit: int) -> None:
    text = token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = position % len(text)
    changed = "A" if text[at] == "." else alphabet[alphabet.index(text[at]) ^ (1 << bit)]
    with pytest.raises(NotAuthenticated):
        check(f"{text[:at]}{changed}{text[at + 1 :]}")


@pytest.mark.parametrize(
    "text",
    [
        token(claims(vkp="CANARY", client_amr="CANARY")),
        token(claims(iss="CANARY")),
        token(claims(aud="CANARY")),
        token(claims(exp="CANARY")),
        token(claims(client="CANARY"), key="stranger"),
        token(head=header(kid="CANARY")),
        token(b'{"CANARY": '),
    ],
)
def test_nothing_of_a_token_shows_in_a_refusal(text: str) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        check(text)
    shown = "".join(traceback.format_exception(caught.value, chain=True)) + repr(caught.value.args) + str(caught.value)
    assert "CANARY" not in shown.replace("test_tokens", "")
    assert text not in shown
    assert caught.value.__cause__ is None
    assert caught.value.findings == ()
