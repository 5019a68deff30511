"""The sandbox's own addresses beside the Cosmos API: what was done so far, and faults on request.

`GET /_sandbox/counters` and `POST /_sandbox/faults`. They need no key, so they are for this machine only.
"""

import asyncio
import os
import resource
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from sandbox.cosmos import faulting
from sandbox.cosmos.ledger import Ledger
from sandbox.cosmos.messages import Request, Response, answer
from sandbox.cosmos.values import Json

PREFIX: Final = "_sandbox"
_HOSTS: Final = ("127.0.0.1", "localhost")
_MISUNDERSTOOD: Final = (
    f"Send refuse true or false, mode (one of {', '.join(faulting.MODES)}), count and delayMs (positive numbers), "
    "share (above 0, up to 1) and seed (a whole number)."
)


class Control:
    """Stands before the account and lets a request through, or not."""

    def __init__(
        self, account: Callable[[Request], Awaitable[Response]], requests: Counter[str], ledger: Ledger
    ) -> None:
        self._account = account
        self._requests = requests
        self._ledger = ledger
        self._fault: faulting.Fault | None = None

    async def handle(self, request: Request) -> Response | None:
        """The answer; None: drop the connection."""
        if request.parts[:1] == (PREFIX,):
            return self._own(request)
        fault = self._fault
        if fault is None or not fault.strikes(request):
            return await self._account(request)
        if fault.over:
            self._fault = None
        self._requests[f"fault-{fault.mode}"] += 1
        match fault.mode:
            case "drop":
                return None
            case "drop-after":
                await self._account(request)
                return None
            case "slow":
                await asyncio.sleep(fault.delay_s)
                return await self._account(request)
            case _:
                return fault.refusal(request)

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
        return {
            "requests": requests,
            "charges": self._ledger.shown(),
            "cpuSeconds": time.process_time(),
            "rssBytes": _resident_bytes(),
        }

    def _set_fault(self, request: Request) -> Response:
        try:
            self._fault = faulting.read(request.body)
        except faulting.Misunderstood:
            return answer(400, {"code": "BadRequest", "message": _MISUNDERSTOOD})
        return answer(200, {"refuse": self._fault is not None, "mode": self._fault.mode if self._fault else None})


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
