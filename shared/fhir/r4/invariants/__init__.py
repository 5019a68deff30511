"""The invariants of R4 that this hub enforces, by key."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from shared.fhir.r4.invariants.datatypes import DATATYPES
from shared.fhir.r4.invariants.located import IN_PROSE, LOCATED
from shared.fhir.r4.invariants.resources import QUESTIONNAIRES, RESOURCES
from shared.fhir.values import JsonObject, Path

__all__ = ["HOLDS", "IN_PROSE", "PLACES"]

HOLDS: Final[Mapping[str, Callable[[JsonObject], bool]]] = MappingProxyType(DATATYPES | RESOURCES | QUESTIONNAIRES)
"""Whether an invariant holds for an object; a breach is the object's as a whole."""

PLACES: Final[Mapping[str, Callable[[JsonObject], Iterable[Path]]]] = MappingProxyType(LOCATED)
"""The paths inside an object where an invariant is broken."""
