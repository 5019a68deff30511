"""The mint makes what is ordered: every named fault is that fault and no other, as an independent judge sees it."""

from typing import Any, Final

import aiohttp
import pytest

from sandbox.helseid import faults, jwk
from sandbox.helseid.server import HelseId
from tests.wire.helseid.asking import call, claims_of, public_jwk
from tests.wire.helseid.conftest import Fresh
from tests.wire.helseid.judge import opinion

URL: Final = "https://hub.example/epj/r4/310000019/bundle"

SEEN_AS: Final = {
    "alg_none": "token: alg",
    "alg_hs256": "token: alg",
    "alg_hs256_public_key": "token: alg",
    "wrong_signing_key": "token: signature",
    "broken_signature": "token: signature",
    "unknown_kid": "token: kid",
    "kid_path": "token: kid",
    "without_kid": "token: kid",
    "crit": "token: crit",
    "typ_of_a_proof": "token: typ",
    "typ_of_an_assertion": "token: typ",
    "typ_of_a_logout_token": "token: typ",
    "without_typ": "token: typ",
    "wrong_issuer": "token: iss",
    "without_iss": "token: without iss",
    "wrong_audience": "token: aud",
    "audience_in_upper_case": "token: aud",
    "two_audiences": "token: aud",
    "without_aud": "token: without aud",
    "id_token": "token: without client_id",
    "expired": "token: exp",
    "not_yet_valid": "token: not yet",
    "without_exp": "token: without exp",
    "without_nbf": "token: without nbf",
    "without_iat": "token: without iat",
    "issued_in_the_future": "token: not yet",
    "exp_is_true": "token: exp",
    "exp_is_text": "token: exp",
    "exp_is_huge": "token: exp",
    "without_client_id": "token: without client_id",
    "without_client_amr": "token: client_amr",
    "client_secret": "token: client_amr",
    "without_vkp_id": "token: without nhn:vkp/client/claims/vkp-id",
    "orgnr_with_eight_digits": "token: orgnr",
    "duplicate_key": "token: duplicate",
    "oversized": "token: size",
    "bound_to_nobody": "token: bound",
    "cnf_is_a_list": "token: bound",
    "cnf_is_empty": "token: bound",
    "jkt_is_a_number": "token: bound",
    "jkt_mismatch": "binding",
    "proof_wrong_key": "binding",
    "dpop_cnf_is_a_list": "token: cnf",
    "dpop_without_cnf": "token: cnf",
    "proof_without_htm": "proof: htm",
    "proof_without_htu": "proof: htu",
    "proof_without_iat": "proof: iat",
    "proof_without_jti": "proof: jti",
    "proof_without_ath": "proof: ath",
    "proof_wrong_ath": "proof: ath",
    "proof_wrong_method": "proof: htm",
    "proof_method_in_lower_case": "proof: htm",
    "proof_wrong_url": "proof: htu",
    "proof_other_port": "proof: htu",
    "proof_of_the_past": "proof: iat",
    "proof_of_the_future": "proof: iat",
    "proof_iat_is_true": "proof: iat",
    "proof_iat_is_text": "proof: iat",
    "proof_jti_is_a_number": "proof: jti",
    "proof_jti_is_huge": "proof: jti",
    "proof_wrong_typ": "proof: typ",
    "proof_without_alg": "proof: alg",
    "proof_unsigned": "proof: alg",
    "proof_symmetric": "proof: alg",
    "proof_without_jwk": "proof: jwk",
    "proof_private_key_in_jwk": "proof: jwk",
    "proof_broken_signature": "proof: signature",
    "proof_crit": "proof: crit",
    "access_token_as_proof": "proof: typ",
    "two_proofs": "proof: not one",
    "two_proofs_in_one_line": "proof: not one",
    "two_tokens": "request: token",
    "two_tokens_in_one_line": "request: token",
    "bound_token_as_bearer": "token: bound",
    "bound_token_as_bearer_without_proof": "token: bound",
    "without_proof": "proof: not one",
}


async def minted(http: aiohttp.ClientSession, part: HelseId, **order: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await call(http, part, "POST", "mint", order)
    return answer


async def judged(http: aiohttp.ClientSession, part: HelseId, answer: dict[str, Any]) -> str | None:
    async with http.get(f"{part.issuer}/.well-known/openid-configuration/jwks") as keys:
        return opinion(answer["headers"], await keys.json(), part.issuer, "POST", URL)


def test_every_fault_has_an_opinion() -> None:
    assert set(SEEN_AS) == {fault.name for fault in faults.FAULTS}


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.name)
async def test_named_fault_is_seen_for_what_it_is(
    helseid: HelseId, http: aiohttp.ClientSession, fault: faults.Fault
) -> None:
    answer = await minted(http, helseid, fault=fault.name, proof={"url": URL})
    assert await judged(http, helseid, answer) == SEEN_AS[fault.name]
    assert fault.error.removeprefix("invalid_").startswith(("token", "dpop_proof", "request"))


@pytest.mark.parametrize("name", ["dpop", "typ_jwt", "scope_as_text", "foreign_keys_in_header", "htu_with_query",
                                  "htu_in_upper_case", "scheme_in_lower_case", "empty_nonce"])  # fmt: skip
async def test_what_is_unusual_is_not_wrong(helseid: HelseId, http: aiohttp.ClientSession, name: str) -> None:
    answer = await minted(http, helseid, fault=name, proof={"url": URL})
    assert await judged(http, helseid, answer) is None


async def test_order_without_switches_is_a_good_bearer_token(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    answer = await minted(http, helseid)
    assert set(answer) == {"access_token", "token_type", "expires_in", "headers"}
    assert answer["headers"] == [["Authorization", f"Bearer {answer['access_token']}"]]
    assert await judged(http, helseid, answer) is None


@pytest.mark.parametrize("alg", ["RS256", "PS512", "ES256", "ES384", "ES512"])
async def test_proof_may_be_made_with_any_of_the_algorithms(
    helseid: HelseId, http: aiohttp.ClientSession, alg: str
) -> None:
    answer = await minted(http, helseid, dpop=True, proof={"url": URL, "alg": alg})
    assert await judged(http, helseid, answer) is None
    assert answer["token_type"] == "DPoP"


async def test_token_and_proof_are_made_with_the_key_that_the_caller_names(
    helseid: HelseId, http: aiohttp.ClientSession
) -> None:
    first = await minted(http, helseid, dpop=True, proof={"url": URL})
    again = await minted(http, helseid, dpop=True, proof={"url": URL, "jwk": first["proof_jwk"], "jti": "the same"})
    replayed = await minted(http, helseid, dpop=True, proof={"url": URL, "jwk": first["proof_jwk"], "jti": "the same"})
    assert first["jkt"] == again["jkt"] == claims_of(again["access_token"])["cnf"]["jkt"]
    assert claims_of(again["proof"])["jti"] == claims_of(replayed["proof"])["jti"] == "the same"
    assert await judged(http, helseid, again) is None
    own = jwk.make("ES384")
    named = await minted(http, helseid, dpop=True, proof={"url": URL, "jwk": own.private_jwk()})
    assert named["jkt"] == jwk.thumbprint(public_jwk(own))
    assert await judged(http, helseid, named) is None


async def test_organisations_tenancy_and_lifetime_are_as_ordered(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    order = {"tenancy": "multi-tenant", "orgnrParent": "999977774", "orgnrChild": "999977776"}
    answer = await minted(http, helseid, **order, orgnrSupplier="313745392", lifetimeSeconds=7, header={"x": 1})
    claims = claims_of(answer["access_token"])
    start = "helseid://claims/client/"
    assert claims[f"{start}client_tenancy"] == "multi-tenant"
    assert claims[f"{start}claims/orgnr_parent"] == "999977774"
    assert claims[f"{start}claims/orgnr_child"] == "999977776"
    assert claims[f"{start}claims/orgnr_supplier"] == "313745392"
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 7


async def test_what_the_order_says_wins_over_the_named_fault(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    answer = await minted(http, helseid, fault="proof_wrong_typ", proof={"url": URL, "typ": "dpop+jwt"})
    assert await judged(http, helseid, answer) is None


@pytest.mark.parametrize(
    "order",
    [
        {"fault": "nothing_of_that_name"},
        {"unknownSwitch": 1},
        {"alg": "ES256"},
        {"signedWith": "expired"},
        {"dpop": True, "proof": {"jwk": {"kty": "oct", "k": "AAAA"}}},
        {"dpop": True, "proof": {"jwk": {"kty": "RSA"}}},
        {"dpop": True, "proof": {"unknownSwitch": 1}},
    ],
)
async def test_order_that_cannot_be_carried_out_says_why(
    helseid: HelseId, http: aiohttp.ClientSession, order: dict[str, Any]
) -> None:
    assert (await call(http, helseid, "POST", "mint", order, status=400))["error"]


@pytest.mark.parametrize(
    ("send", "names"),
    [
        ({}, ["Authorization", "DPoP"]),
        ({"twoTokens": True}, ["Authorization", "Authorization", "DPoP"]),
        ({"twoProofs": True}, ["Authorization", "DPoP", "DPoP"]),
        ({"twoTokens": True, "comma": True}, ["Authorization", "DPoP"]),
        ({"twoProofs": True, "comma": True}, ["Authorization", "DPoP"]),
        ({"withoutProof": True}, ["Authorization"]),
    ],
)
async def test_headers_are_as_many_lines_as_ordered(
    helseid: HelseId, http: aiohttp.ClientSession, send: dict[str, bool], names: list[str]
) -> None:
    headers = (await minted(http, helseid, dpop=True, send=send))["headers"]
    assert [name for name, _ in headers] == names
    assert any(", " in value for _, value in headers) == ("comma" in send)


async def test_faults_can_be_listed(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    listed = await call(http, helseid, "GET", "faults")
    assert listed["proof_wrong_ath"]["error"] == "invalid_dpop_proof"
    assert set(SEEN_AS) < set(listed)


async def test_token_of_each_stage_of_a_keys_life_can_be_had(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        first = part.keys.current.kid
        await part.rotate()
        third = await part.publish_key("ES256")
        await call(http, part, "POST", f"keys/{first}/retire")
        seen = {
            state: await judged(http, part, await minted(http, part, signedWith=state))
            for state in ("current", "next", "expired")
        }
        assert seen == {"current": None, "next": "token: alg", "expired": "token: kid"}
        assert part.keys.newest("next") is not None
        assert third != first
