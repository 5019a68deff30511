"""Run as a process of its own: what it takes until the first message is judged. Prints one JSON object.

Nothing of the check may be imported before the clock runs, so imports stand inside.
"""

import json
import os
import sys
import time

from sandbox.bench.bundles import bundle
from sandbox.bench.process import used


def main(size: int) -> dict[str, float]:
    """Load, compile, judge one message of `size` bytes."""
    body = bundle(size)
    before = used(os.getpid()).resident_mb
    begun = time.perf_counter()
    from shared.fhir.reading import read_message  # noqa: PLC0415 - what it takes is what is measured

    imported = time.perf_counter()
    from shared.fhir.r4.checker import preload  # noqa: PLC0415

    preload()
    loaded = time.perf_counter()
    read_message(body, "bundle")
    judged = time.perf_counter()
    return {
        "import_ms": (imported - begun) * 1000,
        "preload_ms": (loaded - imported) * 1000,
        "first_ms": (judged - loaded) * 1000,
        "added_mb": used(os.getpid()).resident_mb - before,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]))))
