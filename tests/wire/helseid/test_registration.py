"""Registering clients at the stand-in: by programs on this machine only, public keys only, kept."""

from typing import Any

import aiohttp
import pytest

from sandbox.helseid import jwk
from sandbox.helseid.client import TokenRequest, request_token
from sandbox.helseid.files import write_json
from sandbox.helseid.server import HelseId
from tests.wire.helseid.asking import VENDOR, call, claims_of, public_jwk
from tests.wire.helseid.conftest import Fresh

PAIR = jwk.make("ES384")


def registration(**changed: Any) -> dict[str, Any]:
    return {"clientId": "dosetten", "vkpId": "dosetten-test", "jwks": {"keys": [public_jwk(PAIR)]}, **changed}


async def test_client_is_registered_changed_and_removed(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        made = await call(http, part, "POST", "clients", registration(scopes=["nhn:vkp/api/user/bundle.write"]))
        assert (made["dpop"], made["tokenLifetimeS"], made["tenancy"]) == ("optional", 600, "single")
        answer = await request_token(http, part.issuer, "dosetten", PAIR, TokenRequest())
        assert (answer.scope, answer.expires_in) == (("nhn:vkp/api/user/bundle.write",), 600)
        await call(http, part, "PATCH", "clients/dosetten", {"tokenLifetimeS": 30, "vkpId": "another"})
    async with fresh() as again:
        answer = await request_token(http, again.issuer, "dosetten", PAIR, TokenRequest())
        claims = claims_of(answer.access_token)
        assert answer.expires_in == claims["exp"] - claims["iat"] == 30
        assert claims["nhn:vkp/client/claims/vkp-id"] == "another"
        assert (await call(http, again, "GET", "clients/dosetten"))["tokenLifetimeS"] == 30
        await call(http, again, "DELETE", "clients/dosetten")
        await call(http, again, "GET", "clients/dosetten", status=404)
        await call(http, again, "DELETE", "clients/dosetten", status=404)
        listed = (await call(http, again, "GET", "clients"))["clients"]
        assert [each["clientId"] for each in listed] == [VENDOR, "natugla"]


async def test_clients_keys_can_be_changed(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        await call(http, part, "POST", "clients", registration())
        new = jwk.make("ES256")
        await call(http, part, "PATCH", "clients/dosetten", {"jwks": {"keys": [public_jwk(PAIR), public_jwk(new)]}})
        for own in (PAIR, new):
            assert await request_token(http, part.issuer, "dosetten", own, TokenRequest())


@pytest.mark.parametrize(
    "changed",
    [
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [PAIR.private_jwk()]}},
        {"jwks": {"keys": [{**public_jwk(PAIR), "k": "AAAA"}]}},
        {"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
        {"jwks": {"keys": [{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}]}},
        {"jwks": None},
        {"clientId": ""},
        {"dpop": "sometimes"},
        {"tenancy": "many"},
        {"orgnrParent": "12345678"},
        {"orgnrParent": "99997777４"},
        {"orgnrParent": "999977774\n"},
        {"delegations": [{"parent": "1"}]},
        {"tokenLifetimeS": 0},
        {"clientSecret": "x"},
    ],
)
async def test_what_is_no_client_is_refused_with_the_reason(
    helseid: HelseId, http: aiohttp.ClientSession, changed: dict[str, Any]
) -> None:
    body = await call(http, helseid, "POST", "clients", registration(**changed), status=400)
    assert body["wrong"]
    assert "dosetten" not in str(await call(http, helseid, "GET", "clients"))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"clientId": 7}'])
async def test_change_that_is_not_understood_changes_nothing(
    helseid: HelseId, http: aiohttp.ClientSession, body: bytes
) -> None:
    before = await call(http, helseid, "GET", f"clients/{VENDOR}")
    async with http.patch(f"{helseid.issuer}/_sandbox/clients/{VENDOR}", data=body) as answer:
        assert answer.status == (200 if b"clientId" in body else 400)
    assert await call(http, helseid, "GET", f"clients/{VENDOR}") == before


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Host": "127.0.0.1.evil.example:80"}]
)
async def test_switches_are_not_for_web_pages(
    helseid: HelseId, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    for request in (
        http.post(f"{helseid.issuer}/_sandbox/mint", headers=headers),
        http.get(f"{helseid.issuer}/_sandbox/facts", headers=headers),
    ):
        async with request as answer:
            assert answer.status == 403


async def test_folder_of_an_earlier_stand_in_is_understood(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        folder = part.keys_path.parent
        clients, keys = (await call(http, part, "GET", "clients"))["clients"], part.keys
    old = {"clientId", "name", "vkpId", "jwks", "scopes", "orgnrParent"}
    kept = [{name: value for name, value in client.items() if name in old} for client in clients]
    write_json(folder / "clients.json", {"clients": kept})
    write_json(folder / "signing-keys.json", {"keys": [keys.current.private_jwk(), PAIR.private_jwk()]})
    async with fresh() as again:
        assert again.keys.current.kid == keys.current.kid
        assert len(again.keys.published()["keys"]) == 2
        assert [client.client_id for client in again.registry.clients] == [VENDOR, "natugla"]
        assert [api.audience for api in again.registry.apis] == ["nhn:vkp"]
