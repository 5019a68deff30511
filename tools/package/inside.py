"""Run inside a package (`tools.package.launch`): import the app, let Microsoft's worker index it, tell what was found.

Prints one JSON object. Nothing of the app may be imported before the clock runs, so imports stand inside. Lies in the
`--beside` folder as a module of its own and knows nothing of `tools`.
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
    before_mb, cpu, begun = _resident_mb(), time.process_time(), time.perf_counter()
    import function_app  # noqa: F401, PLC0415 - what is measured

    found: dict[str, Any] = {
        "import_s": time.perf_counter() - begun,
        "import_cpu_s": time.process_time() - cpu,
        "import_mb": _resident_mb() - before_mb,
        "modules": len(sys.modules),
    }
    if only_import:
        return found
    # Before the sandbox's host is imported, which may use what the app may not.
    found["strangers"] = sorted(_strangers(package, beside))
    found["loaded"] = sorted(sys.modules)
    found["functions"] = asyncio.run(_indexed(package))
    return found


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
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), "--only-import" in sys.argv[3:])))
