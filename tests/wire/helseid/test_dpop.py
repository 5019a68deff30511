"""DPoP at the token endpoint as HelseID does it, driven with both behaviours of NHN's own libraries."""

import secrets
import time
import warnings
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import jwt
import pytest

from sandbox.helseid import jwk
from sandbox.helseid.rules import Rules
from sandbox.helseid.server import HelseId
from tests.wire.helseid.asking import (
    VENDOR,
    ask,
    ask_for_all,
    call,
    claims_of,
    dpop_proof,
    form,
    nonce,
    pair,
    public_jwk,
)
from tests.wire.helseid.conftest import Fresh


async def test_proof_without_nonce_is_answered_with_one_and_the_same_with_it_with_a_token(
    helseid: HelseId, http: aiohttp.ClientSession
) -> None:
    status, body, headers = await ask_for_all(http, helseid, form(helseid), [dpop_proof(helseid)])
    assert (status, body["error"]) == (400, "use_dpop_nonce")
    assert body["error_description"] == "Authorization server requires nonce in DPoP proof."
    # NHN's .NET library: a new assertion for the second call.
    status, body = await ask(http, helseid, form(helseid), [dpop_proof(helseid, nonce=headers["DPoP-Nonce"])])
    assert (status, body["token_type"]) == (200, "DPoP")


async def test_assertion_may_be_sent_again_with_the_nonce(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    # NHN's Java library: the same assertion in the second call.
    request = form(helseid)
    _, _, headers = await ask_for_all(http, helseid, request, [dpop_proof(helseid)])
    again = [dpop_proof(helseid, nonce=headers["DPoP-Nonce"])]
    assert (await ask(http, helseid, request, again))[0] == 200
    status, body = await ask(http, helseid, request, [dpop_proof(helseid, nonce=headers["DPoP-Nonce"])])
    assert (status, body["error"]) == (400, "invalid_client")


async def test_strict_stand_in_uses_the_assertion_up_with_the_first_answer(
    fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    async with fresh(Rules(strict_assertion_jti=True)) as part:
        request = form(part)
        _, _, headers = await ask_for_all(http, part, request, [dpop_proof(part)])
        again = [dpop_proof(part, nonce=headers["DPoP-Nonce"])]
        assert (await ask(http, part, request, again))[1]["error"] == "invalid_client"
        assert (await ask(http, part, form(part), again))[0] == 200


async def test_token_is_bound_to_the_key_of_the_proof(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    given = await nonce(http, helseid)
    for own in (pair(helseid), jwk.make("ES256"), jwk.make("ES512"), jwk.make("PS384", bits=2048)):
        proof = dpop_proof(helseid, own, nonce=given)
        _, body = await ask(http, helseid, form(helseid), [proof])
        claims = claims_of(body["access_token"])
        assert claims["cnf"] == {"jkt": jwk.thumbprint(public_jwk(own))}


def test_thumbprint_is_that_of_rfc_7638s_example() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
        "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
        "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJzKnqDKgw"
    )
    key = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert jwk.thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


async def test_members_beside_the_key_do_not_change_what_the_token_is_bound_to(
    helseid: HelseId, http: aiohttp.ClientSession
) -> None:
    # NHN's .NET clients put `alg` into the key.
    own = pair(helseid)
    header = {"jwk": {**public_jwk(own), "alg": own.alg, "kid": "x"}, "kid": "y"}
    _, body = await ask(
        http, helseid, form(helseid), [dpop_proof(helseid, header=header, nonce=await nonce(http, helseid))]
    )
    assert claims_of(body["access_token"])["cnf"]["jkt"] == jwk.thumbprint(public_jwk(own))


async def test_token_without_proof_is_a_bearer_token(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    _, body = await ask(http, helseid, form(helseid))
    assert body["token_type"] == "Bearer"
    assert "cnf" not in claims_of(body["access_token"])


async def test_proof_is_good_for_one_use(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    proof = [dpop_proof(helseid, nonce=await nonce(http, helseid))]
    assert (await ask(http, helseid, form(helseid), proof))[0] == 200
    status, body = await ask(http, helseid, form(helseid), proof)
    assert (status, body["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": None},
        {"htm": "GET"},
        {"htm": "post"},
        {"htu": None},
        {"htu": 7},
        {"htu": "https://helseid-sts.nhn.no/connect/token"},
        {"htu": "http://127.0.0.1:1/connect/token"},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": 1_000_000_000},
        {"iat": 4_000_000_000},
        {"iat": 10**400},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 300},
    ],
)
async def test_proof_with_a_wrong_claim_is_refused(
    helseid: HelseId, http: aiohttp.ClientSession, claims: dict[str, Any]
) -> None:
    proof = dpop_proof(helseid, nonce=await nonce(http, helseid), **claims)
    status, body = await ask(http, helseid, form(helseid), [proof])
    assert (status, body["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize("ago", [-4, 0, 55])
async def test_proof_may_be_a_little_old_or_early(helseid: HelseId, http: aiohttp.ClientSession, ago: int) -> None:
    proof = dpop_proof(helseid, nonce=await nonce(http, helseid), iat=int(time.time()) - ago)
    assert (await ask(http, helseid, form(helseid), [proof]))[0] == 200


async def test_address_in_the_proof_is_compared_by_what_it_means(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    given = await nonce(http, helseid)
    for spelled, status in (
        (f"HTTP://127.0.0.1:{helseid.port}/connect/token", 200),
        (f"{helseid.issuer}/connect/%74oken", 200),
        (f"{helseid.issuer}/connect/x/../token", 200),
        (f"{helseid.issuer}/connect/token?a=b#c", 200),
        (f"{helseid.issuer}/connect/token/", 400),
        (f"{helseid.issuer}/Connect/token", 400),
        (f"{helseid.issuer}/connect%2Ftoken", 400),
        (f"http://u@127.0.0.1:{helseid.port}/connect/token", 400),
    ):
        proof = dpop_proof(helseid, nonce=given, htu=spelled)
        assert (await ask(http, helseid, form(helseid), [proof]))[0] == status, spelled


def symmetric(part: HelseId) -> str:
    return jwt.encode(
        claims_of(dpop_proof(part)), "x" * 64, "HS256", {"typ": "dpop+jwt", "jwk": {"kty": "oct", "k": "eHh4"}}
    )


def with_private_key(part: HelseId) -> str:
    return dpop_proof(part, header={"jwk": pair(part).private_jwk()})


def small_key(part: HelseId) -> str:
    with warnings.catch_warnings(action="ignore", category=jwt.InsecureKeyLengthWarning):
        return dpop_proof(part, jwk.make("RS256", bits=1024))


def another_key(part: HelseId) -> str:
    return dpop_proof(part, header={"jwk": public_jwk(jwk.make("RS256", bits=2048))})


def unsigned(part: HelseId) -> str:
    return jwt.encode(claims_of(dpop_proof(part)), "", "none", {"typ": "dpop+jwt", "jwk": public_jwk(pair(part))})


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda part: dpop_proof(part, header={"typ": "JWT"}), "typ"),
        (lambda part: dpop_proof(part, header={"jwk": None}), "jwk"),
        (lambda part: dpop_proof(part, header={"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}}), "key"),
        (lambda part: dpop_proof(part, header={"crit": ["x"], "x": 1}), "JWT"),
        (lambda part: dpop_proof(part, header={"crit": ["b64"], "b64": True}), "JWT"),
        (lambda part: dpop_proof(part, header={"jwk": {**public_jwk(pair(part)), "p": "AAAA"}}), "jwk"),
        (lambda part: "a.b.c", "JWT"),
        (lambda part: "", "JWT"),
        (lambda part: f"{dpop_proof(part)}, {dpop_proof(part)}", "JWT"),
        (lambda part: part.mint(), "typ"),
        (small_key, "key"),
        (symmetric, "alg"),
        (with_private_key, "jwk"),
        (another_key, "key"),
        (unsigned, "alg"),
    ],
)
async def test_proof_that_proves_nothing_is_refused_for_good(
    helseid: HelseId, http: aiohttp.ClientSession, make: Any, named: str
) -> None:
    # Without a nonce: a good proof would be asked for one, and NHN's client would try again.
    status, body = await ask(http, helseid, form(helseid), [make(helseid)])
    assert (status, body["error"]) == (400, "invalid_dpop_proof")
    assert named in body["error_description"]


async def test_two_proofs_are_refused(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    status, body = await ask(http, helseid, form(helseid), [dpop_proof(helseid), dpop_proof(helseid)])
    assert (status, body["error"]) == (400, "invalid_dpop_proof")


async def test_nonce_that_is_empty_foreign_or_old_is_answered_with_a_new_one(
    fresh: Fresh, helseid: HelseId, http: aiohttp.ClientSession
) -> None:
    async with fresh() as part:
        old = await nonce(http, part)
        await call(http, part, "POST", "clock", {"offsetSeconds": 400})
        later = part.now() - timedelta(seconds=1)
        for given in ("", "x", "é.é", await nonce(http, helseid), old):
            proof = dpop_proof(part, nonce=given, iat=int(later.timestamp()))
            late = form(part, client_assertion=_assertion_at(part, later))
            status, body = await ask(http, part, late, [proof])
            assert (status, body["error"]) == (400, "use_dpop_nonce"), given


async def test_client_may_be_made_to_send_proofs_or_not_to(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        await call(http, part, "PATCH", f"clients/{VENDOR}", {"dpop": "required"})
        assert (await ask(http, part, form(part)))[1]["error"] == "invalid_dpop_proof"
        assert (await ask(http, part, form(part), [dpop_proof(part, nonce=await nonce(http, part))]))[0] == 200
        await call(http, part, "PATCH", f"clients/{VENDOR}", {"dpop": "off"})
        assert (await ask(http, part, form(part), [dpop_proof(part)]))[1]["error"] == "invalid_request"
        assert (await ask(http, part, form(part)))[1]["token_type"] == "Bearer"


async def test_failed_authentication_is_no_reason_to_hand_out_a_nonce(
    helseid: HelseId, http: aiohttp.ClientSession
) -> None:
    status, body = await ask(http, helseid, form(helseid, client_id="unknown"), [dpop_proof(helseid)])
    assert (status, body["error"]) == (400, "invalid_client")


async def test_used_assertions_and_proofs_are_remembered_over_a_restart(
    fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    async with fresh() as part:
        request, bound = form(part), form(part)
        port, given = part.port, await nonce(http, part)
        proof = dpop_proof(part, nonce=given)
        assert (await ask(http, part, request))[0] == 200
        assert (await ask(http, part, bound, [proof]))[0] == 200
        seen = part.seen
    async with fresh(port=port) as again:
        assert again.seen is not seen
        assert (await ask(http, again, request))[1]["error"] == "invalid_client"
        again.nonces = part.nonces
        assert (await ask(http, again, form(again), [proof]))[1]["error"] == "invalid_dpop_proof"


def _assertion_at(part: HelseId, at: datetime) -> str:
    own, now = pair(part), int(at.timestamp())
    claims = {
        "iss": VENDOR,
        "sub": VENDOR,
        "aud": part.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 30,
        "jti": secrets.token_hex(16),
    }
    return jwt.encode(claims, own.private, own.alg, {"typ": "client-authentication+jwt", "kid": own.kid})
