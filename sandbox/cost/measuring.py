"""What an event takes of everything that Azure bills, counted on a hub of its own; written to `infra/measured.json`.

Three loads after each other. Nothing: what the timers take by themselves. Events alone, each of a patient of its own
and far enough apart that no run does the work of two. Events as fast as answers come: what it comes to when runs do
the work of several. What nothing takes is subtracted from the other two.

Counts are the sandbox's, by the sources that `sandbox/cosmos/charge.py` and `sandbox/servicebus/billing.py` name. CPU
seconds are this machine's, and are given to be seen, not to be billed by.
"""

import asyncio
import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from sandbox.bench import load
from sandbox.bench.driving import Driver
from sandbox.hub_parts import GROUPS
from sandbox.running import running_hub
from sandbox.telemetry import kept

SETTINGS: Final[Mapping[str, str]] = {
    "HelseId__testEnvironment": "true",
    "Limits__perSecond": "1000",
    "Limits__burst": "10000",
    # All of them, to be counted; the template says what part is kept.
    "Telemetry__sampling": "100",
}
_QUIET_S: Final = 60.0
_ALONE: Final = (100, 2.0)
"""Events, and how many a second."""
_BUSY: Final = 400
_AFTER_S: Final = 25.0
"""Until the audit log, the waking and the telemetry of the last event are done with."""

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """All counters at a moment: names with a stroke are `kind/which`."""

    at: float
    counts: Mapping[str, float]


async def measure(folder: Path, say: Say) -> dict[str, Any]:
    """Run and count. Raises what starting a hub raises."""
    async with (
        running_hub(folder, SETTINGS) as hub,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        driver = await Driver.of(hub, session)
        look = _Look(driver, session, folder)
        await asyncio.sleep(_AFTER_S)
        say("nothing")
        begun = await look()
        await asyncio.sleep(_QUIET_S)
        quiet = _rates(begun, await look())
        say("events alone")
        events, per_second = _ALONE
        begun = await look()
        wanted = await driver.received() + events
        answers = await driver.sender.at_rate(load.messages(events, events), per_second)
        await _through(driver, answers, wanted)
        alone = _per_event(begun, await look(), quiet, events)
        say("events as fast as answers come")
        begun = await look()
        wanted = await driver.received() + _BUSY
        answers = await driver.sender.as_answers_come(load.messages(_BUSY, _BUSY // 4), 8)
        await _through(driver, answers, wanted)
        busy = _per_event(begun, await look(), quiet, _BUSY)
    return {
        "quietPerHour": {name: round(rate * 3600, 1) for name, rate in sorted(quiet.items())},
        "perEventAlone": alone,
        "perEventBusy": busy,
    }


async def _through(driver: Driver, answers: load.Answers, wanted: int) -> None:
    if answers.failed:
        raise RuntimeError(f"{answers.failed} events were not accepted: nothing was measured")
    await driver.arrived(wanted)
    await asyncio.sleep(_AFTER_S)


class _Look:
    """Reads every counter there is."""

    def __init__(self, driver: Driver, session: aiohttp.ClientSession, folder: Path) -> None:
        self._driver = driver
        self._session = session
        self._cosmos = folder / "cosmos" / "cosmos.sqlite3"
        self._telemetry = folder / "telemetry"

    async def __call__(self) -> Seen:
        """As of now."""
        found: dict[str, float] = defaultdict(float)
        counters = await self._driver.counters()
        for container, kinds in counters.cosmos["charges"].items():
            database = container.partition("/")[0] or "account"
            for booked in kinds.values():
                found[f"requestUnits/{database}"] += booked["units"]
                found["cosmosRequests"] += booked["requests"]
        for kinds in counters.servicebus["billed"].values():
            found["serviceBusOperations"] += sum(kinds.values())
        for part in GROUPS:
            for function, runs in (await self._runs(part)).items():
                found[f"runs/{function}"] += runs
        for part, used in self._driver.used().items():
            if part in GROUPS:
                found["cpuMs"] += used.cpu_s * 1000
        return Seen(time.monotonic(), {**found, **_stored(self._cosmos), **_told(self._telemetry)})

    async def _runs(self, part: str) -> dict[str, int]:
        url = f"http://127.0.0.1:{self._driver.hub.ports[part]}/admin/host/counters"
        async with self._session.get(url) as answer:
            answer.raise_for_status()
            counted: dict[str, Any] = await answer.json()
        found: dict[str, int] = counted["invocations"]
        return found


def _stored(path: Path) -> dict[str, int]:
    """Bytes of documents as their JSON, by database. The service's own form and the index come beside it."""
    sizes: dict[str, int] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        for number, database in db.execute("SELECT number, database FROM containers").fetchall():
            # A number of the store's own, not somebody's text.
            (size,) = db.execute(f"SELECT coalesce(sum(length(cast(body AS BLOB))), 0) FROM docs_{number:d}").fetchone()  # noqa: S608
            sizes[f"storedBytes/{database}"] = sizes.get(f"storedBytes/{database}", 0) + size
    return sizes


def _told(folder: Path) -> dict[str, int]:
    """Spans and log lines that were exported."""
    found: dict[str, int] = {}
    for name in (kept.ASIDE, kept.FILE):
        file = folder / name
        if not file.exists():
            continue
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    told = json.loads(line)
                    counter = f"telemetry/{told['signal']}"
                    found[counter] = found.get(counter, 0) + _rows(told)
    return found


def _rows(told: Mapping[str, Any]) -> int:
    """A metric's collection is a row for each of its points."""
    if told["signal"] != "metric":
        return 1
    return sum(len(value.get("dataPoints", ())) for value in told.values() if isinstance(value, dict))


def _rates(before: Seen, after: Seen) -> dict[str, float]:
    seconds = after.at - before.at
    return {name: (after.counts[name] - before.counts.get(name, 0.0)) / seconds for name in sorted(after.counts)}


def _per_event(before: Seen, after: Seen, quiet: Mapping[str, float], events: int) -> dict[str, float]:
    seconds = after.at - before.at
    found = {
        name: (after.counts[name] - before.counts.get(name, 0.0) - quiet.get(name, 0.0) * seconds) / events
        for name in sorted(after.counts)
    }
    return {name: round(each, 3) for name, each in found.items() if each > 0.004}
