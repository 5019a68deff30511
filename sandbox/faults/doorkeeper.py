"""A door before the EPJ's: sees each call come and each answer leave, and holds either back.

With it a scenario knows that somebody is at a call, or has been answered and has not heard it yet, and breaks something
at that very moment. A call that has come goes on to the EPJ though its caller has died meanwhile, as on any network.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from aiohttp import web

from sandbox.ports import LOOPBACK

_OF_THE_CONNECTION: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})
_MOST: Final = 4 * 1024 * 1024
_SHUTDOWN_S: Final = 1.0


class Doorkeeper:
    """Hands calls on to the EPJ. Use inside `doorkeeper(…)`."""

    def __init__(self, http: aiohttp.ClientSession, epj: str) -> None:
        self.url = ""
        self.calls = 0
        """That have come, ever."""
        self.answers = 0
        """That the EPJ has given, ever."""
        self._http = http
        self._epj = epj
        self._in, self._out = asyncio.Event(), asyncio.Event()
        self.let_all()

    def hold_calls(self) -> None:
        """Let no call in that comes from now on."""
        self._in.clear()

    def hold_answers(self) -> None:
        """Let no answer out from now on: the EPJ has stored, and nobody knows."""
        self._out.clear()

    def let_all(self) -> None:
        """Let everything through that was held back, and all that comes."""
        self._in.set()
        self._out.set()

    async def hand_on(self, request: web.Request) -> web.Response:
        """One call."""
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        self.calls += 1
        await self._in.wait()
        try:
            async with self._http.post(f"{self._epj}{request.path_qs}", data=body, headers=headers) as answer:
                kept = {name: answer.headers[name] for name in ("Location", "Retry-After") if name in answer.headers}
                response = web.Response(
                    status=answer.status, body=await answer.read(), headers=kept, content_type=answer.content_type
                )
        except aiohttp.ClientError:
            return web.Response(status=502)
        self.answers += 1
        await self._out.wait()
        return response


@asynccontextmanager
async def doorkeeper(epj: str) -> AsyncIterator[Doorkeeper]:
    """Somebody at the door of the EPJ that is at this address."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        keeper = Doorkeeper(http, epj)
        app = web.Application(client_max_size=_MOST)
        app.add_routes([web.post("/{rest:.*}", keeper.hand_on)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, 0).start()
            keeper.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
            yield keeper
        finally:
            keeper.let_all()
            await runner.cleanup()
