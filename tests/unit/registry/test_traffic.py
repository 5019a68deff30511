"""Which stop holds for a receiver at a moment."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.registry.shapes import as_json, kept, written
from shared.registry.traffic import ALL, OPEN, Stop, Traffic

NOW = datetime(2026, 1, 15, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("stops", "found"),
    [
        ({}, None),
        ({"other": Stop()}, None),
        ({"epj": Stop(NOW)}, None),
        ({"epj": Stop(NOW + HOUR)}, Stop(NOW + HOUR)),
        ({ALL: Stop(NOW + HOUR)}, Stop(NOW + HOUR)),
        ({ALL: Stop(NOW + HOUR), "epj": Stop(NOW + 2 * HOUR)}, Stop(NOW + 2 * HOUR)),
        ({ALL: Stop(), "epj": Stop(NOW + 2 * HOUR)}, Stop()),
        ({ALL: Stop(NOW - HOUR), "epj": Stop(NOW + HOUR)}, Stop(NOW + HOUR)),
    ],
)
def test_the_longest_stop_that_holds_counts(stops: dict[str, Stop], found: Stop | None) -> None:
    assert Traffic(deliveries=stops).stop_of("epj", NOW) == found


def test_stops_are_written_and_read_back_as_they_were() -> None:
    traffic = Traffic(deliveries={"epj": Stop(NOW, "upgrade"), ALL: Stop()})
    assert written(Traffic, as_json(Traffic, traffic)) == traffic
    assert kept(Traffic, as_json(Traffic, traffic)) == traffic


def test_a_document_from_before_there_were_stops_of_deliveries_stops_none() -> None:
    assert kept(Traffic, {"writes": None, "reads": None}) == OPEN
