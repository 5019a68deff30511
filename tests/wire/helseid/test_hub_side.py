"""The hub's side against the stand-in over a real socket: what is let in, what is refused, what an outage does."""

import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.helseid.client import fetch_token
from sandbox.helseid.jose import with_broken_signature
from sandbox.helseid.mint import MintOrder
from sandbox.helseid.server import HelseId, NotAStandIn, serve
from shared.access.authenticate import Authenticator, authenticator
from shared.access.credentials import Credentials
from shared.access.discovery import Issuer, fetch_keys
from shared.access.keys import KeysFetchError
from shared.access.scopes import require
from shared.access.tokens import TokenBound, TokenPolicy, UnknownKey
from shared.errors import (
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
from tests.wire.epj.process import running
from tests.wire.helseid.asking import VENDOR, key_file, proof
from tests.wire.helseid.conftest import Fresh

AUDIENCE = "nhn:vkp"


@pytest.fixture(scope="session")
def hub(helseid: HelseId, http: aiohttp.ClientSession) -> Authenticator:
    return authenticator(http, TokenPolicy(helseid.issuer, AUDIENCE))


async def mint(http: aiohttp.ClientSession, part: HelseId, **order: Any) -> str:
    async with http.post(f"{part.issuer}/_sandbox/mint", json=order) as answer:
        body = await answer.json()
        assert answer.status == 200, body
        return str(body["access_token"])


async def test_token_fetched_as_a_vendor_does_is_let_in(helseid: HelseId, hub: Authenticator) -> None:
    answer = await fetch_token(helseid.issuer, VENDOR, key_file(helseid))
    caller = await hub.caller(Credentials(f"Bearer {answer.access_token}"))
    assert (caller.client_id, caller.vkp_id) == ("trygghetsvakt", "trygghetsvakt-test")
    require(caller, "bundle", "write")


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"clientId": "natugla"},
        {"typ": "JWT"},
        {"scope": "nhn:vkp/api/user/bundle.write nhn:vkp/api/user/patient.read"},
        {"vkpId": "another-test"},
        {"audience": ["nhn:vkp"]},
        {"lifetimeSeconds": 5},
    ],
)
async def test_minted_token_without_a_fault_is_let_in(
    helseid: HelseId, hub: Authenticator, http: aiohttp.ClientSession, order: dict[str, Any]
) -> None:
    assert await hub.caller(Credentials(f"Bearer {await mint(http, helseid, **order)}"))


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        ({"expired": True}, TokenExpired),
        ({"lifetimeSeconds": -60}, TokenExpired),
        ({"notYetValid": True}, TokenExpired),
        ({"audience": "nhn:jft"}, TokenAudience),
        ({"audience": ["nhn:vkp", "nhn:jft"]}, TokenAudience),
        ({"issuer": "https://helseid.example"}, TokenIssuer),
        ({"wrongKey": True}, TokenSignature),
        ({"kid": "00" * 20}, UnknownKey),
        ({"alg": "none"}, TokenMalformed),
        ({"alg": "HS256"}, TokenMalformed),
        ({"typ": "dpop+jwt"}, TokenMalformed),
        ({"duplicateKey": True}, TokenMalformed),
        ({"claims": {"padding": "x" * 20_000}}, TokenMalformed),
        ({"dpopBound": True}, TokenBound),
        ({"withoutVkpId": True}, TokenClaims),
        ({"clientAmr": "client_secret"}, TokenClaims),
        ({"without": ["nbf"]}, TokenClaims),
        ({"without": ["client_id"]}, TokenClaims),
        ({"claims": {"exp": True}}, TokenClaims),
    ],
)
async def test_minted_token_with_a_fault_is_refused_for_that_fault(
    helseid: HelseId,
    hub: Authenticator,
    http: aiohttp.ClientSession,
    order: dict[str, Any],
    refusal: type[NotAuthenticated],
) -> None:
    text = await mint(http, helseid, **order)
    with pytest.raises(refusal) as caught:
        await hub.caller(Credentials(f"Bearer {text}"))
    assert type(caught.value) is refusal


async def test_broken_signature_is_refused(helseid: HelseId, hub: Authenticator) -> None:
    with pytest.raises(TokenSignature):
        await hub.caller(Credentials(f"Bearer {with_broken_signature(helseid.mint())}"))


async def test_token_without_the_scope_is_refused_for_the_resource(helseid: HelseId, hub: Authenticator) -> None:
    caller = await hub.caller(
        Credentials(f"Bearer {helseid.mint(MintOrder(scope=['nhn:vkp/api/user/encounter.write']))}")
    )
    with pytest.raises(ScopeMissing):
        require(caller, "bundle", "write")


async def test_client_assertion_is_not_an_access_token(helseid: HelseId, hub: Authenticator) -> None:
    with pytest.raises(TokenMalformed):
        await hub.caller(Credentials(f"Bearer {proof(helseid)}"))


@pytest.mark.parametrize("order", [{"unknownSwitch": 1}, {"alg": "RS1"}, {"clientId": "nobody"}])
async def test_order_that_is_not_understood_is_refused(
    helseid: HelseId, http: aiohttp.ClientSession, order: dict[str, Any]
) -> None:
    async with http.post(f"{helseid.issuer}/_sandbox/mint", json=order) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


async def test_rotation_lets_old_and_new_tokens_in(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        hub = authenticator(http, TokenPolicy(part.issuer, AUDIENCE))
        old = part.mint()
        await hub.caller(Credentials(f"Bearer {old}"))
        async with http.post(f"{part.issuer}/_sandbox/rotate") as answer:
            kid = (await answer.json())["kid"]
        assert kid == part.keys.current.kid
        assert await hub.caller(Credentials(f"Bearer {part.mint()}"))
        assert await hub.caller(Credentials(f"Bearer {old}"))


async def test_retired_key_opens_nothing_once_the_keys_are_fetched_again(
    fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    async with fresh() as part:
        hub = authenticator(http, TokenPolicy(part.issuer, AUDIENCE))
        old = part.mint()
        await hub.caller(Credentials(f"Bearer {old}"))
        await part.rotate(keep_old=False)
        await hub.caller(Credentials(f"Bearer {part.mint()}"))
        with pytest.raises(UnknownKey):
            await hub.caller(Credentials(f"Bearer {old}"))


async def test_outage_is_not_available_only_when_no_keys_are_known(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        knows, knows_nothing = (authenticator(http, TokenPolicy(part.issuer, AUDIENCE)) for _ in range(2))
        text = f"Bearer {part.mint()}"
        await knows.caller(Credentials(text))
        async with http.post(f"{part.issuer}/_sandbox/outage", json={"on": True}) as answer:
            assert answer.status == 200
        assert await knows.caller(Credentials(text))
        with pytest.raises(NotAvailable):
            await knows_nothing.caller(Credentials(text))
        await http.post(f"{part.issuer}/_sandbox/outage", json={"on": False})
        assert await knows_nothing.caller(Credentials(text))


async def test_nobody_listening_is_not_available(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        text = f"Bearer {part.mint()}"
        issuer = part.issuer
    with pytest.raises(NotAvailable):
        await authenticator(http, TokenPolicy(issuer, AUDIENCE)).caller(Credentials(text))


async def test_keys_are_fetched_once_for_many_calls(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        hub = authenticator(http, TokenPolicy(part.issuer, AUDIENCE))
        for _ in range(10):
            await hub.caller(Credentials(f"Bearer {part.mint()}"))
        assert set(part.calls.values()) == {1}


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@asynccontextmanager
async def pretender(document: Any, jwks: Any) -> AsyncIterator[str]:
    """An issuer that publishes whatever it is given; `{self}` stands for its own address."""
    address = ""

    async def discovery(_: web.Request) -> web.Response:
        text = document if isinstance(document, str) else json.dumps(document)
        return web.Response(text=text.replace("{self}", address), content_type="application/json")

    async def keys(_: web.Request) -> web.Response:
        return web.Response(text=json.dumps(jwks))

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("/.well-known/openid-configuration")

    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", discovery),
            web.get("/keys", keys),
            web.get("/moved/.well-known/openid-configuration", elsewhere),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield address
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("document", "jwks"),
    [
        ({"issuer": "https://somebody.else", "jwks_uri": "{self}/keys"}, "good"),
        ({"issuer": "{self}/", "jwks_uri": "{self}/keys"}, "good"),
        ({"jwks_uri": "{self}/keys"}, "good"),
        ({"issuer": "{self}"}, "good"),
        ({"issuer": "{self}", "jwks_uri": "http://localhost:1/keys"}, "good"),
        ({"issuer": "{self}", "jwks_uri": "/keys"}, "good"),
        ({"issuer": "{self}", "jwks_uri": 7}, "good"),
        ({"issuer": "{self}", "jwks_uri": "{self}/keys"}, {"keys": []}),
        ({"issuer": "{self}", "jwks_uri": "{self}/keys"}, {"error": "x"}),
        ({"issuer": "{self}", "jwks_uri": "{self}/keys"}, [1]),
        ({"issuer": "{self}", "jwks_uri": "{self}/nothing"}, "good"),
        ("<html>", "good"),
        ("[" * 100_000, "good"),
        ("[]", "good"),
    ],
)
async def test_keys_that_are_not_clearly_the_issuers_own_are_not_used(
    helseid: HelseId, http: aiohttp.ClientSession, document: Any, jwks: Any
) -> None:
    async with pretender(document, helseid.keys.published() if jwks == "good" else jwks) as address:
        with pytest.raises(KeysFetchError):
            await fetch_keys(http, Issuer(address))


async def test_keys_on_another_host_are_not_used_unless_configured(
    helseid: HelseId, http: aiohttp.ClientSession
) -> None:
    elsewhere = f"{helseid.issuer}/.well-known/openid-configuration/jwks"
    async with pretender({"issuer": "{self}", "jwks_uri": elsewhere}, None) as address:
        with pytest.raises(KeysFetchError, match="another host"):
            await fetch_keys(http, Issuer(address))
        assert await fetch_keys(http, Issuer(address, elsewhere))


async def test_document_without_end_is_not_read_to_its_end(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    document = {"issuer": "{self}", "jwks_uri": "{self}/keys"}
    async with pretender(document, helseid.keys.published() | {"padding": "x" * 300_000}) as address:
        with pytest.raises(KeysFetchError, match="too large"):
            await fetch_keys(http, Issuer(address))


async def test_redirects_are_not_followed(helseid: HelseId, http: aiohttp.ClientSession) -> None:
    document = {"issuer": "{self}/moved", "jwks_uri": "{self}/keys"}
    async with pretender(document, helseid.keys.published()) as address:
        with pytest.raises(KeysFetchError):
            await fetch_keys(http, Issuer(f"{address}/moved"))


@pytest.mark.parametrize(
    "issuer",
    ["http://helseid.example", "ftp://127.0.0.1", "https://", "https://u:p@h.example", "helseid", "http://10.0.0.1"],
)
def test_issuer_that_keys_must_not_be_fetched_from_is_refused(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Issuer(issuer)


async def test_keys_and_clients_are_kept_over_kill_nine_and_files_are_private(tmp_path: Path) -> None:
    async with running("helseid", tmp_path) as first:
        facts = first.facts
        assert facts["audience"] == AUDIENCE
        assert set(facts["clients"]) == {"trygghetsvakt", "natugla"}
        before = await fetch_token(facts["issuer"], VENDOR, facts["clients"][VENDOR]["keyFile"])
        await first.kill()
    async with running("helseid", tmp_path, "--port", str(facts["port"])) as second, aiohttp.ClientSession() as session:
        assert second.facts == facts
        hub = authenticator(session, TokenPolicy(facts["issuer"], AUDIENCE))
        assert await hub.caller(Credentials(f"Bearer {before.access_token}"))
    assert set(modes(tmp_path).values()) == {0o600}


@pytest.mark.parametrize(
    "issuer",
    [
        "https://helseid-sts.nhn.no",
        "https://helseid-sts.test.nhn.no",
        "https://example.com",
        "https://8.8.8.8",
        "helseid",
    ],
)
async def test_stand_in_never_speaks_for_a_real_host(tmp_path: Path, issuer: str) -> None:
    with pytest.raises(NotAStandIn):
        async with serve(tmp_path, issuer=issuer):
            pass
    assert modes(tmp_path) == {}


async def test_client_registered_later_gets_tokens_and_is_kept(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    async with fresh() as part:
        natugla = part.registry.find("natugla")
        assert natugla is not None
        new = {**natugla.to_json(), "clientId": "dosetten", "vkpId": "dosetten-test", "orgnrParent": "999977774"}
        async with http.post(f"{part.issuer}/_sandbox/clients", json=new) as answer:
            assert answer.status == 201
        answer_ = await fetch_token(part.issuer, "dosetten", key_file(part, "natugla"))
        caller = await authenticator(http, TokenPolicy(part.issuer, AUDIENCE)).caller(
            Credentials(f"Bearer {answer_.access_token}")
        )
        assert (caller.vkp_id, caller.orgnr_parent) == ("dosetten-test", "999977774")
        async with http.post(f"{part.issuer}/_sandbox/clients", json={"clientId": "x"}) as answer:
            assert answer.status == 400
    async with fresh() as again:
        assert again.registry.find("dosetten") is not None
