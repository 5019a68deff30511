"""Lanes and ids: the same message has the same id, another one another, and none of them tells who it is about."""

import re
from typing import TypedDict

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.messages.lanes import (
    Lane,
    delivery_id,
    event_id,
    inbound,
    lane_of,
    line_id,
    outbound,
    partition_of,
    toward,
)

TEXTS = st.text(max_size=40)
IDENTIFIERS = st.none() | st.tuples(TEXTS, TEXTS)


class Parts(TypedDict):
    sender: str
    orgnr: str
    resource: str
    business_identifier: tuple[str, str] | None
    sha256: str


PARTS = st.builds(
    Parts, sender=TEXTS, orgnr=TEXTS, resource=TEXTS, business_identifier=IDENTIFIERS, sha256=TEXTS
)  # fmt: skip


def of(parts: Parts, patient: str = "patient") -> str:
    return event_id(inbound(parts["orgnr"], patient), **parts)


def named(parts: Parts) -> tuple[object, ...]:
    # No identifier and one of two empty texts are the same: neither names anything.
    return (*((name, value) for name, value in parts.items() if name != "business_identifier"),
            parts["business_identifier"] or ("", ""))  # fmt: skip


@given(PARTS, TEXTS)
def test_the_same_message_has_the_same_id(parts: Parts, patient: str) -> None:
    assert of(parts, patient) == of(Parts(**parts), patient)


@given(PARTS, PARTS)
def test_another_message_has_another_id(one: Parts, other: Parts) -> None:
    assert (of(one) == of(other)) == (named(one) == named(other))


@given(PARTS, st.sampled_from(["sender", "orgnr", "resource", "sha256"]), TEXTS)
def test_each_part_counts(parts: Parts, name: str, value: str) -> None:
    before = {**parts}
    assume(before[name] != value)
    changed = Parts(**{**before, name: value})  # type: ignore[typeddict-item]  # one key, chosen by name
    lane = inbound("999999999", "patient")
    assert event_id(lane, **parts) != event_id(lane, **changed)


@given(PARTS, TEXTS, TEXTS)
def test_an_identifier_that_comes_back_with_other_content_is_another_event(parts: Parts, one: str, other: str) -> None:
    assume(one != other)
    assert of(Parts(**{**parts, "sha256": one})) != of(Parts(**{**parts, "sha256": other}))


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_two_lanes_are_the_same_only_for_the_same_place_and_patient(a: str, b: str, c: str, d: str) -> None:
    assert (inbound(a, b) == inbound(c, d)) == ((a, b) == (c, d))
    assert (outbound("1", a, b) == outbound("1", c, d)) == ((a, b) == (c, d))


@given(TEXTS, TEXTS)
def test_a_way_in_is_never_a_way_out(place: str, patient: str) -> None:
    assert inbound(place, patient) != outbound(place, "", patient)


@given(TEXTS, TEXTS, TEXTS)
def test_all_of_a_municipalitys_lanes_of_one_patient_are_in_one_partition(
    place: str, receiver: str, patient: str
) -> None:
    lane = inbound(place, patient)
    assert outbound(place, receiver, patient) == toward(lane, receiver)
    assert partition_of(outbound(place, receiver, patient)) == partition_of(lane) == lane


@given(TEXTS, TEXTS)
def test_each_lane_has_a_line_of_its_own(one: str, other: str) -> None:
    lane = inbound("999999999", "patient")
    assert (line_id(toward(lane, one)) == line_id(toward(lane, other))) == (one == other)
    assert line_id(toward(lane, one)) != line_id(lane)


@given(PARTS, TEXTS)
def test_an_id_begins_with_its_lane(parts: Parts, patient: str) -> None:
    lane = inbound(parts["orgnr"], patient)
    assert lane_of(event_id(lane, **parts)) == lane


@given(st.text(max_size=60))
def test_a_text_that_is_no_event_id_has_no_lane(text: str) -> None:
    assert lane_of(text) is None


@given(PARTS, st.text(min_size=1, max_size=3))
def test_an_id_with_something_around_it_is_no_event_id(parts: Parts, more: str) -> None:
    assert lane_of(of(parts) + more) is None
    assert lane_of(more + of(parts)) is None


@given(st.from_regex(re.compile("[0-9]{11}", re.ASCII), fullmatch=True), st.text("0189_-XYZ", min_size=4, max_size=20))
def test_no_part_of_a_message_can_be_read_in_its_ids(number: str, name: str) -> None:
    parts = Parts(
        sender=name, orgnr=number[:9], resource="Bundle/" + name, business_identifier=(name, number), sha256=name
    )
    lane = inbound(number[:9], number)
    found = f"{lane} {outbound(name, 'epj', number)} {event_id(lane, **parts)}"
    assert all(text not in found for text in (number, number[:6], name))


@given(PARTS, st.from_regex("[a-z0-9][a-z0-9-]{0,15}", fullmatch=True))
def test_ids_fit_where_they_are_kept(parts: Parts, receiver: str) -> None:
    event = of(parts)
    for each in (event, delivery_id(event, receiver), inbound("a", "b"), outbound("a", receiver, "c")):
        # Cosmos forbids / \ ? # in ids and takes 255 characters; a session id takes 128.
        assert re.fullmatch(r"[a-z0-9.-]{1,127}", each)
        assert "'" not in each


@given(PARTS, st.text("abc-", min_size=1, max_size=5), st.text("abc-", min_size=1, max_size=5))
def test_two_receivers_of_one_event_get_it_under_two_keys(parts: Parts, one: str, other: str) -> None:
    assert (delivery_id(of(parts), one) == delivery_id(of(parts), other)) == (one == other)


def test_a_lone_surrogate_from_a_caller_does_not_stop_the_hub() -> None:
    assert inbound("999999999", "\ud800") != inbound("999999999", "\ud801")


def test_ids_do_not_change_from_one_version_to_the_next() -> None:
    # A new way to make them would deliver every repeated message once more: only with a migration.
    lane = inbound("999999999", "patient")
    assert lane == Lane("ngqj2bkmheluapggvuin")
    parts = Parts(
        sender="vendor", orgnr="999999999", resource="bundle", business_identifier=("s", "v"), sha256="0" * 64
    )
    assert event_id(lane, **parts) == "ngqj2bkmheluapggvuin.ucvf4fxpiqe6bnux564miz35ui"
    assert outbound("310000019", "epj", "patient") == "lyuyof6pj6oi5sqpr3l7.epj"
