"""The sandbox's own addresses beside the Cosmos API: what was done so far, and faults on request.

`GET /_sandbox/counters` and `POST /_sandbox/faults`. They need no key, so they are for this machine only.
"""

import asyncio
import os
import resource
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard

from sandbox.cosmos.messages import Request, Response, answer
from sandbox.cosmos.values import Json, NotJson, parse

PREFIX: Final = "_sandbox"
MODES: Final = ("503", "429", "drop", "slow")
_HOSTS: Final = ("127.0.0.1", "localhost")


@dataclass(slots=True)
class Fault:
    """What a client gets instead of an answer (`slow`: before it), for `left` requests (None: until told)."""

    mode: str
    left: int | None
    delay_s: float


class Control:
    """Stands before the account and lets a request through, or not."""

    def __init__(self, account: Callable[[Request], Awaitable[Response]], requests: Counter[str]) -> None:
        self._account = account
        self._requests = requests
        self._fault: Fault | None = None

    async def handle(self, request: Request) -> Response | None:
        """The answer; None: drop the connection."""
        if request.parts[:1] == (PREFIX,):
            return self._own(request)
        fault = self._take_fault()
        if fault is None:
            return await self._account(request)
        self._requests[f"fault-{fault.mode}"] += 1
        match fault.mode:
            case "drop":
                return None
            case "slow":
                await asyncio.sleep(fault.delay_s)
                return await self._account(request)
            case "429":
                return answer(
                    429,
                    {"code": "TooManyRequests", "message": "The request rate is large."},
                    **{"x-ms-retry-after-ms": str(int(fault.delay_s * 1000)), "x-ms-substatus": "3200"},
                )
            case _:
                return answer(503, {"code": "ServiceUnavailable", "message": "Service is currently unavailable."})

    def _take_fault(self) -> Fault | None:
        fault = self._fault
        if fault is not None and fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                self._fault = None
        return fault

    def _own(self, request: Request) -> Response:
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        # A web page that has a name point to 127.0.0.1 sends that name here.
        if host not in _HOSTS:
            return answer(403, {"code": "Forbidden", "message": "This address is for this machine only."})
        match request.method, request.parts[1:]:
            case "GET", ("counters",):
                return answer(200, self._counters())
            case "POST", ("faults",):
                return self._set_fault(request)
            case _:
                return answer(404, {"code": "NotFound", "message": "There is nothing at this address."})

    def _counters(self) -> Json:
        requests: dict[str, Json] = dict(sorted(self._requests.items()))
        return {"requests": requests, "cpuSeconds": time.process_time(), "rssBytes": _resident_bytes()}

    def _set_fault(self, request: Request) -> Response:
        try:
            wanted = parse(request.body)
        except NotJson:
            wanted = None
        if not isinstance(wanted, dict) or not isinstance(wanted.get("refuse"), bool):
            return _misunderstood()
        mode, count, delay = wanted.get("mode", "503"), wanted.get("count"), wanted.get("delayMs", 1000)
        if mode not in MODES or not (count is None or _positive(count)) or not _positive(delay):
            return _misunderstood()
        refuse = wanted["refuse"] is True
        self._fault = Fault(str(mode), count, delay / 1000) if refuse else None
        return answer(200, {"refuse": self._fault is not None, "mode": self._fault.mode if self._fault else None})


def _positive(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _misunderstood() -> Response:
    message = f"Send refuse true or false, mode (one of {', '.join(MODES)}), count and delayMs (positive numbers)."
    return answer(400, {"code": "BadRequest", "message": message})


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
