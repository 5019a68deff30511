"""What instances measured can be added up, kept and read, and asked for quantiles."""

import json
import math
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.messages.urgency import Urgency
from shared.watch import measured
from shared.watch.measured import BOUNDS_S, Slot, added, place_of, quantile, slot_from, slot_start

T0 = datetime(2026, 11, 22, 12, 7, 30, tzinfo=UTC)
seconds = st.floats(0, 300_000, allow_nan=False)
keys = st.sampled_from(["310000019/epj", "310000027/arkiv"])
urgencies = st.sampled_from(Urgency)


@st.composite
def slots(draw: st.DrawFn) -> Slot:
    slot = Slot()
    slot.accepted.update(draw(st.dictionaries(st.tuples(st.just("310000019"), urgencies), st.integers(1, 9))))
    slot.refused.update(draw(st.dictionaries(st.sampled_from(["SEND_PROFILE", "SEND_SCOPE"]), st.integers(1, 9))))
    for key, urgency, took in draw(st.lists(st.tuples(keys, urgencies, seconds), max_size=20)):
        road = slot.road(key, urgency)
        road.taken += 1
        road.took[place_of(timedelta(seconds=took))] += 1
    return slot


@given(st.lists(seconds, min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_within_the_class_of_the_true_one(took: list[float], part: float) -> None:
    counted = Counter(place_of(timedelta(seconds=each)) for each in took)
    true = sorted(took)[max(math.ceil(part * len(took)) - 1, 0)]
    told = quantile(counted, part)
    assert told is not None
    place = place_of(timedelta(seconds=true))
    low = BOUNDS_S[place - 1] if place > 0 else 0.0
    high = BOUNDS_S[min(place, len(BOUNDS_S) - 1)]
    assert min(low, high) - 0.001 <= told <= high + 0.001


def test_without_messages_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None


@given(slots())
def test_a_slot_can_be_kept_and_read(slot: Slot) -> None:
    assert slot_from(json.loads(json.dumps(slot.document()))) == slot


@given(st.lists(slots(), max_size=4))
def test_what_many_instances_measured_adds_up(many: list[Slot]) -> None:
    whole = added(many)
    assert whole.accepted.total() == sum(each.accepted.total() for each in many)
    assert sum(road.taken for road in whole.roads.values()) == sum(
        road.taken for each in many for road in each.roads.values()
    )


@given(slots())
def test_a_municipality_is_told_of_its_own_alone_and_of_no_refusals(slot: Slot) -> None:
    told = measured.written(slot, T0, "310000027")
    assert {each["orgnr"] for each in told["receivers"]} <= {"310000027"}
    assert told["accepted"] == {"prompt": 0, "routine": 0}
    assert "refused" not in told
    assert "refused" in measured.written(slot, T0, None)


def test_slots_are_quarters_of_an_hour() -> None:
    assert slot_start(T0) == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert slot_start(T0 + timedelta(minutes=8)) == datetime(2026, 11, 22, 12, 15, tzinfo=UTC)
