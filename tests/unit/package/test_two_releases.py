"""Old and new run side by side for a moment, and a release can be taken back (docs/release.md).

`documents/` holds what each release wrote, as it wrote it. A file there is never changed; a release that writes
something new adds one.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.messages.model import delivery_from, event_from, stations_from
from shared.messages.signals import signal_from
from shared.messages.urgency import Urgency

WRITTEN = [json.loads(path.read_text("utf-8")) for path in sorted(Path(__file__).parent.glob("documents/*.json"))]
RELEASES = pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written["release"])
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@RELEASES
@pytest.mark.parametrize(
    "more", [{}, {"ofTheNextRelease": {"a": 1}}], ids=["as it is", "with a field of a later release"]
)
def test_what_a_release_wrote_is_read_by_this_one(written: dict[str, Any], more: dict[str, Any]) -> None:
    event = event_from({**written["event"], **more})
    assert (event.id, event.orgnr, event.sender, event.size) == ("e1", "310000019", "trygghetsvakt-test", 1234)
    assert (event.kind, event.severity, event.urgency, event.received_at) == ("alarm", "vkp:30", Urgency.PROMPT, NOON)
    assert [station.at for station in stations_from({**written["event"], **more})] == [NOON]
    delivery = delivery_from({**written["work"], **more}, tries=1)
    assert (delivery.id, delivery.receiver, delivery.place, delivery.attempts) == ("d1", "epj", 7, 2)
    assert delivery.event == event
    signal = signal_from("b" * 32, json.dumps({**written["signal"], **more}).encode())
    assert (signal.lane, signal.to, signal.woken) == ("b" * 32, "310000019/epj", True)


@RELEASES
def test_fields_that_came_later_have_a_value_where_they_are_missing(written: dict[str, Any]) -> None:
    later = ("kind", "severity", "names", "urgency", "place", "tried", "returnedAt")
    work = {name: value for name, value in written["work"].items() if name not in later}
    delivery = delivery_from(work, tries=0)
    assert (delivery.place, delivery.attempts, delivery.event.urgency) == (0, 0, Urgency.ROUTINE)
