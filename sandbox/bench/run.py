"""The run: a hub of its own, four kinds of load, and what each part used."""

import json
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from sandbox.bench import cost, floor, load, profile, stored
from sandbox.bench.driving import Driver
from sandbox.bench.rows import SETTINGS, Row, Sizes
from sandbox.hub_parts import GROUPS
from sandbox.running import running_hub

RATE: Final = 100.0
"""Events a second at which the answer time is taken."""
_AT_ONCE: Final = 8

type Say = Callable[[str], None]


async def measure(folder: Path, sizes: Sizes, say: Say, *, profiled: bool = False) -> tuple[list[Row], profile.Found]:
    """Measure; with `profiled` also where the CPU goes. Raises what starting a hub raises."""
    say("the local host's floor")
    rows = _floor_rows(await floor.measure(folder / "floor", sizes.floor_s))
    json_us = _json_us()
    rows.append(Row("json.loads of the message", json_us, "µs", "to compare machines by"))
    found = profile.NOTHING
    async with _driven(folder / "hub") as driver:
        rows += await _steady(driver, sizes, say)
        rows += await _sustained(driver, sizes, json_us, say)
        if profiled:
            say("where the CPU goes")
            async with profile.taken(driver.hub.pids, folder) as found:
                await driver.send_and_arrive(load.messages(sizes.sustained, sizes.patients), _AT_ONCE)
        alone = await _backlog(driver, sizes, say, "backlog drained")
        rows += alone
        rows += _memory(driver)
    if sizes.stored:
        rows += await _beside_stored(folder / "hub", sizes, alone[0].value, say)
    return rows, found


@asynccontextmanager
async def _driven(folder: Path) -> AsyncIterator[Driver]:
    async with (
        running_hub(folder, SETTINGS) as hub,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield await Driver.of(hub, session)


def _floor_rows(measured: floor.Floor) -> list[Row]:
    return [
        Row("bare local host", measured.per_second, "calls/s", "an app that does nothing, 8 callers"),
        Row("bare local host, p99", measured.p99_ms, "ms"),
    ]


def _json_us() -> float:
    (body,) = load.messages(1, 1)
    taken = []
    for _ in range(200):
        begun = time.perf_counter_ns()
        json.loads(body)
        taken.append((time.perf_counter_ns() - begun) / 1000)
    return statistics.median(taken)


async def _steady(driver: Driver, sizes: Sizes, say: Say) -> list[Row]:
    """Answer times at a steady rate."""
    say(f"answer times at {RATE:g} events/s")
    before = await driver.received()
    answers = await driver.sender.at_rate(load.messages(int(RATE * sizes.steady_s), sizes.patients), RATE)
    await driver.arrived(before + len(answers.seconds))
    return [
        Row(f"ingest at {RATE:g}/s, p50", answers.percentile_ms(0.5), "ms"),
        Row(f"ingest at {RATE:g}/s, p99", answers.percentile_ms(0.99), "ms", _notes("reach 25", answers)),
    ]


async def _sustained(driver: Driver, sizes: Sizes, json_us: float, say: Say) -> list[Row]:
    """As fast as answers come, until the EPJ has all; and what each event cost."""
    say("sustained, end to end")
    before = await cost.spent(driver)
    begun = time.perf_counter()
    answers = await driver.send_and_arrive(load.messages(sizes.sustained, sizes.patients), _AT_ONCE)
    lasted = time.perf_counter() - begun
    after = await cost.spent(driver)
    accepted = len(answers.seconds)
    return [
        Row("sustained, end to end", accepted / lasted, "events/s", _notes("reach 150", answers)),
        *cost.rows(before, after, accepted, json_us),
    ]


async def _backlog(driver: Driver, sizes: Sizes, say: Say, name: str) -> list[Row]:
    """Everything accepted while the EPJ is down, then drained: events/s, and seconds."""
    say(f"{name}: {sizes.backlog} events")
    await driver.journal_answers("503", 100_000_000)
    before = await driver.received()
    bodies = load.messages(sizes.backlog, sizes.backlog_patients)
    answers = await driver.sender.as_answers_come(bodies, _AT_ONCE)
    await driver.journal_answers("ok")
    begun = time.perf_counter()
    await driver.arrived(before + len(answers.seconds))
    lasted = time.perf_counter() - begun
    accepted = len(answers.seconds)
    note = f"{accepted} events of {sizes.backlog_patients} patients, accepted while the EPJ was down"
    return [
        Row(name, accepted / lasted, "events/s", _notes(note, answers)),
        Row(f"{name}, time", lasted, "s", "from when the EPJ is back, the breaker's wait for its next probe included"),
    ]


async def _beside_stored(folder: Path, sizes: Sizes, alone: float, say: Say) -> list[Row]:
    """The same backlog again, beside so many messages that are done with."""
    say(f"storing {sizes.stored} messages")
    begun = time.perf_counter()
    filled = stored.fill(folder / "cosmos", sizes.stored)
    rows = [
        Row("messages stored beside", filled.messages, "", f"{filled.documents} documents, {filled.megabytes:.0f} MB"),
        Row("messages stored beside, time", time.perf_counter() - begun, "s"),
    ]
    async with _driven(folder) as driver:
        await stored.settled(driver)
        drained = await _backlog(driver, sizes, say, "backlog drained beside them")
    slower = (alone / drained[0].value - 1) * 100
    return [*rows, *drained, Row("slower than alone", slower, "%", "reach 20")]


def _memory(driver: Driver) -> list[Row]:
    """Resident memory of the app's processes."""
    now = driver.used()
    return [
        row
        for part in GROUPS
        for row in (
            Row(f"memory, {part}", now[part].resident_mb, "MB", "resident, at the end"),
            Row(f"memory, {part}, most", now[part].most_resident_mb, "MB"),
        )
    ]


def _notes(text: str, answers: load.Answers) -> str:
    return f"{text}; {answers.failed} not accepted" if answers.failed else text
