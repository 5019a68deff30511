"""The ids of assertions and proofs that were used, so that each is good for one use.

Kept in a file too, for a stand-in that is restarted within their minute. The file is not forced to disk: it outlives
the process, however that ends, but not a machine that loses its power.
"""

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Final

_COMPACT_AFTER: Final = 10_000
"""Lines."""


class Seen:
    """Ids that were used and until when that matters (seconds since 1970). Holds hashes only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._until: dict[str, float] = {}
        self._lines = 0

    def load(self) -> None:
        """Read what was kept."""
        try:
            lines = self._path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            lines = []
        for line in lines:
            try:
                key, until = json.loads(line)
            except ValueError:
                # The last line of a process that was killed while it wrote.
                continue
            self._until[str(key)] = float(until)
        if lines:
            # Nothing may be appended to half a line.
            self._write_all(self._until)

    def is_first_use(self, kind: str, owner: str, jti: str, until: float, now: datetime) -> bool:
        """Remember this id until then; False when it was used before.

        `kind` and `owner` (a client, a key) keep ids apart that different ones chose.
        """
        at = now.timestamp()
        key = hashlib.sha256(json.dumps([kind, owner, jti]).encode()).hexdigest()
        if self._until.get(key, at) > at:
            return False
        self._until[key] = until
        # One short line into the page cache takes less time than handing it to a thread.
        if self._lines < _COMPACT_AFTER:
            self._write(self._path, {key: until})
            self._lines += 1
        else:
            self._until = {name: end for name, end in self._until.items() if end > at}
            self._write_all(self._until)
        return True

    def _write_all(self, ids: dict[str, float]) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.unlink(missing_ok=True)
        self._write(fresh, ids)
        fresh.replace(self._path)
        self._lines = len(ids)

    @staticmethod
    def _write(path: Path, ids: dict[str, float]) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "a", encoding="ascii") as file:
            file.writelines(f"{json.dumps([key, until])}\n" for key, until in ids.items())
