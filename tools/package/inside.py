"""Run inside a package (`tools.package.launch`): import the app, let Microsoft's worker index it, tell what was found.

Prints one JSON object. Nothing of the app may be imported before the clock runs, so imports stand inside. Lies in the
`--beside` folder as a module of its own and knows nothing of `tools`.

Two moments are of interest: when the worker could index the app, and when all that calls need is loaded too
(`functions.loading`), by a thread that begins at the first of them.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def main(package: Path, beside: Path, only_import: bool) -> dict[str, Any]:
    """Seconds, MB and functions of the package; `strangers` are modules from elsewhere than it and Python itself."""
    before_mb, begun, cpu, own_cpu = _resident_mb(), time.perf_counter(), time.process_time(), time.thread_time()
    import function_app  # noqa: F401, PLC0415 - what is measured

    # Of this thread: the other one has begun.
    own_cpu = time.thread_time() - own_cpu
    found: dict[str, Any] = {"indexable": _took(before_mb, begun, own_cpu)}
    first = sorted(sys.modules)
    from functions import loading  # noqa: PLC0415 - a part of the app

    loading.finished()
    found["ready"] = _took(before_mb, begun, time.process_time() - cpu)
    if only_import:
        return found
    # Before the sandbox's host is imported, which may use what the app may not.
    found["strangers"] = sorted(_strangers(package, beside))
    found |= {"first": first, "loaded": sorted(sys.modules)}
    found["functions"] = asyncio.run(_indexed(package))
    return found


def _took(before_mb: float, begun: float, cpu_s: float) -> dict[str, float]:
    return {
        "seconds": time.perf_counter() - begun,
        "cpu_seconds": cpu_s,
        "megabytes": _resident_mb() - before_mb,
        "modules": len(sys.modules),
    }


async def _indexed(package: Path) -> list[str]:
    from sandbox.host.worker import Worker  # noqa: PLC0415

    worker = Worker(package)
    try:
        return sorted(each.name for each in await worker.index())
    finally:
        worker.stop()


def _strangers(package: Path, beside: Path) -> Iterable[str]:
    known = (str(package), str(Path(os.__file__).parent))
    own = str(beside / Path(__file__).name)
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        if origin and origin != own and not origin.startswith(known):
            yield name


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    alone = "--only-import" in sys.argv[3:]
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), alone)))
    if alone:
        # Else telemetry would first try to reach an address where nobody is.
        sys.stdout.flush()
        os._exit(0)
