"""Counters for the benchmarks and faults for the tests, over HTTP on loopback."""

import resource
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeGuard

from aiohttp import web

from sandbox.servicebus.server import Server

_LONGEST_DELAY_MS: Final = 60_000
_MISUNDERSTOOD: Final = "Send dropConnections: true, refuse: true or false, delayMs: 0 to 60000, busy: 0 to 1."


@asynccontextmanager
async def counters(server: Server, port: int) -> AsyncIterator[int]:
    """Serve `GET /` and `POST /faults` on 127.0.0.1. Gives the port. Raises OSError."""

    async def read(_request: web.Request) -> web.Response:
        return web.json_response(
            {
                "operations": by_queue(server.broker.context.counters),
                "billed": by_queue(server.broker.context.bill.operations),
                "cpuSeconds": time.process_time(),
                "rssBytes": rss_bytes(),
            }
        )

    async def faults(request: web.Request) -> web.Response:
        asked = await request.json()
        if not _understood(asked):
            return web.json_response({"error": _MISUNDERSTOOD}, status=400)
        server.delay_s = asked.get("delayMs", server.delay_s * 1000) / 1000
        server.broker.busy_share = asked.get("busy", server.broker.busy_share)
        if asked.get("dropConnections") is True:
            server.drop_connections()
        if isinstance(asked.get("refuse"), bool):
            server.refuse(asked["refuse"])
        return web.json_response({"refuse": server.refusing})

    app = web.Application()
    app.add_routes([web.get("/", read), web.get("/counters", read), web.post("/faults", faults)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def by_queue(counted: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """What has been done since the start, per queue."""
    result: dict[str, dict[str, int]] = {}
    for (queue, operation), count in sorted(counted.items()):
        result.setdefault(queue, {})[operation] = count
    return result


def _understood(asked: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(asked, dict) or not set(asked) <= {"dropConnections", "refuse", "delayMs", "busy"}:
        return False
    delay, busy = asked.get("delayMs", 0), asked.get("busy", 0)
    numbers = isinstance(delay, int | float) and isinstance(busy, int | float)
    return numbers and 0 <= delay <= _LONGEST_DELAY_MS and 0 <= busy <= 1


def rss_bytes() -> int:
    """Resident memory now, or where that cannot be told the most there was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
