"""Which release this is: what `./hub package` wrote into the package, and nothing where there is no package."""

import json
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = "release.json"
"""At the root of the package, beside `host.json`."""
UNPACKAGED: Final = "unpackaged"
"""What a hub says that runs from a checkout."""


@cache
def live() -> str:
    """Version and commit, `0.1.0+<40 hexadecimal digits>` (as Semantic Versioning writes it), or `unpackaged`."""
    return read(Path(__file__).resolve().parents[1])


def read(folder: Path) -> str:
    """The release of the app in this folder. Raises ValueError or KeyError for a file that is not as it was written."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return UNPACKAGED
    return str(json.loads(text)["release"])
