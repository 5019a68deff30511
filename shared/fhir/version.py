"""Which rules a message was judged by: named, so that the audit log can say it years afterwards."""

import hashlib
from functools import cache
from pathlib import Path

_DATA = Path(__file__).parent / "data"


@cache
def rules_version() -> str:
    """A name for the rules, profiles and code lists of this release: the first 12 hex digits of their SHA-256.

    They are data of the release and change with it alone, so the files are read once.
    """
    digest = hashlib.sha256()
    for path in sorted(_DATA.rglob("*.json")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_DATA).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
