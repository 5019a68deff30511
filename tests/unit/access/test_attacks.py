"""Attacks on who is calling, each by its name, against a whole authenticator: headers in, caller or refusal out."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from shared.access import scopes
from shared.access.authenticate import Authenticator, Dpop
from shared.access.credentials import Credentials
from shared.access.jwks import read_jwks
from shared.access.modes import DpopMode
from shared.access.refusals import (
    CredentialsDoubtful,
    DpopNotTaken,
    KeyRevoked,
    ProofExpired,
    ProofMalformed,
    ProofMismatch,
    ProofMissing,
    ProofReplayed,
    ProofRequired,
    TokenBound,
    TokenUnbound,
    UnknownKey,
    WrongProofKey,
)
from shared.access.tokens import verify
from shared.access.verified import VerifiedTokens
from shared.errors import (
    HubError,
    NotAuthenticated,
    NotAvailable,
    ScopeMissing,
    TokenAudience,
    TokenClaims,
    TokenExpired,
    TokenIssuer,
    TokenMalformed,
    TokenSignature,
)
from tests.unit.access import forge
from tests.unit.access.door import PATH, PUBLIC, Door, Memory
from tests.unit.access.forge import (
    AT,
    KID,
    NOW,
    POLICY,
    bound_token,
    claims,
    header,
    jkt,
    proof,
    proof_claims,
    proof_header,
    proof_jwk,
    rsa_jwk,
    signed_proof,
    token,
)

VKP_ID = "nhn:vkp/client/claims/vkp-id"


@pytest.fixture
def door() -> Door:
    return Door()


async def test_good_calls_are_let_in_so_that_the_attacks_fail_for_what_they_are(door: Door) -> None:
    assert not (await door.bearer(token())).is_bound
    assert (await door.dpop()).is_bound
    text = bound_token()
    assert await door.call(f"dpop {text}", proof(text, jti="2"), url=f"{PATH}?q=1")


# --- the token ---


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
async def test_alg_none(door: Door, alg: str) -> None:
    first = f"{forge.b64(json.dumps(header(alg=alg)).encode())}.{forge.b64(json.dumps(claims()).encode())}"
    for text in (f"{first}.", f"{first}.AA", token(head=header(alg=alg))):
        await door.refuses(TokenMalformed, f"Bearer {text}")


async def test_hs256_with_the_public_key_as_secret(door: Door) -> None:
    public = forge.rsa_key().public_key()
    for form, container in ((Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (Encoding.DER, PublicFormat.PKCS1)):
        first = token(head=header(alg="HS256")).rpartition(".")[0]
        signature = hmac.digest(public.public_bytes(form, container), first.encode(), "sha256")
        await door.refuses(TokenMalformed, f"Bearer {first}.{forge.b64(signature)}")


async def test_ec_algorithm_over_an_rsa_key_and_the_other_way_round(door: Door) -> None:
    await door.refuses(TokenSignature, f"Bearer {token(head=header(alg='ES256'))}")
    await door.refuses(TokenSignature, f"Bearer {token(head=header(alg='RS256', kid='ec'))}")


async def test_algorithm_that_the_published_key_is_not_for(door: Door) -> None:
    await door.refuses(TokenSignature, f"Bearer {token(head=header(alg='PS256'))}")


@pytest.mark.parametrize(
    "issuer", ["https://helseid.evil.test", f"{forge.ISSUER}/", forge.ISSUER.upper(), None, [forge.ISSUER]]
)
async def test_wrong_issuer(door: Door, issuer: object) -> None:
    await door.refuses(TokenIssuer, f"Bearer {token(claims(iss=issuer))}")


@pytest.mark.parametrize("audience", ["nhn:jft", "NHN:VKP", "nhn:vkp ", "nhn:vk*", None, ["nhn:jft"]])
async def test_wrong_audience(door: Door, audience: object) -> None:
    await door.refuses(TokenAudience, f"Bearer {token(claims(aud=audience))}")


async def test_token_for_several_apis_replayed_by_one_of_them(door: Door) -> None:
    await door.refuses(TokenAudience, f"Bearer {token(claims(aud=['nhn:vkp', 'nhn:jft']))}")


async def test_expired_token(door: Door) -> None:
    await door.refuses(TokenExpired, f"Bearer {token(claims(exp=AT - 5))}")


async def test_token_of_the_future(door: Door) -> None:
    for name in ("nbf", "iat"):
        await door.refuses(TokenExpired, f"Bearer {token(claims(**{name: AT + 6}))}")


async def test_token_that_expires_while_it_is_remembered(door: Door) -> None:
    text = token()
    await door.bearer(text)
    door.seconds = 604.9
    await door.bearer(text)
    door.seconds = 605.0
    await door.refuses(TokenExpired, f"Bearer {text}")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "client_id", "client_amr", "scope", VKP_ID])
async def test_missing_claim(door: Door, name: str) -> None:
    await door.refuses(TokenClaims, f"Bearer {token(claims(**{name: None}))}")


@pytest.mark.parametrize("value", [True, False, "4000000000", [4_000_000_000], {}, 10**400])
async def test_boolean_exp_and_other_times_that_are_none(door: Door, value: object) -> None:
    for name in ("exp", "nbf", "iat"):
        await door.refuses(TokenClaims, f"Bearer {token(claims(**{name: value}))}")


@pytest.mark.parametrize("value", ["client_secret_basic", "PRIVATE_KEY_JWT", ["private_key_jwt"]])
async def test_client_that_proved_itself_with_less_than_a_key(door: Door, value: object) -> None:
    await door.refuses(TokenClaims, f"Bearer {token(claims(client_amr=value))}")


async def test_duplicate_json_keys(door: Door) -> None:
    body = json.dumps(claims())
    for twice in ('"aud": "nhn:vkp"', f'"{VKP_ID}": "another"', '"exp": 4000000000'):
        await door.refuses(TokenMalformed, f"Bearer {token(f'{body[:-1]}, {twice}}}'.encode())}")
    head = json.dumps(header(alg="none"))[:-1] + ', "alg": "RS256"}'
    first = f"{forge.b64(head.encode())}.{forge.b64(body.encode())}"
    await door.refuses(TokenMalformed, f"Bearer {first}.{token().rpartition('.')[2]}")


async def test_oversized_token(door: Door) -> None:
    await door.refuses(TokenMalformed, f"Bearer {token(claims(padding='x' * 12_000))}")


async def test_token_nested_to_exhaust_the_stack(door: Door) -> None:
    await door.refuses(TokenMalformed, "Bearer " + token(b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}"))


@pytest.mark.parametrize("extra", [{"crit": ["x"], "x": 1}, {"crit": []}, {"b64": False}])
async def test_critical_header_that_nobody_here_understands(door: Door, extra: dict[str, Any]) -> None:
    await door.refuses(TokenMalformed, f"Bearer {token(head=header() | extra)}")


async def test_key_smuggled_in_with_the_token(door: Door) -> None:
    own = rsa_jwk("stranger", "mine")
    for extra in ({"jwk": own}, {"jku": "https://evil.test/jwks"}, {"x5u": "https://evil.test"}, {"x5c": ["AAAA"]}):
        await door.refuses(UnknownKey, f"Bearer {token(head=header(kid='mine') | extra, key='stranger')}")
        await door.refuses(TokenSignature, f"Bearer {token(head=header() | extra, key='stranger')}")


@pytest.mark.parametrize("kid", ["../../dev/null", "' OR 1=1 --", KID.lower(), KID + "\x00", "ec\n"])
async def test_key_id_that_is_something_else(door: Door, kid: str) -> None:
    await door.refuses(UnknownKey, f"Bearer {token(head=header(kid=kid))}")


@pytest.mark.parametrize("typ", ["dpop+jwt", "client-authentication+jwt", "logout+jwt", "id_token", None])
async def test_other_kind_of_token_as_access_token(door: Door, typ: str | None) -> None:
    await door.refuses(TokenMalformed, f"Bearer {token(head=header(typ=typ))}")


async def test_id_token_as_access_token(door: Door) -> None:
    head = header(typ="JWT")
    await door.refuses(TokenAudience, f"Bearer {token(claims(aud='trygghetsvakt'), head)}")
    # One whose client happens to be called as this API is.
    await door.refuses(TokenClaims, f"Bearer {token(claims(at_hash='x'), head)}")
    await door.refuses(TokenClaims, f"Bearer {token(claims(nonce='x'), head)}")


async def test_client_assertion_as_access_token(door: Door) -> None:
    mine = {"iss": "trygghetsvakt", "sub": "trygghetsvakt", "aud": forge.ISSUER}
    await door.refuses(TokenIssuer, f"Bearer {token(claims(**mine), header(typ='JWT'))}")


async def test_proof_as_access_token(door: Door) -> None:
    await door.refuses(TokenMalformed, f"DPoP {proof(bound_token())}", proof(bound_token()))


async def test_access_token_as_proof(door: Door) -> None:
    text = bound_token()
    await door.refuses(ProofMalformed, f"DPoP {text}", text)


# --- the issuer's keys ---


async def test_unknown_kid(door: Door) -> None:
    await door.refuses(UnknownKey, f"Bearer {token(head=header(kid='FF' * 20))}")


async def test_revoked_kid_at_once_also_for_remembered_tokens(door: Door) -> None:
    text, bound = token(), bound_token()
    await door.bearer(text)
    await door.dpop(bound)
    door.revoked.add(KID)
    await door.refuses(KeyRevoked, f"Bearer {text}")
    await door.refuses(KeyRevoked, f"DPoP {bound}", proof(bound, jti="2"))
    assert door.fetches == 1


async def test_key_withdrawn_by_the_issuer_lives_on_in_no_remembered_token(door: Door) -> None:
    text = token()
    await door.bearer(text)
    door.issuer, door.seconds = read_jwks({"keys": [rsa_jwk("stranger", "new")]}), 5.0
    await door.call(f"Bearer {token(head=header(kid='new'), key='stranger')}")
    await door.refuses(UnknownKey, f"Bearer {text}")


async def test_known_key_id_taken_over_by_another_key(door: Door) -> None:
    text = token()
    await door.bearer(text)
    door.issuer, door.seconds = read_jwks({"keys": [rsa_jwk("stranger"), rsa_jwk("third", "new")]}), 5.0
    await door.call(f"Bearer {token(head=header(kid='new'), key='third')}")
    await door.refuses(TokenSignature, f"Bearer {text}")


async def test_jwks_outage_lets_nobody_in_who_was_not_known_and_keeps_nobody_out_who_was(door: Door) -> None:
    cold = Door()
    cold.issuer = None
    await cold.refuses(NotAvailable, f"Bearer {token()}")
    await door.bearer(token())
    door.issuer = None
    for door.seconds in (10.0, 500.0):
        await door.bearer(token())
        await door.refuses(UnknownKey, f"Bearer {token(head=header(kid='new'))}")
        await door.refuses(TokenSignature, f"Bearer {token(key='stranger')}")


async def test_rotation_in_flight(door: Door) -> None:
    both = read_jwks({"keys": [rsa_jwk(), rsa_jwk("stranger", "new")]})
    old, new = token(), token(head=header(kid="new"), key="stranger")
    await door.bearer(old)
    door.issuer = both
    assert all(await asyncio.gather(*(door.bearer(text) for text in (new, old, new, old))))
    assert door.fetches == 2


async def test_forged_key_ids_during_a_rotation(door: Door) -> None:
    await door.bearer(token())
    nobody = claims(client_id="nobody")
    await door.refuses(UnknownKey, f"Bearer {token(nobody, header(kid='forged'), 'third')}")
    door.issuer, door.seconds = read_jwks({"keys": [rsa_jwk("stranger", "new")]}), 5.0
    for number in range(20):
        await door.refuses(UnknownKey, f"Bearer {token(nobody, header(kid=f'forged {number}'), 'third')}")
    assert await door.bearer(token(head=header(kid="new"), key="stranger"))


# --- what it opens ---


@pytest.mark.parametrize(
    "scope",
    [
        "nhn:vkp/api/user/Bundle.write",
        "nhn:vkp/api/user/bundle.WRITE",
        "NHN:vkp/api/user/bundle.write",
        "nhn:vkp/api/user/bundle.write ",
        "nhn:vkp/api/user/bundle.write2",
        "nhn:vkp/api/user/bundle.",
        "nhn:vkp/api/user/bundle",
        "nhn:vkp/api/user/*.write",
        "nhn:vkp/api/user/*.*",
        "nhn:vkp/api/user/bund*.write",
        "nhn:vkp/api/*.*",
        "nhn:vkp/api/user/bundle.write,nhn:vkp/api/user/bundle.write",
        "nhn:vkp/api/user/bundle．write",
        "*",
    ],
)
async def test_scope_escalation_by_letter_case_or_wildcard(door: Door, scope: str) -> None:
    caller = await door.bearer(token(claims(scope=[scope])))
    with pytest.raises(ScopeMissing):
        scopes.require(caller, "bundle", "write")


@pytest.mark.parametrize(
    "resource",
    ["Bundle/../patient", "bundle.write", "bund\u0131e", "*", "", "medicationdispen\u017fe", "\u212a", "bundle\n"],
)
async def test_resource_that_only_reads_like_one(door: Door, resource: str) -> None:
    named = {f"nhn:vkp/api/user/{spelt}.write" for spelt in (resource, resource.lower(), resource.strip())}
    caller = await door.bearer(token(claims(scope=[*sorted(named - {"nhn:vkp/api/user/bundle.write"})])))
    with pytest.raises(ScopeMissing):
        scopes.require(caller, resource, "write")


async def test_scope_for_another_resource_or_action(door: Door) -> None:
    caller = await door.bearer(token(claims(scope="nhn:vkp/api/user/bundle.read nhn:vkp/api/user/encounter.write")))
    with pytest.raises(ScopeMissing):
        scopes.require(caller, "bundle", "write")


# --- the proof ---


async def test_replayed_proof(door: Door) -> None:
    text = bound_token()
    used = proof(text)
    await door.call(f"DPoP {text}", used)
    for after in (0.0, 14.0):
        door.seconds = after
        await door.refuses(ProofReplayed, f"DPoP {text}", used)


async def test_replayed_proof_at_another_instance() -> None:
    memory = Memory()
    one, other = Door(memory), Door(memory)
    text = bound_token()
    used = proof(text)
    await one.call(f"DPoP {text}", used)
    await other.refuses(ProofReplayed, f"DPoP {text}", used)


async def test_replayed_proof_many_times_at_once(door: Door) -> None:
    text = bound_token()
    used = proof(text)
    answers = await asyncio.gather(*(door.call(f"DPoP {text}", used) for _ in range(10)), return_exceptions=True)
    assert [type(answer) for answer in answers if isinstance(answer, HubError)] == [ProofReplayed] * 9


async def test_proof_id_used_again_in_a_new_proof(door: Door) -> None:
    text = bound_token()
    await door.call(f"DPoP {text}", proof(text))
    await door.refuses(ProofReplayed, f"DPoP {text}", proof(text, iat=AT + 1))


async def test_stretched_proof(door: Door) -> None:
    text = bound_token()
    for iat in (AT - 16, AT + 6, AT + 3600, 10**12):
        await door.refuses(ProofExpired, f"DPoP {text}", proof(text, iat=iat))


async def test_proof_while_the_memory_of_proofs_is_out_of_reach(door: Door) -> None:
    door.memory.down = True
    text = bound_token()
    await door.refuses(NotAvailable, f"DPoP {text}", proof(text))


async def test_bad_proofs_do_not_fill_the_memory(door: Door) -> None:
    text = bound_token()
    for changed in ({"htm": "GET"}, {"htu": "https://x/"}, {"ath": "x"}, {"iat": 1}):
        with pytest.raises(NotAuthenticated):
            await door.dpop(text, **changed)
    with pytest.raises(NotAuthenticated):
        await door.call(f"DPoP {token(claims(cnf={'jkt': jkt()}), key='stranger')}", proof(text))
    assert door.memory.kept == set()


@pytest.mark.parametrize(
    "address",
    [
        f"{PUBLIC}/epj/r4/310000019/observation",
        f"{PUBLIC}/epj/r4/310000020/bundle",
        f"{PUBLIC}{PATH}/",
        f"http://hub.example{PATH}",
        f"https://hub.example:8443{PATH}",
        f"https://hub.example.evil.test{PATH}",
        f"https://evil.test{PATH}",
        "https://helseid.stand-in.test/connect/token",
        PATH,
    ],
)
async def test_proof_for_another_address(door: Door, address: str) -> None:
    text = bound_token()
    await door.refuses(ProofMismatch, f"DPoP {text}", proof(text, htu=address))


async def test_proof_for_the_host_that_the_call_names(door: Door) -> None:
    # An attacker's own host in front: the victim's proof for it must not open the hub.
    text = bound_token()
    stolen = proof(text, htu=f"https://evil.test{PATH}")
    await door.refuses(ProofMismatch, f"DPoP {text}", stolen, url=f"https://evil.test{PATH}")


@pytest.mark.parametrize("method", ["GET", "PUT", "post", "*"])
async def test_proof_for_another_method(door: Door, method: str) -> None:
    text = bound_token()
    await door.refuses(ProofMismatch, f"DPoP {text}", proof(text, htm=method))
    await door.refuses(ProofMismatch, f"DPoP {text}", proof(text), method="GET")


async def test_proof_for_another_token(door: Door) -> None:
    first, second = bound_token(jti="first"), bound_token(jti="second")
    await door.refuses(ProofMismatch, f"DPoP {second}", proof(first))
    await door.refuses(ProofMismatch, f"DPoP {second}", proof(second, ath=hashlib.sha256(second.encode()).hexdigest()))


async def test_proof_of_the_token_endpoint(door: Door) -> None:
    text = bound_token()
    await door.refuses(ProofMalformed, f"DPoP {text}", proof(text, ath=None))


async def test_key_binding_mismatch(door: Door) -> None:
    text = bound_token(cnf={"jkt": "A" * 43})
    await door.refuses(WrongProofKey, f"DPoP {text}", proof(text))


async def test_stolen_token_with_a_proof_by_the_thiefs_key(door: Door) -> None:
    text = bound_token()
    thief = ec.generate_private_key(ec.SECP256R1())
    own = ECAlgorithm.to_jwk(thief.public_key(), as_dict=True)
    await door.refuses(WrongProofKey, f"DPoP {text}", signed_proof(proof_claims(text), proof_header(jwk=own), thief))
    await door.refuses(ProofMalformed, f"DPoP {text}", signed_proof(proof_claims(text), proof_header(), thief))


async def test_proof_with_alg_none_or_a_shared_secret(door: Door) -> None:
    text = bound_token()
    for changed in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}):
        await door.refuses(ProofMalformed, f"DPoP {text}", signed_proof(proof_claims(text), proof_header(**changed)))
    unsigned = signed_proof(proof_claims(text), proof_header(alg="none")).rpartition(".")[0]
    await door.refuses(ProofMalformed, f"DPoP {text}", f"{unsigned}.")


async def test_proof_that_gives_the_private_key_away(door: Door) -> None:
    text = bound_token()
    private = proof_jwk() | {"d": "AAAA"}
    await door.refuses(ProofMalformed, f"DPoP {text}", signed_proof(proof_claims(text), proof_header(jwk=private)))


async def test_oversized_proof_and_id(door: Door) -> None:
    text = bound_token()
    await door.refuses(ProofMalformed, f"DPoP {text}", proof(text, padding="x" * 8000))
    await door.refuses(ProofMalformed, f"DPoP {text}", proof(text, jti="x" * 257))


async def test_proof_with_duplicate_json_keys(door: Door) -> None:
    text = bound_token()
    body = json.dumps(proof_claims(text))
    twice = signed_proof(f'{body[:-1]}, "htu": "https://hub.example/"}}'.encode())
    await door.refuses(ProofMalformed, f"DPoP {text}", twice)


# --- how they are sent ---


async def test_bound_token_as_bearer(door: Door) -> None:
    text = bound_token()
    for door.mode in (None, *DpopMode):
        await door.refuses(TokenBound, f"Bearer {text}")
        await door.refuses(TokenBound, f"Bearer {text}", proof(text))


async def test_bound_token_as_bearer_where_dpop_is_off_for_all() -> None:
    door = Door()
    only_bearer = Authenticator(door.keys, POLICY, lambda: NOW)
    with pytest.raises(TokenBound):
        await only_bearer.caller(f"Bearer {bound_token()}")
    with pytest.raises(DpopNotTaken):
        await only_bearer.caller(Credentials(f"DPoP {bound_token()}", proof(bound_token()), "POST", PATH))


@pytest.mark.parametrize("confirmation", [[], ["A" * 43], {}, {"jkt": 7}, {"jkt": [jkt()]}, "x", False, 0, None])
async def test_array_cnf_and_other_bindings_that_are_none(door: Door, confirmation: object) -> None:
    text = token(json.dumps(claims() | {"cnf": confirmation}).encode())
    await door.refuses(TokenBound, f"Bearer {text}")
    await door.refuses(TokenUnbound, f"DPoP {text}", proof(text))


async def test_binding_to_a_certificate_beside_the_key(door: Door) -> None:
    text = bound_token(cnf={"jkt": jkt(), "x5t#S256": "A" * 43})
    await door.refuses(TokenUnbound, f"DPoP {text}", proof(text))


async def test_unbound_token_as_dpop(door: Door) -> None:
    text = token()
    await door.refuses(TokenUnbound, f"DPoP {text}", proof(text))


async def test_bearer_downgrade_of_a_system_that_must_use_dpop(door: Door) -> None:
    door.mode = DpopMode.REQUIRED
    await door.refuses(ProofRequired, f"Bearer {token()}")
    assert await door.dpop()


async def test_dpop_of_a_system_it_is_off_for(door: Door) -> None:
    door.mode = DpopMode.OFF
    text = bound_token()
    await door.refuses(DpopNotTaken, f"DPoP {text}", proof(text))
    assert await door.bearer(token())


async def test_dpop_without_a_proof(door: Door) -> None:
    absent: list[str | list[str] | None] = [None, "", " ", []]
    for nothing in absent:
        await door.refuses(ProofMissing, f"DPoP {bound_token()}", nothing)


async def test_two_authorization_headers(door: Door) -> None:
    good = f"Bearer {token()}"
    for twice in ([good, good], f"{good}, {good}", f"Basic dTpw, {good}", [f"Bearer {token(key='stranger')}", good]):
        await door.refuses(CredentialsDoubtful, twice)


async def test_two_proofs(door: Door) -> None:
    text = bound_token()
    first, second = proof(text, jti="1"), proof(text, jti="2")
    for twice in ([first, second], f"{first}, {second}", f"{first},{second}"):
        await door.refuses(ProofMalformed, f"DPoP {text}", twice)


async def test_token_in_the_address_beside_the_one_in_the_header(door: Door) -> None:
    await door.refuses(CredentialsDoubtful, f"Bearer {token()}", url=f"{PATH}?access_token={token()}")


@pytest.mark.parametrize(
    "between", ["\t", "\x00", "\r\n", "\x0b", "\u00a0", "\u2003", "\x1f", "\x85", "\ud800", "\u0430"]
)
async def test_header_with_odd_white_space_or_control_characters(door: Door, between: str) -> None:
    await door.refuses(NotAuthenticated, f"Bearer{between}{token()}")
    for spoilt in (f"{between}{token()}", f"{token()}{between}x", f"{token()[:9]}{between}{token()[9:]}"):
        await door.refuses(TokenMalformed, f"Bearer {spoilt}")


async def test_scheme_in_any_letter_case_is_no_way_around(door: Door) -> None:
    text = bound_token()
    for scheme in ("bearer", "BEARER", "bEARER"):
        await door.refuses(TokenBound, f"{scheme} {text}")
    for scheme in ("dpop", "DPOP"):
        await door.refuses(ProofMissing, f"{scheme} {text}")


@pytest.mark.parametrize("value", ["Basic dTpw", "Digest x", "Negotiate x", "MAC x", "Token x", "Bearer", ""])
async def test_other_scheme(door: Door, value: str) -> None:
    await door.refuses(NotAuthenticated, value)


@pytest.mark.parametrize(
    "address", ["ftp://hub.example", "https://hub.example?x=", "hub.example", "", "https://høb.example"]
)
def test_public_address_that_no_proof_can_be_compared_with_is_refused_at_start(address: str) -> None:
    with pytest.raises(ValueError, match="address that callers use"):
        Dpop(address, Memory())


async def test_address_that_cannot_be_compared(door: Door) -> None:
    text = bound_token()
    for address in (f"{PUBLIC}{PATH}", "/a b", "nowhere"):
        await door.refuses(ProofMismatch, f"DPoP {text}", proof(text, htu=address), url="/a b")


async def test_remembered_token_still_needs_a_proof_of_its_own_each_time(door: Door) -> None:
    text = bound_token()
    for number in range(3):
        await door.dpop(text, jti=str(number))
    await door.refuses(WrongProofKey, f"DPoP {text}", _strangers_proof(text))
    await door.refuses(ProofMissing, f"DPoP {text}")


async def test_remembered_tokens_are_bounded_and_never_shown() -> None:
    found = VerifiedTokens(most=2)
    verified = verify(token(), forge.key_set(), POLICY, NOW + timedelta(seconds=1))
    first, second, third = (VerifiedTokens.place(str(number)) for number in range(3))
    found.keep(first, verified)
    found.keep(second, verified)
    assert found.find(first) is verified
    found.keep(third, verified)
    assert len(found) == 2
    # The one that was asked for last has longest to live.
    assert found.find(first) is found.find(third) is verified
    assert found.find(second) is None
    assert token() not in repr(verified)


def test_policy_that_would_let_everything_in_cannot_be_made() -> None:
    nothing: frozenset[Any] = frozenset()
    spoilt: list[dict[str, Any]] = [{"issuer": ""}, {"audience": ""}, {"algorithms": nothing}, {"required": nothing}]
    for changed in spoilt:
        with pytest.raises(ValueError, match="must"):
            replace(POLICY, **changed)


def _strangers_proof(text: str) -> str:
    own = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(own.public_key(), as_dict=True)
    return signed_proof(proof_claims(text), proof_header(jwk=jwk), own)
