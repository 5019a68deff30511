"""The run: a hub of its own, four kinds of load, and what each part used."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from sandbox.bench import floor, load
from sandbox.bench.process import Used, used
from sandbox.hub_parts import GROUPS
from sandbox.running import Hub, running_hub
from sandbox.vendor import vendor

SETTINGS: Final[Mapping[str, str]] = {
    # So that a drained backlog shows the hub's pace, not the waits of its schedule.
    "Delivery__schedule": "1",
    "Upkeep__grace": "60",
    "HelseId__testEnvironment": "true",
    "Limits__perSecond": "1000",
    "Limits__burst": "10000",
}
RATE: Final = 100.0
"""Events a second at which the answer time is taken."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    floor_s: float
    steady_s: float
    sustained: int
    backlog: int
    patients: int = 1000


FULL: Final = Sizes(floor_s=5, steady_s=20, sustained=3000, backlog=1500)
QUICK: Final = Sizes(floor_s=1, steady_s=4, sustained=300, backlog=150)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    name: str
    value: float
    unit: str
    note: str = ""


Say = Callable[[str], None]


async def measure(folder: Path, sizes: Sizes, say: Say) -> list[Row]:
    """Measure. Raises what starting a hub raises."""
    say("the local host's floor")
    rows = _floor_rows(await floor.measure(folder / "floor", sizes.floor_s))
    async with (
        running_hub(folder / "hub", SETTINGS) as hub,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        bench = _Bench(hub, session, sizes, say)
        await bench.prepare()
        return [*rows, *await bench.steady(), *await bench.sustained(), *await bench.backlog(), *bench.memory()]


def _floor_rows(measured: floor.Floor) -> list[Row]:
    return [
        Row("bare local host", measured.per_second, "calls/s", "an app that does nothing, 8 callers"),
        Row("bare local host, p99", measured.p99_ms, "ms"),
    ]


class _Bench:
    def __init__(self, hub: Hub, session: aiohttp.ClientSession, sizes: Sizes, say: Say) -> None:
        self._hub = hub
        self._session = session
        self._sizes = sizes
        self._say = say
        self._sender: load.Sender | None = None
        self._seen = 0
        self._last_seen = 0

    async def prepare(self) -> None:
        """Get a token and let every part do everything once."""
        addresses = self._hub.addresses
        client = addresses.clients[addresses.vendor]
        async with vendor(addresses.api, addresses.helseid, addresses.vendor, client.key_file) as sender:
            token = await sender.token()
        self._sender = load.Sender(self._session, f"{addresses.api}/epj/r4/{addresses.orgnr}/bundle", token)
        await self._send_and_arrive(load.messages(50, 50), 4)

    async def steady(self) -> list[Row]:
        """Answer times at a steady rate."""
        self._say(f"answer times at {RATE:g} events/s")
        count = int(RATE * self._sizes.steady_s)
        before = await self._received()
        answers = await self._loader.at_rate(load.messages(count, self._sizes.patients), RATE)
        await self._arrived(before + len(answers.seconds))
        return [
            Row(f"ingest at {RATE:g}/s, p50", answers.percentile_ms(0.5), "ms"),
            Row(f"ingest at {RATE:g}/s, p99", answers.percentile_ms(0.99), "ms", _failures(answers)),
        ]

    async def sustained(self) -> list[Row]:
        """As fast as answers come, until the EPJ has all; and what each event cost."""
        self._say("sustained, end to end")
        count = self._sizes.sustained
        before, operations = self._used(), await self._operations()
        begun = time.perf_counter()
        answers = await self._send_and_arrive(load.messages(count, self._sizes.patients), 8)
        lasted = time.perf_counter() - begun
        after, operations_after = self._used(), await self._operations()
        accepted = len(answers.seconds)
        rows = [Row("sustained, end to end", accepted / lasted, "events/s", _failures(answers))]
        total = 0.0
        for part, now in after.items():
            each = (now.cpu_s - before[part].cpu_s) / accepted * 1000
            total += each
            rows.append(Row(f"CPU per event, {part}", each, "ms"))
        rows.append(Row("CPU per event, all parts", total, "ms", "without the sender"))
        rows.append(
            _per_event("Service Bus operations per event", operations, operations_after, "servicebus", accepted)
        )
        rows.append(_per_event("Cosmos requests per event", operations, operations_after, "cosmos", accepted))
        return rows

    async def backlog(self) -> list[Row]:
        """Everything accepted while the EPJ is down, then drained."""
        self._say("draining a backlog")
        await self._behave("503", 1_000_000)
        before = await self._received()
        answers = await self._loader.as_answers_come(load.messages(self._sizes.backlog, self._sizes.patients), 8)
        await self._behave("ok", None)
        begun = time.perf_counter()
        await self._arrived(before + len(answers.seconds))
        return [
            Row(
                "backlog drained",
                len(answers.seconds) / (time.perf_counter() - begun),
                "events/s",
                f"{len(answers.seconds)} events accepted while the EPJ was down",
            )
        ]

    def memory(self) -> list[Row]:
        """Resident memory of the app's processes."""
        now = self._used()
        return [row for part in GROUPS for row in _memory_rows(part, now[part])]

    @property
    def _loader(self) -> load.Sender:
        if self._sender is None:
            raise RuntimeError("prepare() comes first")
        return self._sender

    async def _send_and_arrive(self, bodies: list[bytes], at_once: int) -> load.Answers:
        before = await self._received()
        answers = await self._loader.as_answers_come(bodies, at_once)
        await self._arrived(before + len(answers.seconds))
        return answers

    async def _arrived(self, wanted: int) -> None:
        while await self._received() < wanted:  # noqa: ASYNC110 - the EPJ is another process
            await asyncio.sleep(0.1)

    async def _received(self) -> int:
        params = {"since": str(self._last_seen)}
        async with self._session.get(f"{self._hub.addresses.epj}/received", params=params) as answer:
            new: list[dict[str, Any]] = await answer.json()
        self._seen += len(new)
        self._last_seen = max((int(each["seq"]) for each in new), default=self._last_seen)
        return self._seen

    async def _behave(self, mode: str, count: int | None) -> None:
        rule = {"mode": mode} if count is None else {"mode": mode, "count": count}
        async with self._session.post(f"{self._hub.addresses.epj}/behave", json=rule) as answer:
            answer.raise_for_status()

    def _used(self) -> dict[str, Used]:
        return {part: used(pid) for part, pid in self._hub.pids.items()}

    async def _operations(self) -> dict[str, int]:
        addresses = self._hub.addresses
        cosmos = f"http://127.0.0.1:{self._hub.ports['cosmos']}/_sandbox/counters"
        return {
            "servicebus": _sum((await self._json(f"{addresses.servicebus_counters}/counters"))["operations"]),
            "cosmos": _sum((await self._json(cosmos))["requests"]),
        }

    async def _json(self, url: str) -> dict[str, Any]:
        async with self._session.get(url) as answer:
            found: dict[str, Any] = await answer.json()
            return found


def _sum(counters: object) -> int:
    if isinstance(counters, dict):
        return sum(_sum(each) for each in counters.values())
    return counters if isinstance(counters, int) else 0


def _per_event(name: str, before: Mapping[str, int], after: Mapping[str, int], part: str, count: int) -> Row:
    return Row(name, (after[part] - before[part]) / count, "")


def _memory_rows(part: str, used: Used) -> list[Row]:
    return [
        Row(f"memory, {part}", used.resident_mb, "MB", "resident, at the end"),
        Row(f"memory, {part}, most", used.most_resident_mb, "MB"),
    ]


def _failures(answers: load.Answers) -> str:
    return f"{answers.failed} not accepted" if answers.failed else ""
