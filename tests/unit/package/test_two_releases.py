"""Old and new run side by side for a moment, and a release can be taken back (docs/release.md).

`documents/` holds what each release wrote, as it wrote it. A file there is never changed; a release that writes
something new adds one.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.messages.events import receipts_from
from shared.messages.model import delivery_from, delivery_of, event_from, stations_from
from shared.messages.set_aside import item_from
from shared.messages.signals import signal_from
from shared.messages.urgency import Urgency
from shared.messages.worklist import places

WRITTEN = [json.loads(path.read_text("utf-8")) for path in sorted(Path(__file__).parent.glob("documents/*.json"))]
RELEASES = pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written["release"])
LANE = "a" * 20
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@RELEASES
@pytest.mark.parametrize(
    "more", [{}, {"ofTheNextRelease": {"a": 1}}], ids=["as it is", "with a field of a later release"]
)
def test_what_a_release_wrote_is_read_by_this_one(written: dict[str, Any], more: dict[str, Any]) -> None:
    event = event_from({**written["event"], **more})
    assert (event.lane, event.orgnr, event.sender, event.size) == (LANE, "310000019", "trygghetsvakt-test", 1234)
    assert (event.kind, event.severity, event.urgency, event.received_at) == ("alarm", "vkp:30", Urgency.PROMPT, NOON)
    assert [station.at for station in stations_from({**written["event"], **more})] == [NOON, NOON]
    (receipt,) = receipts_from({**written["event"], **more})
    line = {**written["line"], **more}
    delivery = delivery_from({**written["work"], **more}, line, event, tries=1, place=places(line)[0])
    assert (delivery.id, delivery.lane, delivery.receiver) == (receipt.delivery, receipt.lane, "epj")
    assert (delivery.place, delivery.attempts, delivery.kept) == (7, 2, True)
    assert delivery.event == event
    again = delivery_of({**written["delivery"], **more})
    assert (again.id, again.tried, again.place, again.event) == (delivery.id, 1, 7, event)
    item = item_from({**written["delivery"], **more})
    assert (item.cause, item.key, item.status) == ("REC_HTTP_422", "310000019/epj", 422)
    signal = signal_from(receipt.lane, json.dumps({**written["signal"], **more}).encode())
    assert (signal.lane, signal.to, signal.woken, signal.event) == (receipt.lane, "310000019/epj", True, event.id)


@RELEASES
def test_fields_that_came_later_have_a_value_where_they_are_missing(written: dict[str, Any]) -> None:
    later = ("returnedAt", "kept", "place")
    work = {name: value for name, value in written["work"].items() if name not in later}
    line = {**written["line"], "pending": [work]}
    delivery = delivery_from(work, line, event_from(written["event"]), tries=0, place=places(line)[0])
    assert (delivery.place, delivery.attempts, delivery.kept, delivery.returned_at) == (7, 1, False, None)
