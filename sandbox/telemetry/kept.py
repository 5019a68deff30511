"""The file that the collector keeps: one JSON object a line for each span, each log line and each metric's collection.

Written as it comes in, so it can be read while the hub runs and after it has ended. When it has grown to 64 MiB it is
put aside, and the one put aside before goes.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

FILE: Final = "telemetry.jsonl"
ASIDE: Final = f"{FILE}.1"
_LARGEST: Final = 64 * 1024 * 1024

Line = dict[str, Any]


def append(folder: Path, lines: Iterable[Line]) -> None:
    """Keep these, in this order."""
    file = folder / FILE
    if file.exists() and file.stat().st_size > _LARGEST:
        file.replace(folder / ASIDE)
    with file.open("a", encoding="utf-8") as out:
        out.writelines(f"{json.dumps(each, ensure_ascii=False, separators=(',', ':'))}\n" for each in lines)


def lines(folder: Path, having: Iterable[str]) -> Iterator[Line]:
    """Those that hold one of these texts somewhere, the oldest first."""
    wanted = tuple(having)
    for name in (ASIDE, FILE):
        file = folder / name
        if not file.exists():
            continue
        with file.open(encoding="utf-8") as kept:
            # A line that is just being written is not whole yet.
            yield from (
                json.loads(line) for line in kept if line.endswith("\n") and any(each in line for each in wanted)
            )
