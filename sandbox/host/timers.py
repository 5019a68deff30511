"""Timer triggers: NCRONTAB schedules in UTC, one run at a time, the last runs kept over restarts.

Rules from Microsoft's timer trigger (docs: functions-bindings-timer, source: TimerListener): a run that was due while
the host was down starts at once with IsPastDue; schedules shorter than a minute are not monitored; a run that takes
longer than the interval skips the occurrences it covers.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from croniter import CroniterBadCronError, croniter

from sandbox.host.functions import Function, TimerTrigger
from sandbox.host.protos import TypedData
from sandbox.host.settings import StartRefused
from sandbox.host.worker import Worker

log = logging.getLogger("host.timers")

NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""What the host says for "never ran"."""

_MONITORED = timedelta(minutes=1)

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Status:
    """What is kept about a timer; all times UTC."""

    last: datetime
    next: datetime
    last_updated: datetime


def check(function: str, schedule: str) -> None:
    """Raises StartRefused when the schedule is not NCRONTAB with six fields."""
    if len(schedule.split()) != 6:
        raise StartRefused(f"function '{function}': the schedule '{schedule}' must have six fields, seconds first")
    try:
        croniter(schedule, second_at_beginning=True)
    except CroniterBadCronError as error:
        raise StartRefused(f"function '{function}': the schedule '{schedule}' cannot be read: {error}") from error


def next_after(schedule: str, moment: datetime) -> datetime:
    """The schedule's first occurrence after a moment (UTC)."""
    return cast(datetime, croniter(schedule, moment, second_at_beginning=True).get_next(datetime))


def monitored(trigger: TimerTrigger, now: datetime) -> bool:
    """Whether runs missed while the host was down are made up for."""
    first = next_after(trigger.schedule, now)
    return trigger.use_monitor and next_after(trigger.schedule, first) - first >= _MONITORED


def payload(status: Status | None, past_due: bool) -> TypedData:
    """The timer's value as the host hands it to a worker; no status when the schedule is not monitored."""
    info = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": None
        if status is None
        else {
            "Last": _dotnet(status.last),
            "Next": _dotnet(status.next),
            "LastUpdated": _dotnet(status.last_updated),
        },
        "IsPastDue": past_due,
    }
    return TypedData(json=json.dumps(info))


class Timer:
    """One timer function. `run` goes on until cancelled; `fire` runs the function now."""

    def __init__(
        self,
        function: Function,
        trigger: TimerTrigger,
        worker: Worker,
        folder: Path,
        clock: Clock = lambda: datetime.now(UTC),
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        check(function.name, trigger.schedule)
        self.function = function
        self._trigger = trigger
        self._worker = worker
        self._path = folder / "timers" / f"{function.name}.json"
        self._clock = clock
        self._sleep = sleep
        self._one_at_a_time = asyncio.Lock()
        self._monitored = monitored(trigger, clock())

    async def run(self) -> None:
        """Fire at each occurrence, for ever."""
        now = self._clock()
        status = self._read() if self._monitored else None
        if status is not None and status.next <= now:
            await self.fire(past_due=True)
        elif self._trigger.run_on_startup:
            await self.fire()
        elif status is None:
            self._write(Status(NEVER, next_after(self._trigger.schedule, now), NEVER))
        while True:
            due = next_after(self._trigger.schedule, self._clock())
            while (wait := (due - self._clock()).total_seconds()) > 0:
                await self._sleep(wait)
            await self.fire()

    async def fire(self, past_due: bool = False) -> None:
        """Run the function now, after any run that is going on; the outcome is logged by the worker."""
        async with self._one_at_a_time:
            began = self._clock()
            before = self._read() or Status(NEVER, began, NEVER)
            value = payload(before if self._monitored else None, past_due)
            try:
                await self._worker.invoke(self.function, value)
            finally:
                self._write(Status(began, next_after(self._trigger.schedule, self._clock()), self._clock()))

    def _read(self) -> Status | None:
        try:
            raw = json.loads(self._path.read_text(encoding="utf-8"))
            return Status(*(datetime.fromisoformat(raw[key]) for key in ("Last", "Next", "LastUpdated")))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            log.warning("the kept status of timer '%s' cannot be read; starting afresh", self.function.name)
            return None

    def _write(self, status: Status) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(
            json.dumps(
                {
                    "Last": status.last.isoformat(),
                    "Next": status.next.isoformat(),
                    "LastUpdated": status.last_updated.isoformat(),
                }
            ),
            encoding="utf-8",
        )
        fresh.replace(self._path)


def _dotnet(moment: datetime) -> str:
    """.NET's round-trip form with an offset."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.").rjust(20, "0") + f"{moment.microsecond:06d}0+00:00"
