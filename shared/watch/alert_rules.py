"""How alerts are told of: read from data, checked at start, overridden by settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.watch.alerts import Kind, Rule

_DATA: Final = Path(__file__).parent / "data" / "alerts.json"
_Seconds = Annotated[float, Field(ge=0)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class _Kind(_Closed):
    severity: Annotated[int, Field(ge=0, le=4)]
    after_seconds: _Seconds
    well_seconds: _Seconds
    remind_hours: Annotated[float, Field(gt=0)] | None


class _Sending(_Closed):
    again_seconds: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]
    give_up_hours: Annotated[float, Field(gt=0)]


class _File(_Closed):
    comment: str = Field("", alias="$comment")
    alarm_seconds: Annotated[float, Field(gt=0)]
    orphan_seconds: Annotated[float, Field(gt=0)]
    kinds: dict[Kind, _Kind]
    sending: _Sending


@dataclass(frozen=True, slots=True)
class Rules:
    """All of it."""

    kinds: Mapping[Kind, Rule]
    alarm: timedelta
    """How long something urgent may be on its way."""
    orphan: timedelta
    """How long past its due time a lane may be; the orphan check comes several times before that."""
    again: tuple[timedelta, ...]
    """Waits between tries to send a notice; the last one repeats."""
    give_up: timedelta
    """When a notice that no try could send is given up."""

    def tuned(self, alarm_s: float | None, well_s: float | None) -> "Rules":
        """With what the settings say instead: the alarm's time, and how long all kinds must be well."""
        kinds = self.kinds
        if well_s is not None:
            kinds = {kind: replace(rule, well=timedelta(seconds=well_s)) for kind, rule in kinds.items()}
        alarm = self.alarm if alarm_s is None else timedelta(seconds=alarm_s)
        return replace(self, kinds=MappingProxyType(dict(kinds)), alarm=alarm)

    def wait(self, tries: int) -> timedelta:
        """How long after try number `tries` (from 1) the next one comes."""
        return self.again[min(max(tries, 1), len(self.again)) - 1]


def load(path: Path = _DATA) -> Rules:
    """Read the data file. Raises ValueError for one that is not right or leaves a kind out."""
    file = _File.model_validate(json.loads(path.read_bytes()))
    missing = set(Kind) - file.kinds.keys()
    if missing:
        raise ValueError(f"no rule for {', '.join(sorted(missing))}")
    kinds = {
        kind: Rule(
            severity=each.severity,
            after=timedelta(seconds=each.after_seconds),
            well=timedelta(seconds=each.well_seconds),
            remind=None if each.remind_hours is None else timedelta(hours=each.remind_hours),
        )
        for kind, each in file.kinds.items()
    }
    return Rules(
        kinds=MappingProxyType(kinds),
        alarm=timedelta(seconds=file.alarm_seconds),
        orphan=timedelta(seconds=file.orphan_seconds),
        again=tuple(timedelta(seconds=each) for each in file.sending.again_seconds),
        give_up=timedelta(hours=file.sending.give_up_hours),
    )
