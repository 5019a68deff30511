"""The issuer's document is fetched once a day, its keys as often as they are asked for; both again when they moved."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from shared.access.discovery import KEEP_S, Fetcher, Issuer
from shared.access.keys import KeysFetchError
from tests.unit.access.forge import rsa_jwk


@dataclass
class Moving:
    """An issuer whose keys can be moved to another address."""

    url: str = ""
    at: str = "/keys"
    gone: bool = False
    calls: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.calls.append(request.path)
        if request.path == "/.well-known/openid-configuration":
            return web.Response(text=json.dumps({"issuer": self.url, "jwks_uri": self.url + self.at}))
        if request.path == self.at and not self.gone:
            return web.Response(text=json.dumps({"keys": [rsa_jwk()]}))
        return web.Response(status=404)


@pytest.fixture
async def moving() -> AsyncIterator[Moving]:
    part = Moving()
    app = web.Application()
    app.router.add_get("/{path:.*}", part.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    part.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield part
    await runner.cleanup()


async def test_document_is_kept_for_a_day(moving: Moving, http: aiohttp.ClientSession) -> None:
    now = 0.0
    fetch = Fetcher(http, Issuer(moving.url), lambda: now)
    for now in (0.0, 60.0, KEEP_S - 1):  # noqa: B007 - the clock reads it
        assert await fetch()
    assert moving.calls == ["/.well-known/openid-configuration", "/keys", "/keys", "/keys"]
    now = KEEP_S
    assert await fetch()
    assert moving.calls[4:] == ["/.well-known/openid-configuration", "/keys"]


async def test_keys_that_have_moved_are_found_at_once(moving: Moving, http: aiohttp.ClientSession) -> None:
    fetch = Fetcher(http, Issuer(moving.url))
    assert await fetch()
    moving.at = "/moved"
    assert await fetch()
    assert moving.calls[2:] == ["/keys", "/.well-known/openid-configuration", "/moved"]


async def test_keys_that_are_gone_are_not_looked_for_for_ever(moving: Moving, http: aiohttp.ClientSession) -> None:
    fetch = Fetcher(http, Issuer(moving.url))
    assert await fetch()
    moving.gone = True
    with pytest.raises(KeysFetchError, match="404"):
        await fetch()
    assert moving.calls[2:] == ["/keys", "/.well-known/openid-configuration", "/keys"]
