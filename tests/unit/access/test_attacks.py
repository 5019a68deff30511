"""Attacks on who is calling, each by its name, against a whole authenticator: headers in, caller or refusal out."""

import asyncio
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.access import scopes
from shared.access.jwks import read_jwks
from shared.access.refusals import (
    KeyRevoked,
    ProofMalformed,
    UnknownKey,
)
from shared.access.tokens import verify
from shared.access.verified import VerifiedTokens
from shared.errors import (
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
from tests.unit.access.door import PATH, Door
from tests.unit.access.forge import (
    AT,
    KID,
    NOW,
    POLICY,
    bound_token,
    claims,
    header,
    proof,
    rsa_jwk,
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
