"""Turns: one after another at the same thing, side by side at others."""

import asyncio

import pytest

from shared.road.turns import Turns


async def test_who_asks_second_waits_until_the_first_is_done() -> None:
    turns, done, order = Turns(), asyncio.Event(), list[str]()

    async def worker(name: str) -> None:
        async with turns.of("lane"):
            order.append(f"{name} begins")
            await done.wait()
            order.append(f"{name} ends")

    async with asyncio.TaskGroup() as group:
        for name in ("first", "second", "third"):
            group.create_task(worker(name))
        for _ in range(5):
            await asyncio.sleep(0)
        assert order == ["first begins"]
        done.set()
    assert order == [f"{name} {what}" for name in ("first", "second", "third") for what in ("begins", "ends")]


async def test_nobody_waits_for_who_is_at_something_else() -> None:
    turns = Turns()
    async with turns.of("one lane"), asyncio.timeout(1), turns.of("another lane"):
        pass


async def test_who_fails_or_is_given_up_lets_the_next_one_in() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="fails"):
        async with turns.of("lane"):
            raise ValueError("fails")
    waits = asyncio.Event()

    async def worker() -> None:
        async with turns.of("lane"):
            await waits.wait()

    stuck = asyncio.create_task(worker())
    await asyncio.sleep(0)
    stuck.cancel()
    async with asyncio.timeout(1), turns.of("lane"):
        pass


async def test_what_nobody_is_at_is_forgotten() -> None:
    turns = Turns()
    for number in range(1000):
        async with turns.of(number):
            pass
    assert not turns._locks
