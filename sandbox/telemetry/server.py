"""The collector's door on 127.0.0.1: OTLP over HTTP in JSON, as any OpenTelemetry collector takes it."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from sandbox.telemetry import kept, otlp

MAX_BODY: Final = 16 * 1024 * 1024
_READ: Final[dict[str, Callable[[otlp.Json], Iterator[kept.Line]]]] = {
    "/v1/traces": otlp.spans,
    "/v1/logs": otlp.logs,
    "/v1/metrics": otlp.metrics,
}


@asynccontextmanager
async def serve(folder: Path, port: int = 0) -> AsyncIterator[dict[str, Any]]:
    """Collect into this folder, which is there. Port 0: a free one. Raises OSError."""
    app = web.Application(client_max_size=MAX_BODY)
    for path, read in _READ.items():
        app.router.add_post(path, _taking(folder, read))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        bound = int(runner.addresses[0][1])
        yield {"port": bound, "url": f"http://127.0.0.1:{bound}"}
    finally:
        await runner.cleanup()


def _taking(folder: Path, read: Callable[[otlp.Json], Iterator[kept.Line]]) -> Callable[[web.Request], Any]:
    async def take(request: web.Request) -> web.Response:
        try:
            found = tuple(read(json.loads(await request.read())))
        except (ValueError, KeyError, TypeError, AttributeError):
            return web.json_response({"message": "not OTLP in JSON"}, status=400)
        kept.append(folder, found)
        # As the protocol has it: an empty answer says that all was taken.
        return web.json_response({})

    return take
