"""The API's addresses and their methods, as data."""

import re
from typing import Final

from shared.api import aside_paths, operations_paths, registry_paths
from shared.road.accepting import RESOURCES

ROUTES: Final[tuple[tuple[str, str], ...]] = (
    ("POST", "epj/r4/{orgnr}/{resource}"),
    ("POST", "epj/r4/{orgnr}/$process-message"),
    ("GET", "epj/r4/{orgnr}/{resource}/{id}/$status"),
    ("GET", "metadata"),
    ("GET", "openapi.json"),
    ("GET", "health"),
    ("POST", "trail/_search"),
    ("GET", "trail/{id}"),
    *operations_paths.ROUTES,
    *aside_paths.ROUTES,
    *registry_paths.ROUTES,
)

_RESOURCE: Final = "(?:" + "|".join(RESOURCES) + ")"


def methods_at(path: str) -> tuple[str, ...]:
    """The methods of the address a path fits (any letter case); none when it fits nothing."""
    return tuple(method for method, route in ROUTES if _pattern(route).fullmatch(path.strip("/")))


def _pattern(route: str) -> re.Pattern[str]:
    text = re.escape(route).replace(r"\{resource\}", _RESOURCE)
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", text), re.IGNORECASE)
