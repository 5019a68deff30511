"""How long what a message says is kept."""

from datetime import timedelta
from typing import Final

from shared.registry.model import RETENTION_DAYS, Municipality

SHORTEST: Final = timedelta(days=7)
"""However soon a municipality wants it deleted: longer than a message is tried (76 h), and a weekend to decide."""


def kept_for(municipality: Municipality | None) -> timedelta:
    """For how long after it came, as the municipality chose."""
    return max(timedelta(days=municipality.retention_days if municipality else RETENTION_DAYS), SHORTEST)
