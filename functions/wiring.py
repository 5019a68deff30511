"""The one hub of this process. Settings are read when the app is loaded; connections open when first needed."""

import os
from functools import cache
from typing import Final

from shared.azure import settings
from shared.road.hub import Hub

_SETTINGS: Final = settings.load(os.environ)


@cache
def hub() -> Hub:
    """The hub. First called inside the worker's event loop, to which its connections then belong."""
    return Hub(_SETTINGS)
