"""The host's own addresses under `/admin`: status, firing a function by hand, counters for the benchmarks."""

import asyncio
import json
import os
import resource
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.host.functions import Function, HttpTrigger, ServiceBusTrigger
from sandbox.host.groups import Group, group_of
from sandbox.host.keys import Keys
from sandbox.host.protos import RpcHttp, TypedData
from sandbox.host.timers import Timer
from sandbox.host.web import joined_query
from sandbox.host.worker import Worker


class Admin:
    """Answers `/admin/…`. Everything but the counters needs the master key."""

    def __init__(
        self,
        worker: Worker,
        keys: Keys,
        functions: Iterable[Function],
        group: Group,
        timers: Mapping[str, Timer],
        state: Callable[[], str],
    ) -> None:
        self._worker = worker
        self._keys = keys
        self._functions = {function.name.lower(): function for function in functions}
        self._group = group
        self._timers = timers
        self._state = state
        self._began = time.monotonic()
        self._fired: set[asyncio.Task[object]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request to an address that begins with `/admin/`."""
        path = request.path.rstrip("/").lower()
        if path == "/admin/host/counters" and request.method == "GET":
            return web.json_response(self.counters())
        key = request.headers.get("x-functions-key") or joined_query(request.raw_path.partition("?")[2]).get("code")
        if not self._keys.admits("admin", "", key):
            return web.Response(status=401)
        if path == "/admin/host/status" and request.method == "GET":
            return web.json_response(self.status())
        function = self._functions.get(path.removeprefix("/admin/functions/"))
        if request.method != "POST" or function is None:
            return web.Response(status=404)
        if not self._group.serves(function):
            return web.Response(
                status=404,
                text=f"the function '{function.name}' is of the group '{group_of(function)}'; "
                f"this process serves '{self._group}' only",
            )
        return await self._fire(function, request)

    def status(self) -> dict[str, Any]:
        """As `GET /admin/host/status` of the real host, as far as it applies here."""
        return {
            "id": "knutepunkt-local",
            "state": self._state(),
            "version": "4.local",
            "versionDetails": "local host on azure-functions-runtime",
            "processUptime": int((time.monotonic() - self._began) * 1000),
        }

    def counters(self) -> dict[str, Any]:
        """Runs and failures per function, CPU seconds and resident bytes of this process."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "invocations": self._worker.tally.invocations,
            "failures": self._worker.tally.failures,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "rssBytes": _resident_bytes(),
        }

    async def _fire(self, function: Function, request: web.BaseRequest) -> web.Response:
        try:
            body = json.loads(await request.read() or b"{}")
            text = body.get("input") or ""
        except (ValueError, AttributeError):
            return web.Response(status=400)
        timer = self._timers.get(function.name)
        run = timer.fire() if timer is not None else self._worker.invoke(function, *_by_hand(function, str(text)))
        task: asyncio.Task[object] = asyncio.create_task(run)
        self._fired.add(task)
        task.add_done_callback(self._fired.discard)
        return web.Response(status=202)


def _by_hand(function: Function, text: str) -> tuple[TypedData, dict[str, TypedData]]:
    """The value of a run without an event: the text is the body."""
    if isinstance(function.trigger, HttpTrigger):
        method = function.trigger.methods[0] if function.trigger.methods else "POST"
        body = TypedData(bytes=text.encode())
        return TypedData(http=RpcHttp(method=method, url="http://127.0.0.1/", body=body)), {}
    if isinstance(function.trigger, ServiceBusTrigger) and function.trigger.binary:
        return TypedData(bytes=text.encode()), {"UserProperties": TypedData(json="{}")}
    return TypedData(string=text), {"UserProperties": TypedData(json="{}")}


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
