"""Every fault that the stand-in for HelseID can make, sent to an API over a socket: refused, and told why."""

import re
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict

from sandbox.helseid.faults import FAULTS, NO_FAULTS, Fault
from sandbox.helseid.server import HelseId
from tests.wire.access.conftest import Api


async def send(
    http: aiohttp.ClientSession, url: str, headers: list[list[str]]
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, answer, and the error of each scheme in the challenge ("" for none)."""
    sent = CIMultiDict((name, value) for name, value in headers)
    async with http.post(f"{url}?code=x", headers=sent) as answer:
        told = answer.headers.get("WWW-Authenticate", "")
        each = re.split(r", (?=DPoP|Bearer)", told) if told else []
        errors = {one.partition(" ")[0]: (re.findall(r'error="([a-z_]+)"', one) or [""])[0] for one in each}
        return answer.status, await answer.json(), errors


async def minted(http: aiohttp.ClientSession, issuer: HelseId, api: Api, path: str, **order: Any) -> list[list[str]]:
    proof = {"url": f"{api.public}{path}", **order.pop("proof", {})}
    async with http.post(f"{issuer.issuer}/_sandbox/mint", json={**order, "proof": proof}) as answer:
        body = await answer.json()
        assert answer.status == 200, body
        headers: list[list[str]] = body["headers"]
        return headers


@pytest.mark.parametrize("path", ["/each", "/merged"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_fault_is_refused_and_named(
    issuer: HelseId, http: aiohttp.ClientSession, api: Api, fault: Fault, path: str
) -> None:
    headers = await minted(http, issuer, api, path, fault=fault.name)
    status, body, errors = await send(http, api.inner[0] + path, headers)
    assert status == (400 if fault.error == "invalid_request" else 401), body
    tried = next(value.partition(" ")[0] for name, value in headers if name == "Authorization")
    assert errors.keys() == {"DPoP", "Bearer"}
    assert errors.pop(tried) == fault.error, body
    assert set(errors.values()) == {""}


@pytest.mark.parametrize("path", ["/each", "/merged"])
@pytest.mark.parametrize("unusual", NO_FAULTS, ids=lambda fault: fault.name)
async def test_unusual_is_let_in(
    issuer: HelseId, http: aiohttp.ClientSession, api: Api, unusual: Fault, path: str
) -> None:
    headers = await minted(http, issuer, api, path, fault=unusual.name)
    status, body, _ = await send(http, api.inner[1] + path, headers)
    assert status == 200, body
    assert body["bound"] == ("dpop" in unusual.order)


async def test_proof_used_at_one_instance_is_used_at_the_other(
    issuer: HelseId, http: aiohttp.ClientSession, api: Api
) -> None:
    headers = await minted(http, issuer, api, "/each", dpop=True)
    assert (await send(http, f"{api.inner[0]}/each", headers))[0] == 200
    for instance in api.inner:
        status, body, errors = await send(http, f"{instance}/each", headers)
        assert (status, body["code"], errors["DPoP"]) == (401, "SEND_PROOF_REPLAYED", "invalid_dpop_proof")


async def test_call_without_credentials_is_told_how_to_call(http: aiohttp.ClientSession, api: Api) -> None:
    status, body, errors = await send(http, f"{api.inner[0]}/each", [])
    assert (status, body["code"]) == (401, "SEND_TOKEN_MISSING")
    assert errors == {"DPoP": "", "Bearer": ""}


async def test_proof_for_the_inner_address_is_refused(issuer: HelseId, http: aiohttp.ClientSession, api: Api) -> None:
    headers = await minted(http, issuer, api, "/each", dpop=True, proof={"url": f"{api.inner[0]}/each"})
    status, body, _ = await send(http, f"{api.inner[0]}/each", headers)
    assert (status, body["code"]) == (401, "SEND_PROOF_MISMATCH")
