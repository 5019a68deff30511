"""One synthetic message of every kind the hub takes: what a vendor starts from, and what the tests send.

The files are in `data/examples`, what each shows in `data/examples.json`. Persons, numbers and places are made up:
national numbers are of Skatteetaten's synthetic series (+80 on the month), organisation numbers of Tenor's.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_DATA = Path(__file__).parent / "data"
FOLDER = _DATA / "examples"


@cache
def names() -> Mapping[str, str]:
    """What each example shows, by its name."""
    about: dict[str, str] = json.loads((_DATA / "examples.json").read_text(encoding="utf-8"))
    return MappingProxyType(about)


def body(name: str) -> bytes:
    """The bytes of an example. Raises KeyError for a name there is none of."""
    if name not in names():
        raise KeyError(name)
    return (FOLDER / f"{name}.json").read_bytes()
