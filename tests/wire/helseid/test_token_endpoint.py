"""A token for who proves to be a registered client; for all others the error in HelseID's catalogue."""

import time
from typing import Any

import aiohttp
import jwt
import pytest

from sandbox.helseid.client import TokenRefused, fetch_token
from sandbox.helseid.rules import Rules
from sandbox.helseid.server import HelseId
from tests.wire.helseid.asking import VENDOR, ask, claims_of, form, key_file, pair, proof, proof_with_header
from tests.wire.helseid.conftest import Fresh


async def test_discovery_and_keys_are_published_as_helseid_does(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{helseid.issuer}/.well-known/openid-configuration") as answer:
        document = await answer.json()
    assert document["issuer"] == helseid.issuer
    assert document["token_endpoint"] == f"{helseid.issuer}/connect/token"
    async with http.get(document["jwks_uri"]) as answer:
        keys = (await answer.json())["keys"]
    assert len(keys) == 1
    assert set(keys[0]) == {"kty", "use", "kid", "x5t", "e", "n", "alg"}
    assert (keys[0]["alg"], keys[0]["use"], len(keys[0]["kid"])) == ("RS256", "sig", 40)
    assert keys[0]["kid"] == keys[0]["kid"].upper()
    assert len(keys[0]["n"]) == 512  # 3072 bits


async def test_metadata_has_helseids_names_and_says_what_is_not_served(
    helseid: HelseId, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{helseid.issuer}/.well-known/openid-configuration") as answer:
        document = await answer.json()
    assert document["dpop_signing_alg_values_supported"] == [
        f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)
    ]
    assert "urn:ietf:params:oauth:grant-type:token-exchange" in document["grant_types_supported"]
    assert "helseid://claims/client/claims/orgnr_parent" in document["claims_supported"]
    addresses = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert all(address.startswith(f"{helseid.issuer}/connect/") for address in addresses if "jwks" not in address)
    async with http.post(document["pushed_authorization_request_endpoint"]) as answer:
        assert answer.status == 501
    async with http.get(document["expired_jwks_uri"]) as answer:
        assert await answer.json() == {"keys": []}


@pytest.mark.parametrize("client_id", ["trygghetsvakt", "natugla"])
async def test_vendor_gets_a_token_with_vkps_claims(helseid: HelseId, client_id: str) -> None:
    answer = await fetch_token(helseid.issuer, client_id, key_file(helseid, client_id))
    head, claims = jwt.get_unverified_header(answer.access_token), claims_of(answer.access_token)
    assert (head["typ"], head["alg"], head["kid"]) == ("at+jwt", "RS256", helseid.keys.current.kid)
    assert (answer.token_type, answer.expires_in) == ("Bearer", 600)
    assert claims["aud"] == "nhn:vkp"
    assert claims["iss"] == helseid.issuer
    assert claims["client_id"] == client_id
    assert claims["client_amr"] == "private_key_jwt"
    assert claims["nhn:vkp/client/claims/vkp-id"] == f"{client_id}-test"
    assert claims["exp"] - claims["iat"] == 600
    assert claims["scope"] == list(answer.scope)
    assert "nhn:vkp/api/user/bundle.write" in claims["scope"]


async def test_scopes_asked_for_are_the_scopes_given(helseid: HelseId) -> None:
    scope = "nhn:vkp/api/user/bundle.write nhn:vkp/api/user/patient.read"
    answer = await fetch_token(helseid.issuer, VENDOR, key_file(helseid), scope)
    assert answer.scope == tuple(scope.split())
    assert claims_of(answer.access_token)["scope"] == scope.split()


@pytest.mark.parametrize(
    "scope",
    [
        "nhn:vkp/api/*.*",
        "nhn:jft/api",
        "openid",
        "helseid://scopes/identity/pid",
        "nhn:vkp/api/user/bundle.write openid",
    ],
)
async def test_scope_the_client_does_not_have_is_refused(helseid: HelseId, scope: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        await fetch_token(helseid.issuer, VENDOR, key_file(helseid), scope)
    assert caught.value.error == "invalid_scope"


async def test_key_of_another_client_is_refused(helseid: HelseId) -> None:
    with pytest.raises(TokenRefused) as caught:
        await fetch_token(helseid.issuer, VENDOR, key_file(helseid, "natugla"))
    assert caught.value.error == "invalid_client"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "unknown"}, "invalid_client"),
        ({"client_assertion": None}, "invalid_client"),
        ({"client_assertion": "a.b.c"}, "invalid_client"),
        ({"client_assertion_type": None}, "invalid_client"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "invalid_client"),
        ({"client_secret": "guess"}, "invalid_client"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unauthorized_client"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, "unauthorized_client"),
        ({"resource": "nhn:jft"}, "invalid_target"),
    ],
)
async def test_each_wrong_parameter_has_its_error(
    helseid: HelseId, http: aiohttp.ClientSession, changed: dict[str, str | None], error: str
) -> None:
    status, body = await ask(http, helseid, form(helseid, **changed))
    assert (status, body["error"]) == (400, error)
    assert body["error_description"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "natugla"},
        {"sub": "natugla"},
        {"aud": "https://somebody.test"},
        {"aud": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 10**400},
        {"exp": 1_000_000_000},
        {"exp": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"nbf": {}},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
    ],
)
async def test_assertion_with_a_wrong_claim_is_refused(
    helseid: HelseId, http: aiohttp.ClientSession, claims: dict[str, Any]
) -> None:
    status, body = await ask(http, helseid, form(helseid, client_assertion=proof(helseid, **claims)))
    assert (status, body["error"]) == (400, "invalid_client")


async def test_assertion_may_live_for_sixty_seconds_at_most(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    for ahead, status in ((60, 200), (120, 400)):
        text = proof(helseid, exp=int(time.time()) + ahead)
        assert (await ask(http, helseid, form(helseid, client_assertion=text)))[0] == status


async def test_issue_time_may_be_written_as_a_string(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    text = proof(helseid, iat=str(int(time.time())))
    assert (await ask(http, helseid, form(helseid, client_assertion=text)))[0] == 200


async def test_assertion_is_good_for_one_use(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    request = form(helseid)
    assert (await ask(http, helseid, request))[0] == 200
    status, body = await ask(http, helseid, request)
    assert (status, body["error"]) == (400, "invalid_client")


async def test_key_id_in_the_assertion_is_a_hint_only(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    text = proof_with_header(helseid, typ="client-authentication+jwt", kid=helseid.keys.current.kid)
    assert (await ask(http, helseid, form(helseid, client_assertion=text)))[0] == 200


@pytest.mark.parametrize(
    "header", [{"typ": "at+jwt"}, {"typ": "JWT"}, {"typ": "client-authentication+jwt", "crit": ["b64"], "b64": True}]
)
async def test_assertion_with_a_wrong_header_is_refused(
    helseid: HelseId, http: aiohttp.ClientSession, header: dict[str, Any]
) -> None:
    text = proof_with_header(helseid, **header)
    assert (await ask(http, helseid, form(helseid, client_assertion=text)))[0] == 400


async def test_assertion_signed_with_a_shared_secret_or_not_at_all_is_refused(
    helseid: HelseId, http: aiohttp.ClientSession
) -> None:
    claims = claims_of(proof(helseid))
    for key, alg in (("", "none"), ("x" * 64, "HS256")):
        text = jwt.encode(claims, key, algorithm=alg, headers={"typ": "client-authentication+jwt"})
        status, body = await ask(http, helseid, form(helseid, client_assertion=text))
        assert (status, body["error"]) == (400, "invalid_client")


async def test_access_token_is_not_an_assertion(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    assert (await ask(http, helseid, form(helseid, client_assertion=helseid.mint())))[0] == 400


async def test_older_assertions_are_taken_when_allowed(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh(Rules(strict_typ=False, strict_aud=False)) as part:
        for audience in (part.issuer, f"{part.issuer}/", f"{part.issuer}/connect/token"):
            own = pair(part)
            text = jwt.encode(
                claims_of(proof(part, aud=audience)), own.private, algorithm=own.alg, headers={"typ": "JWT"}
            )
            assert (await ask(http, part, form(part, client_assertion=text)))[0] == 200


async def test_older_audiences_are_refused_by_default(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    for audience in (f"{helseid.issuer}/", f"{helseid.issuer}/connect/token"):
        text = proof(helseid, aud=audience)
        assert (await ask(http, helseid, form(helseid, client_assertion=text)))[0] == 400


async def test_only_a_form_by_post_is_read(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    for request in (
        http.get(f"{helseid.issuer}/connect/token"),
        http.post(f"{helseid.issuer}/connect/token", json=form(helseid)),
        http.post(f"{helseid.issuer}/connect/token", data=form(helseid), headers={"Authorization": "Basic dTpw"}),
        http.post(f"{helseid.issuer}/connect/token", data=form(helseid), headers={"DPoP": "a.b.c"}),
        http.post(f"{helseid.issuer}/connect/token", data=[*form(helseid).items(), ("scope", "a"), ("scope", "b")]),
        http.post(
            f"{helseid.issuer}/connect/token",
            data=b"client_id=%ff\xff",
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"},
        ),
    ):
        async with request as answer:
            assert answer.status == 400
            assert (await answer.json())["error"] in ("invalid_request", "invalid_client", "invalid_dpop_proof")
