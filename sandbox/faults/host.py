"""`python -m sandbox.faults.host --clock FILE …`: the local Functions host with a clock that can be moved.

The file holds by how many seconds the app's clock is off; none or an empty one: not at all. It is looked at whenever
the app asks for the time, so a jump comes between two lines of its code, as one of a real machine does. The app knows
nothing of it: `shared.clock.utc_now` is another function from before the app is imported.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared import clock


def moved(file: Path) -> Callable[[], datetime]:
    """A clock that is off by what the file says."""

    def now() -> datetime:
        try:
            off = file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            off = ""
        return datetime.now(UTC) + timedelta(seconds=float(off or 0))

    return now


def move(file: Path, seconds: float) -> None:
    """Put the clock of who reads this file off by so many seconds."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    fresh.write_text(f"{seconds}\n", encoding="ascii")
    fresh.replace(file)


def main() -> int:
    """Run the host."""
    at = sys.argv.index("--clock")
    file = Path(sys.argv[at + 1])
    del sys.argv[at : at + 2]
    clock.utc_now = moved(file)
    from sandbox.host.__main__ import main as host  # noqa: PLC0415 - what it imports must find the clock moved

    return host()


if __name__ == "__main__":
    sys.exit(main())
