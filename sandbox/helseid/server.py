"""Runs the stand-in's HTTP on 127.0.0.1: HelseID, a small Entra ID, and what a test may turn (`/_sandbox/…`)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from sandbox.helseid import admin, endpoints, signing
from sandbox.helseid.entra import BITS, Entra
from sandbox.helseid.hosts import NotAStandIn, refuse_real_host
from sandbox.helseid.registry import Registry
from sandbox.helseid.rules import Rules
from sandbox.helseid.seen import Seen
from sandbox.helseid.standin import Clock, HelseId, utc_now

__all__ = ["HelseId", "NotAStandIn", "serve"]

_SHUTDOWN_S: Final = 1.0
_HELSEID = web.AppKey("helseid", HelseId)


@asynccontextmanager
async def serve(
    folder: Path,
    port: int = 0,
    clock: Clock = utc_now,
    *,
    issuer: str | None = None,
    rules: Rules | None = None,
) -> AsyncIterator[HelseId]:
    """Run the stand-in on 127.0.0.1 with its state in this folder. Port 0: a free one.

    The issuer is the stand-in's own address unless another is given; a port that changes over a restart changes the
    issuer with it. Raises NotAStandIn for an issuer on a host that is not this machine's own, OSError when the port is
    taken.
    """
    if issuer is not None:
        refuse_real_host(issuer)
    registry, seen = Registry(folder), Seen(folder / "used-ids.jsonl")
    keys_path = folder / "signing-keys.json"
    await asyncio.to_thread(registry.load)
    await asyncio.to_thread(seen.load)
    keys = await asyncio.to_thread(signing.load, keys_path)
    entra_path = folder / "entra-keys.json"
    entra_keys = await asyncio.to_thread(signing.load, entra_path, BITS)

    app = web.Application(client_max_size=256 * 1024, middlewares=[_gate])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    # The issuer is only known when the port is: the socket is opened before the routes can answer.
    part = HelseId("", 0, registry, keys, keys_path, clock, seen, rules or Rules())
    app[_HELSEID] = part
    entra = Entra(part, entra_path, entra_keys)
    app.add_routes([*endpoints.routes(part), *admin.routes(part), *entra.routes()])
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        part.port = int(runner.addresses[0][1])
        part.issuer = issuer or f"http://127.0.0.1:{part.port}"
        part.beside["entra"] = entra.facts()
        yield part
    finally:
        part.end_troubles()
        await runner.cleanup()


@web.middleware
async def _gate(request: web.Request, handler: admin.Handler) -> web.StreamResponse:
    part = request.app[_HELSEID]
    if request.path.startswith(admin.PREFIX):
        if not admin.is_from_here(request):
            return web.json_response({"error": "only for programs on this machine"}, status=403)
        return await handler(request)
    part.calls[request.path] = part.calls.get(request.path, 0) + 1
    match part.trouble_at(request.path):
        case "503":
            return web.json_response({"error": "temporarily_unavailable"}, status=503)
        case "500":
            return web.Response(text="<h1>Server Error</h1>", content_type="text/html", status=500)
        case "garbage":
            return web.Response(text="<html>maintenance</html>", content_type="application/json")
        case "hang":
            await part.trouble_over.wait()
            return web.json_response({"error": "temporarily_unavailable"}, status=503)
        case "none":
            return await handler(request)
