"""Stopping a municipality's traffic for a while: while its EPJ is upgraded, or out of order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator, Field, PlainSerializer, StringConstraints

from shared.registry.shapes import Line, Moment, as_json, closed

ALL: Final = "*"
"""Stands for every receiver of a municipality."""


@closed
@dataclass(frozen=True, slots=True)
class Stop:
    """Traffic is stopped, from when it was written."""

    until: Moment | None = None
    """When it opens again by itself (UTC); null: when somebody opens it."""
    reason: Line = ""
    """For those who look into it later. Nothing about a person."""

    def holds(self, now: datetime) -> bool:
        """Whether it is still stopped."""
        return self.until is None or now < self.until


def _no_stops() -> Mapping[str, Stop]:
    return MappingProxyType({})


Stops = Annotated[
    Mapping[Annotated[str, StringConstraints(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,15})$")], Stop],
    Field(max_length=21, json_schema_extra={"additionalProperties": False}),
    AfterValidator(lambda stops: MappingProxyType(dict(stops))),
    PlainSerializer(lambda stops: {name: as_json(Stop, stop) for name, stop in stops.items()}),
]
"""Stops by the id of a receiver, or `*` for all."""


@closed
@dataclass(frozen=True, slots=True)
class Traffic:
    """What is stopped at a municipality; null is open. VKP lets municipalities stop both on Min side."""

    writes: Stop | None = None
    """New messages."""
    reads: Stop | None = None
    """Lookups in the EPJ."""
    deliveries: Stops = field(default_factory=_no_stops)
    """Deliveries to receivers, by the receiver's id or `*` for all of them: messages are taken in and wait here."""

    def stop_of(self, receiver: str, now: datetime) -> Stop | None:
        """What stops deliveries to a receiver now, the longer one of two; None when nothing does."""
        found = [each for name in (receiver, ALL) if (each := self.deliveries.get(name)) and each.holds(now)]
        return max(found, key=lambda stop: (stop.until is None, stop.until or now), default=None)

    def without(self, receiver: str) -> "Traffic":
        """The same for a municipality that no longer has this receiver."""
        left = {name: stop for name, stop in self.deliveries.items() if name != receiver}
        return replace(self, deliveries=MappingProxyType(left))


OPEN = Traffic()
