"""What a collector of OpenTelemetry metrics sees: the named instruments, and nothing of a message or a patient."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint

from shared.messages.documents import Document
from shared.messages.urgency import Urgency
from shared.watch.gauges import STALE, Gauges
from shared.watch.measured import BOUNDS_S
from shared.watch.measuring import Measuring, Outcome
from shared.watch.numbers import Aside, Numbers, Receiver, Waiting

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = "310000019/epj"


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    """A provider of the test's own, in place of the process's."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    yield reader
    provider.shutdown()


def points(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    data = reader.get_metrics_data()
    every = [] if data is None else [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics]
    return {each.name: list(each.data.data_points) for each in every}


class Nowhere:
    """Takes documents and forgets them."""

    async def put(self, document: Document, partition: str) -> None:
        return


async def test_what_an_instance_does_is_counted(reader: InMemoryMetricReader) -> None:
    measuring = Measuring(Nowhere(), lambda: T0)
    measuring.accepted("310000019", Urgency.PROMPT)
    measuring.refused("SEND_PROFILE")
    measuring.tried(KEY, Urgency.PROMPT, Outcome.TAKEN)
    measuring.delivered(KEY, Urgency.PROMPT, timedelta(seconds=0.2))
    await measuring.close()
    found = points(reader)
    assert set(found) == {"knutepunkt.accepted", "knutepunkt.refused", "knutepunkt.attempts", "knutepunkt.end_to_end"}
    (attempt,) = found["knutepunkt.attempts"]
    assert isinstance(attempt, NumberDataPoint)
    assert dict(attempt.attributes or {}) == {"receiver": KEY, "class": "prompt", "outcome": "taken"}
    (took,) = found["knutepunkt.end_to_end"]
    assert isinstance(took, HistogramDataPoint)
    assert tuple(took.explicit_bounds) == BOUNDS_S
    assert took.sum == pytest.approx(0.2)


def test_what_waits_is_shown_and_an_old_look_is_not(reader: InMemoryMetricReader) -> None:
    now = [T0]
    gauges = Gauges(lambda: now[0])
    assert points(reader) == {}
    waiting = Waiting(T0 - timedelta(seconds=90), 5, parked=2, blocked=1)
    receiver = Receiver("310000019", "epj", MappingProxyType({Urgency.ROUTINE: waiting}), 4)
    gauges.show(Numbers(T0, (receiver,), (Aside("310000019", "epj", "REC_HTTP_404", 3, T0),)))
    found = points(reader)
    (oldest,) = found["knutepunkt.oldest_undelivered"]
    assert (oldest.value, dict(oldest.attributes)) == (90.0, {"receiver": KEY, "class": "routine"})
    assert {each.attributes["state"]: each.value for each in found["knutepunkt.waiting"]} == {
        "waiting": 2, "parked": 2, "blocked": 1,
    }  # fmt: skip
    (aside,) = found["knutepunkt.set_aside"]
    assert (aside.value, aside.attributes["code"]) == (3, "REC_HTTP_404")
    now[0] = T0 + STALE
    assert points(reader) == {}
