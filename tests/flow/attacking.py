"""What an attacker does: calls of any form, with any token, and a look at whether the answer gives anything away."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from shared.access.scopes import PREFIX
from tests.flow.hub import World

LEAKS = ("Traceback", 'File "', "site-packages", ".py", "aiohttp", "azure.", "Exception", "SELECT ", "/root", "/home")
"""What no answer shows: anything of how the hub is made."""


@dataclass(frozen=True)
class Told:
    """An answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def code(self) -> str:
        """The hub's own code for what is wrong."""
        coding: list[dict[str, str]] = json.loads(self.body)["issue"][0]["details"]["coding"]
        return coding[1]["code"]

    @property
    def apart_from_its_id(self) -> tuple[int, bytes, frozenset[tuple[str, str]]]:
        """All that could tell two answers apart."""
        ids = {"correlation-id", "date", "content-length"}
        return (
            self.status,
            self.body,
            frozenset((n.lower(), v) for n, v in self.headers.items() if n.lower() not in ids),
        )


async def call(
    hub: World,
    method: str,
    path: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> Told:
    """Call the hub at exactly this path. Checks what holds for every answer of a door."""
    url = URL(f"{hub.api}{path}", encoded=True)
    async with hub.http.request(method, url, headers=CIMultiDict(headers), data=body, allow_redirects=False) as answer:
        told = Told(answer.status, answer.headers, await answer.read())
    assert told.status < 500, (path, told.body)
    text = told.body.decode("utf-8", "replace")
    assert not any(leak in text for leak in LEAKS if path != "/openapi.json"), text
    assert not any(name.lower().startswith("access-control") for name in told.headers)
    return told


async def raw(hub: World, text: bytes) -> tuple[int, bytes]:
    """Write these bytes to the hub's socket and read until it has answered: the first status and all that came."""
    at = urlsplit(hub.api)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        writer.write(text)
        await writer.drain()
        came = b""
        async with asyncio.timeout(20):
            # All of these calls ask for the connection to be closed.
            while more := await reader.read(65536):
                came += more
    finally:
        writer.close()
    return int(came.split(b" ", 2)[1]) if came else 0, came


async def mint(hub: World, **order: Any) -> list[tuple[str, str]]:
    """The headers of a call with a token that is made to order."""
    order = {"clientId": "trygghetsvakt", **order}
    async with hub.http.post(f"{hub.hub.addresses.helseid}/_sandbox/mint", json=order) as answer:
        assert answer.status == 200, await answer.text()
        return [(name, value) for name, value in (await answer.json())["headers"]]


async def system(hub: World, vkp_id: str, *scopes: str) -> list[tuple[str, str]]:
    """A system with this vkp-id, with all scopes unless some are named."""
    return await mint(hub, vkpId=vkp_id, scope=list(scopes) or [f"{PREFIX}bundle.*", f"{PREFIX}observation.*"])
