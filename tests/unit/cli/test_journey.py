"""How a message is followed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from sandbox.journey import End, follow
from sandbox.vendor import NotFound
from shared.messages.documents import Unreachable
from shared.trail.timeline import Entry

START = datetime(2026, 1, 1, 12, 0, 0, 0, UTC)


def entries(*names: str) -> tuple[Entry, ...]:
    return tuple(Entry(START + timedelta(seconds=number), name, "hub", "") for number, name in enumerate(names))


RECEIVED, ROUTED, DELIVERED = (
    entries("received"),
    entries("received", "routed"),
    entries("received", "routed", "delivered"),
)
Look = tuple[str | Exception, tuple[Entry, ...] | Exception]


async def followed(looks: list[Look], patience_s: float = 30) -> tuple[End, list[str]]:
    """Follow a message that shows itself like this, look after look."""
    shown: list[str] = []
    turns: Iterator[Look] = iter(looks)
    now: list[Look] = []

    async def status(location: str) -> dict[str, Any]:
        assert location == "the location"
        now[:] = [next(turns, looks[-1])]
        state = now[0][0]
        if isinstance(state, Exception):
            raise state
        return {"state": state}

    async def timelines(event_id: str) -> tuple[Entry, ...]:
        assert event_id == "the id"
        seen = now[0][1]
        if isinstance(seen, Exception):
            raise seen
        return seen

    end = await follow(
        "the location", "the id", status, timelines, lambda entry: shown.append(entry.station), patience_s
    )
    return end, shown


async def test_every_station_is_shown_once_and_in_order() -> None:
    end, shown = await followed(
        [("received", RECEIVED), ("received", RECEIVED), ("routed", ROUTED), ("delivered", DELIVERED)]
    )
    assert shown == ["received", "routed", "delivered"]
    assert (end.arrived, end.failed, end.state) == (True, False, "delivered")


async def test_a_part_of_the_hub_that_is_away_is_waited_for() -> None:
    away = aiohttp.ClientError()
    end, shown = await followed(
        [
            ("received", RECEIVED),
            (away, RECEIVED),
            ("routed", Unreachable()),
            (TimeoutError(), ROUTED),
            ("delivered", DELIVERED),
        ]
    )
    assert shown == ["received", "routed", "delivered"]
    assert end.arrived


@pytest.mark.parametrize("state", ["rejected", "quarantined", "withdrawn", "expired"])
async def test_an_end_that_is_no_delivery_is_not_waited_beyond(state: str) -> None:
    end, _ = await followed([(state, ROUTED)])
    assert (end.arrived, end.failed) == (False, True)


async def test_patience_ends_with_the_state_it_is_in() -> None:
    end, shown = await followed([("waiting", ROUTED)], patience_s=0)
    assert (end.arrived, end.failed, end.state) == (False, False, "waiting")
    assert shown == ["received", "routed"]


async def test_a_message_that_nobody_knows_is_not_waited_for() -> None:
    with pytest.raises(NotFound):
        await followed([(NotFound("404"), ())])
