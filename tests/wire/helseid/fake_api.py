"""An API that takes every call and remembers how it was let in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Api:
    """Its address, and of each call the method, the address and the headers."""

    url: str = ""
    seen: list[tuple[str, str, list[tuple[str, str]]]] = field(default_factory=list)


@asynccontextmanager
async def api() -> AsyncIterator[Api]:
    there = Api()

    async def take(request: web.Request) -> web.Response:
        there.seen.append((request.method, f"{there.url}{request.path}", list(request.headers.items())))
        if request.method == "GET":
            return web.json_response({"state": "delivered"})
        return web.Response(status=202, headers={"Location": "/epj/r4/310000019/bundle/1/$status"})

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield there
    finally:
        await runner.cleanup()
