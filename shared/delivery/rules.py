"""The numbers behind the gate, read from `data/gate.json` (its schema stands beside it). Times are seconds there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic.alias_generators import to_camel

_DATA: Final = Path(__file__).parent / "data" / "gate.json"
_closed = with_config(ConfigDict(extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True))

Count = Annotated[int, Field(ge=1, le=100_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Part = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


@_closed
@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a receiver is taken for dead, and how it is found to be alive (design/architecture.md; issue 5, 3)."""

    straight: Count
    """So many failed tries in a row open the breaker."""
    ratio: Part
    """So large a part of the tries of the last `windowSeconds` failed: that opens it too."""
    window_seconds: Seconds
    least_tries: Count
    """Fewer tries than this within the window say nothing about a part of them."""
    probe_every_seconds: Seconds
    """While it is open, one routine delivery is tried so often, by all instances together."""

    @property
    def window(self) -> timedelta:
        """How far back tries count."""
        return timedelta(seconds=self.window_seconds)

    @property
    def probe_every(self) -> timedelta:
        """Between two probes."""
        return timedelta(seconds=self.probe_every_seconds)


@_closed
@dataclass(frozen=True, slots=True)
class StandingRules:
    """How instances hear of each other's breakers, and of stops."""

    trusted_seconds: Seconds
    """What another instance found out is known here after at most so long."""
    hold_seconds: Seconds
    """After so long a lane that waits for a breaker looks for itself, give or take a quarter. Long: a hundred thousand
    may wait, and they are woken when the time has come."""
    stop_look_again_seconds: Seconds
    """When to look again at a stop that has no end."""

    @property
    def trusted(self) -> timedelta:
        """How long a standing document is not read again."""
        return timedelta(seconds=self.trusted_seconds)

    @property
    def hold(self) -> timedelta:
        """After how long a lane looks for itself."""
        return timedelta(seconds=self.hold_seconds)

    @property
    def stop_look_again(self) -> timedelta:
        """When to look again at a stop that has no end."""
        return timedelta(seconds=self.stop_look_again_seconds)


@_closed
@dataclass(frozen=True, slots=True)
class BulkheadRules:
    """How an instance's workers are shared between receivers."""

    workers: Count
    """Lanes that an instance works on at once (host.json, maxConcurrentSessions)."""
    largest_share: Part
    """No receiver holds a larger part of them."""
    crowded_at: Part
    """When so large a part of them is held, the rest is for receivers that hold fewer than `whenCrowded`."""
    when_crowded: Count
    for_prompt: Part
    """The part of a receiver's places, and of what it takes in a second, that routine deliveries leave free."""
    shortest_wait_seconds: Seconds
    longest_wait_seconds: Seconds
    longest_prompt_wait_seconds: Seconds
    pause_seconds: Seconds
    """How long a receiver is left alone that says 429 without saying for how long."""
    longest_pause_seconds: Seconds
    """However long a receiver asks to be left alone: then it is asked again."""
    longest_prompt_pause_seconds: Seconds
    """The same for prompt deliveries, whose people should hear within a minute that something is wrong."""


@_closed
@dataclass(frozen=True, slots=True)
class WakingRules:
    """How fast parked lanes are woken when their receiver is well again."""

    lanes_per_second: Count
    lanes_at_once: Count
    seconds_per_look: Seconds
    """How long one look may take: less than the time between two."""
    again_seconds: Seconds
    """A woken lane that nobody has begun on after so long has lost its signal."""
    carriers: Count
    """One of so many lanes, those due first, is taken for a probe: none of them can stand in the way of all."""
    settle_seconds: Seconds
    """When nothing is parked any more, a last look comes so much later: longer than an instance trusts what it knew."""


@_closed
@dataclass(frozen=True, slots=True)
class Rules:
    """All of them."""

    breaker: BreakerRules
    standing: StandingRules
    bulkhead: BulkheadRules
    waking: WakingRules


def load(read: Callable[[], str] | None = None) -> Rules:
    """The numbers of the data file. Raises ValueError when they are missing or malformed."""
    data = TypeAdapter(dict[str, Any]).validate_json(read() if read else _DATA.read_bytes())
    return _adapter().validate_python({name: part for name, part in data.items() if name != "$schema"})


def schema() -> dict[str, Any]:
    """The data file's form as JSON Schema (2020-12)."""
    found = _adapter().json_schema(by_alias=True)
    found["properties"]["$schema"] = {"type": "string"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


@cache
def standard() -> Rules:
    """The numbers of the data file, read once."""
    return load()


@cache
def _adapter() -> TypeAdapter[Rules]:
    return TypeAdapter(Rules)
