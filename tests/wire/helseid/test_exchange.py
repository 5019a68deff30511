"""Token exchange: an API that calls the next one gets a token of its own, bound to its own key."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.helseid import jwk
from sandbox.helseid.client import TokenRefused, TokenRequest, read_pair, request_token
from sandbox.helseid.server import HelseId, serve
from tests.wire.helseid.asking import VENDOR, call, claims_of, key_file, public_jwk
from tests.wire.helseid.conftest import copy_of

ACTOR = jwk.make("ES256")
SCOPE = "nhn:jft/api"
PARENT = "helseid://claims/client/claims/orgnr_parent"


@pytest.fixture(scope="module")
async def part(
    helseid: HelseId, http: aiohttp.ClientSession, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HelseId]:
    """A stand-in with a second API, and with the first one as a client that may call it."""
    async with serve(copy_of(helseid, tmp_path_factory.mktemp("exchange"))) as part:
        await call(http, part, "POST", "apis", {"audience": "nhn:jft", "claims": [PARENT]})
        client = {"clientId": "vkp", "jwks": {"keys": [public_jwk(ACTOR)]}, "scopes": [SCOPE], "dpop": "required"}
        await call(http, part, "POST", "clients", {**client, "mayExchange": True, "orgnrParent": "313745392"})
        await call(http, part, "PATCH", f"clients/{VENDOR}", {"orgnrParent": "999977774"})
        yield part


async def exchanged(http: aiohttp.ClientSession, part: HelseId, subject: str) -> dict[str, Any]:
    request = TokenRequest(SCOPE, dpop=True, subject_token=subject)
    return claims_of((await request_token(http, part.issuer, "vkp", ACTOR, request)).access_token)


async def test_new_token_is_for_the_next_api_and_bound_to_the_actors_key(
    part: HelseId, http: aiohttp.ClientSession
) -> None:
    # The vendor's token is a Bearer token, as VKP takes it; what it is exchanged for is bound.
    own = await read_pair(key_file(part))
    subject = await request_token(http, part.issuer, VENDOR, own, TokenRequest())
    claims = await exchanged(http, part, subject.access_token)
    assert (claims["aud"], claims["scope"], claims["client_id"]) == ("nhn:jft", [SCOPE], "vkp")
    assert claims["cnf"] == {"jkt": jwk.thumbprint(public_jwk(ACTOR))}
    assert claims[PARENT] == "999977774"
    assert "act" not in claims


async def test_actors_own_organisation_is_not_put_in_for_the_subjects(
    part: HelseId, http: aiohttp.ClientSession
) -> None:
    subject = await call(http, part, "POST", "mint", {"without": [PARENT]})
    assert PARENT not in await exchanged(http, part, subject["access_token"])


async def test_who_is_visible_in_the_new_token_is_a_switch(part: HelseId, http: aiohttp.ClientSession) -> None:
    await call(http, part, "POST", "rules", {"exchangedAct": True})
    assert (await exchanged(http, part, part.mint()))["act"] == {"client_id": VENDOR}
    await call(http, part, "POST", "rules", {"exchangedClient": "subject"})
    claims = await exchanged(http, part, part.mint())
    assert (claims["client_id"], claims["act"]) == (VENDOR, {"client_id": "vkp"})
    await call(http, part, "POST", "rules", {"exchangedClient": "actor", "exchangedAct": False})


@pytest.mark.parametrize(
    "fault", ["wrong_signing_key", "expired", "wrong_issuer", "unknown_kid", "typ_of_a_proof", "alg_none"]
)
async def test_subject_token_that_is_not_good_is_refused(
    part: HelseId, http: aiohttp.ClientSession, fault: str
) -> None:
    bad = (await call(http, part, "POST", "mint", {"fault": fault}))["access_token"]
    with pytest.raises(TokenRefused) as caught:
        await exchanged(http, part, bad)
    assert caught.value.error == "invalid_grant"


async def test_client_that_may_not_exchange_is_refused(part: HelseId, http: aiohttp.ClientSession) -> None:
    own = await read_pair(key_file(part))
    with pytest.raises(TokenRefused) as caught:
        await request_token(http, part.issuer, VENDOR, own, TokenRequest(subject_token=part.mint()))
    assert caught.value.error == "unauthorized_client"
