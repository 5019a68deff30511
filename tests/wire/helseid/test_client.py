"""The sandbox's own client, as a vendor would write it, and the vendor that calls an API with it."""

from datetime import datetime

import aiohttp
import pytest

from sandbox.helseid.client import TokenRefused, TokenRequest, fetch_token, read_pair, request_token
from sandbox.helseid.hosts import NotAStandIn
from sandbox.helseid.nonces import Nonces
from sandbox.helseid.server import HelseId
from sandbox.vendor import vendor
from tests.wire.helseid.asking import VENDOR, call, claims_of, key_file
from tests.wire.helseid.conftest import Fresh
from tests.wire.helseid.fake_api import api
from tests.wire.helseid.judge import opinion


class Forgetful(Nonces):
    """Knows none of its nonces again."""

    def holds(self, nonce: str, now: datetime) -> bool:
        return False


@pytest.mark.parametrize("client_id", ["trygghetsvakt", "natugla"])
async def test_bound_token_is_had_by_answering_the_nonce(helseid: HelseId, client_id: str) -> None:
    answer = await fetch_token(helseid.issuer, client_id, key_file(helseid, client_id), dpop=True)
    assert answer.token_type == "DPoP"
    assert claims_of(answer.access_token)["cnf"]["jkt"]


async def test_each_call_of_an_api_has_a_proof_of_its_own(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    async with api() as there, vendor(there.url, helseid.issuer, VENDOR, key_file(helseid), dpop=True) as sender:
        answer = await sender.send("310000019", "bundle", b"{}")
        assert answer.location is not None
        for _ in range(2):
            await sender.status(f"{answer.location}?at=once")
    async with http.get(f"{helseid.issuer}/.well-known/openid-configuration/jwks") as answered:
        jwks = await answered.json()
    proofs = set()
    for method, url, headers in there.seen:
        assert opinion(headers, jwks, helseid.issuer, method, url) is None
        proofs |= {claims_of(value)["jti"] for name, value in headers if name == "DPoP"}
    assert [method for method, _, _ in there.seen] == ["POST", "GET", "GET"]
    assert len(proofs) == 3


async def test_bearer_vendor_sends_no_proof(helseid: HelseId) -> None:
    async with api() as there, vendor(there.url, helseid.issuer, VENDOR, key_file(helseid)) as sender:
        await sender.send("310000019", "bundle", b"{}")
    headers = dict(there.seen[0][2])
    assert headers["Authorization"].startswith("Bearer ")
    assert "DPoP" not in headers


async def test_nonce_is_answered_once(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        own = await read_pair(key_file(part))
        part.nonces = Forgetful()
        with pytest.raises(TokenRefused) as caught:
            await request_token(http, part.issuer, VENDOR, own, TokenRequest(dpop=True))
        assert caught.value.error == "use_dpop_nonce"
        assert part.calls["/connect/token"] == 2


async def test_organisations_are_named_and_rejected_scopes_told(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        rejected = "nhn:vkp/api/user/patient.read"
        delegations = [{"parent": "999977774", "rejectedScopes": [rejected]}]
        await call(http, part, "PATCH", f"clients/{VENDOR}", {"tenancy": "multi", "delegations": delegations})
        identifier = {"system": "urn:oid:1.0.6523", "type": "ENH", "value": "NO:ORGNR:999977774:"}
        details = {
            "type": "helseid_authorization",
            "practitioner_role": {"organization": {"identifier": identifier}},
        }
        request = TokenRequest(details=details, dpop=True)
        answer = await request_token(http, part.issuer, VENDOR, await read_pair(key_file(part)), request)
        assert answer.rejected_scope == (rejected,)
        assert rejected not in answer.scope


@pytest.mark.parametrize("issuer", ["https://helseid-sts.nhn.no", "https://helseid-sts.test.nhn.no", "http://10.0.0.1"])
async def test_client_never_calls_a_real_host(helseid: HelseId, issuer: str) -> None:
    with pytest.raises(NotAStandIn):
        await fetch_token(issuer, VENDOR, key_file(helseid))
