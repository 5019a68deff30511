"""What arrived, in order: one line of JSON each in a file, on the disk before anything is answered."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Arrived:
    """A notice as it came."""

    channel: Literal["webhook", "mail"]
    id: str
    """The notice's own: the same when it comes again."""
    at: str
    """ISO 8601, UTC."""
    verified: bool
    """Whether the signature is right; mail has none and counts as it is."""
    title: str
    text: str
    body: dict[str, Any] | None = None
    """The webhook's."""


class Received:
    """The list. Kept over restarts."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        self._all: list[dict[str, Any]] = [json.loads(line) for line in kept.splitlines() if _whole(line)]
        if kept and not kept.endswith("\n"):
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")

    def add(self, arrived: Arrived) -> None:
        """Keep one. Raises OSError."""
        entry = {"seq": len(self._all) + 1, **asdict(arrived)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._all.append(entry)

    def all(self) -> list[dict[str, Any]]:
        """All of them, in the order they came."""
        return list(self._all)


def _whole(line: str) -> bool:
    # The last one may have been cut short by a kill; its sender was not told that it arrived.
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
