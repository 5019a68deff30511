"""Access keys of the host: made at the first start, kept in the data folder, compared in constant time.

As in Azure: the header `x-functions-key` wins over the query's `code`; the master key opens everything; host keys open
every function, a function's own keys only that function.
"""

import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys (secrets)."""

    master: str
    host: dict[str, str] = field(default_factory=dict)
    functions: dict[str, dict[str, str]] = field(default_factory=dict)

    def admits(self, auth_level: str, function: str, key: str | None) -> bool:
        """Whether a caller with this key may call a function of that authorisation level."""
        if auth_level == "anonymous":
            return True
        accepted = [self.master]
        if auth_level != "admin":
            accepted += [*self.host.values(), *self.functions.get(function, {}).values()]
        given = (key or "").encode()
        # Every key is compared, whichever fits, so that the time tells nothing.
        fits = [hmac.compare_digest(given, one.encode()) for one in accepted]
        return any(fits)


def load(folder: Path, functions: Iterable[str]) -> Keys:
    """The keys in the data folder; missing ones are made. Raises OSError or ValueError when the file is unusable."""
    path = folder / "keys.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    keys = Keys(
        master=kept.get("master") or _new(),
        host=kept.get("host") or {"default": _new()},
        functions=dict(kept.get("functions", {})),
    )
    for name in functions:
        keys.functions.setdefault(name, {"default": _new()})
    content = {"master": keys.master, "host": keys.host, "functions": keys.functions}
    if content != kept:
        fresh = path.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        fresh.replace(path)
    return keys


def _new() -> str:
    return secrets.token_urlsafe(40)
